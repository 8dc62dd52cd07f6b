"""A model that answers as it is told, over real HTTP, in both protocols."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """An answer.

    Attributes:
        text: What it says.
        calls: Tools and arguments; arguments that are text are sent as they are. In Responses, a name with
            ``!`` behind it is that of a tool that takes text.
        thinking: Reasoning before it.
        stop: Why it stopped, in Anthropic's words; by itself if left out.
        read: Tokens it claims to have read, the length of the request if left out.
        cached: Tokens of these that it claims to have had in its cache.
    """

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    thinking: str = ""
    stop: str = ""
    read: int | None = None
    cached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fails:
    """A failure.

    Attributes:
        status: HTTP status.
        headers: Of the response.
        body: Of the response.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"type": "error", "error": {"type": "api_error", "message": "no time"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    """An answer that does not come whole.

    Attributes:
        after: Bytes after which the connection is closed.
        says: What would have been said.
        pause: Seconds between pieces of 40 bytes, if it is slow instead of broken off.
    """

    says: Says
    after: int | None = None
    pause: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mangled:
    """An answer whose JSON is broken."""


Answer: TypeAlias = Says | Fails | Breaks | Mangled
Script: TypeAlias = Callable[[Body], Answer]


class _Http(ThreadingHTTPServer):
    """Takes as many clients at once as a test may have."""

    daemon_threads = True
    request_queue_size = 1024


class ModelServer:
    """Answers on loopback, in Anthropic's Messages, OpenAI's Chat Completions and its Responses.

    Args:
        script: Says what to answer to each request; called in many threads.

    Attributes:
        requests: What came in, in order.
        paths: The paths it came to.
        headers: Its headers, names in small letters.
    """

    def __init__(self, script: Script) -> None:
        self.requests: list[Body] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.script = script
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                # A client that gives up closes the connection, which is its right.
                with suppress(ConnectionError):
                    server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = _Http(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Its address, without ``/v1``."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[ModelServer]:
        """Serve while the context lasts."""
        thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join(5)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body: Body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        with self.lock:
            self.requests.append(body)
            self.paths.append(handler.path)
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        answer = self.script(body)
        if isinstance(answer, Fails):
            _send(handler, answer.status, answer.body.encode(), "application/json", answer.headers)
            return
        speak = _speaker(handler.path)
        if isinstance(answer, Mangled):
            data = (
                b'data: {"type": "message_start", "mess\n\n' if body.get("stream") else b'{"id": "x", "cont'
            )
            _send(handler, 200, data, _type_of(body), {})
            return
        says = answer.says if isinstance(answer, Breaks) else answer
        data = speak(says, body)
        if isinstance(answer, Breaks):
            _break(handler, data, answer, _type_of(body))
        else:
            _send(handler, 200, data, _type_of(body), {})


def scripted(*answers: Answer) -> Script:
    """Return answers one after the other, the last again and again."""
    left = list(answers)
    lock = threading.Lock()

    def script(_: Body) -> Answer:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


def _type_of(body: Body) -> str:
    return "text/event-stream" if body.get("stream") else "application/json"


def _send(
    handler: BaseHTTPRequestHandler, status: int, data: bytes, kind: str, headers: Mapping[str, str]
) -> None:
    handler.send_response(status)
    for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def _break(handler: BaseHTTPRequestHandler, data: bytes, broken: Breaks, kind: str) -> None:
    handler.send_response(200)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    for start in range(0, len(data[: broken.after]), 40):
        handler.wfile.write(data[: broken.after][start : start + 40])
        handler.wfile.flush()
        time.sleep(broken.pause)
    handler.close_connection = True


def _read(says: Says, body: Body) -> int:
    return len(json.dumps(body)) // 4 if says.read is None else says.read


def _written(says: Says) -> int:
    return (len(says.text) + len(json.dumps(says.calls))) // 4 + 1


def _speaker(path: str) -> Callable[[Says, Body], bytes]:
    if "/messages" in path:
        return _anthropic
    return _responses if "/responses" in path else _openai


def _anthropic(says: Says, body: Body) -> bytes:
    content: list[Body] = []
    if says.thinking:
        content.append({"type": "thinking", "thinking": says.thinking, "signature": "signed"})
    if says.text:
        content.append({"type": "text", "text": says.text})
    for number, (name, arguments) in enumerate(says.calls):
        call = f"toolu_{len(body['messages'])}_{number}"
        content.append({"type": "tool_use", "id": call, "name": name, "input": arguments})
    usage = {
        "input_tokens": _read(says, body) - says.cached,
        "output_tokens": _written(says),
        "cache_read_input_tokens": says.cached,
        "cache_creation_input_tokens": 0,
    }
    message = {
        # Claude Code takes turns of one id for parts of one.
        "id": f"msg_{len(body['messages'])}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": says.stop or ("tool_use" if says.calls else "end_turn"),
        "stop_sequence": None,
        "usage": usage,
    }
    if not body.get("stream"):
        return json.dumps(message).encode()
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        for event in _anthropic_events(message)
    )


def _anthropic_events(message: Body) -> Iterator[Body]:
    start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": message["usage"],
    }
    yield {"type": "message_stop"}


def _empty(block: Body) -> Body:
    return {
        "text": {"type": "text", "text": ""},
        "thinking": {"type": "thinking", "thinking": "", "signature": ""},
        "tool_use": {**block, "input": {}},
    }[block["type"]]


def _deltas(block: Body) -> Iterator[Body]:
    if block["type"] == "text":
        for start in range(0, len(block["text"]), 7):
            yield {"type": "text_delta", "text": block["text"][start : start + 7]}
    elif block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        text = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
        for start in range(0, len(text), 9):
            yield {"type": "input_json_delta", "partial_json": text[start : start + 9]}


_FINISH = {"max_tokens": "length", "refusal": "content_filter", "": ""}


def _openai(says: Says, body: Body) -> bytes:
    finish = _FINISH.get(says.stop, "") or ("tool_calls" if says.calls else "stop")
    calls = [
        {
            "index": number,
            "id": f"call_{len(body['messages'])}_{number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
            },
        }
        for number, (name, arguments) in enumerate(says.calls)
    ]
    read = _read(says, body)
    usage = {
        "prompt_tokens": read,
        "completion_tokens": _written(says),
        "total_tokens": read + _written(says),
        "prompt_tokens_details": {"cached_tokens": says.cached},
    }
    message: Body = {"role": "assistant", "content": says.text or None}
    message |= {"tool_calls": calls} if calls else {}
    message |= {"reasoning_content": says.thinking} if says.thinking else {}
    head = {"id": "x", "created": 1, "model": body["model"]}
    if not body.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    chunks: list[Body] = [
        {"choices": [{"index": 0, "delta": delta}]} for delta in _openai_deltas(says, calls)
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({"choices": [], "usage": usage})
    lines = [
        f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', **chunk})}\n\n" for chunk in chunks
    ]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def _openai_deltas(says: Says, calls: list[Body]) -> Iterator[Body]:
    yield {"role": "assistant", "content": ""}
    if says.thinking:
        yield {"reasoning_content": says.thinking}
    for start in range(0, len(says.text), 7):
        yield {"content": says.text[start : start + 7]}
    for call in calls:
        arguments = call["function"]["arguments"]
        yield {"tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]}
        for start in range(0, len(arguments), 9):
            part = {"index": call["index"], "function": {"arguments": arguments[start : start + 9]}}
            yield {"tool_calls": [part]}


def _responses(says: Says, body: Body) -> bytes:
    """Answer in OpenAI's Responses, which Codex speaks; streamed, as it always asks for that."""
    items: list[Body] = []
    if says.text:
        content = [{"type": "output_text", "text": says.text, "annotations": []}]
        items.append(
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
        )
    items += [_responses_call(body, number, *call) for number, call in enumerate(says.calls)]
    read = _read(says, body)
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": says.cached},
        "output_tokens": _written(says),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + _written(says),
    }
    head = {"id": "resp_1", "object": "response", "model": body["model"]}
    events: list[Body] = [
        {"type": "response.created", "response": {**head, "status": "in_progress", "output": []}},
        *(
            {"type": "response.output_item.done", "output_index": i, "item": item}
            for i, item in enumerate(items)
        ),
        {
            "type": "response.completed",
            "response": {**head, "status": "completed", "output": items, "usage": usage},
        },
    ]
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def _responses_call(body: Body, number: int, name: str, arguments: Any) -> Body:  # noqa: ANN401 - any JSON
    call = f"call_{len(body['input'])}_{number}"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    if name.endswith("!"):
        return {
            "type": "custom_tool_call",
            "id": f"ctc_{number}",
            "call_id": call,
            "name": name[:-1],
            "input": text,
        }
    # Names may be in a space of their own, as codex puts those of MCP servers.
    space, _, short = name.rpartition("/")
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": call,
        "name": short,
        "arguments": text,
        **({"namespace": space} if space else {}),
    }
