"""Models that speak OpenAI's Chat Completions, OpenAI's own and others', by the official SDK."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import openai

from pytest_innovatorbench.agents.models.failures import translated
from pytest_innovatorbench.agents.models.values import Message, Prompt, Reply, Stop, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    from pytest_innovatorbench.agents.models.profile import Profile
    from pytest_innovatorbench.agents.models.values import Tool

PROVIDER = "openai"
# Names under which servers hand out reasoning; some want it back to go on from it.
_REASONING = ("reasoning_content", "reasoning", "reasoning_details")
_STOPS: dict[str, Stop] = {"length": "length", "content_filter": "refusal", "tool_calls": "calls"}
_EFFORTS = ((2048, "low"), (8192, "medium"))  # tokens of thinking
_CUT = {"length", "content_filter"}


class OpenAIModel:
    """A model behind Chat Completions.

    Args:
        client: The SDK's client.
        profile: How the model is to be asked.
    """

    def __init__(self, client: openai.OpenAI, profile: Profile) -> None:
        self._client = client
        self._profile = profile
        self._written: WeakKeyDictionary[Message, list[dict[str, Any]]] = WeakKeyDictionary()

    def ask(self, prompt: Prompt) -> Reply:
        """Return the model's next turn; see `Model.ask`."""
        request = self._request(prompt)
        with translated(openai):
            if not self._profile.stream:
                return _read(_of_answer(self._client.chat.completions.create(**request)))
            request |= {"stream": True, "stream_options": {"include_usage": True}}
            with self._client.chat.completions.create(**request) as stream:
                return _read(_of_stream(stream))

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        profile = self._profile
        # Only OpenAI's own models refuse the old name of the limit, and only others the new one.
        limit = "max_tokens" if profile.base_url else "max_completion_tokens"
        request: dict[str, Any] = {"model": profile.model, limit: profile.max_tokens}
        if profile.temperature is not None:
            request["temperature"] = profile.temperature
        if effort := _effort(profile.thinking):
            request["reasoning_effort"] = effort
        system = {"role": "system", "content": prompt.system}
        turns = [turn for message in prompt.messages for turn in self._write(message)]
        # What is long goes as it is: the SDK takes arguments apart down to the last value, each time.
        body: dict[str, Any] = {"messages": [system, *turns]}
        if prompt.tools:
            body["tools"] = [_tool(tool) for tool in prompt.tools]
        return {**request, "messages": (), "extra_body": body | dict(profile.extra)}

    def _write(self, message: Message) -> list[dict[str, Any]]:
        known = self._written.get(message)
        if known is None:
            known = self._written[message] = list(_turns(message))
        return known


def _effort(thinking: str | int | None) -> str | None:
    """Return thinking in OpenAI's words, which have no number of tokens: the effort that comes near it."""
    if isinstance(thinking, int):
        return next((effort for most, effort in _EFFORTS if thinking <= most), "high")
    return {"off": "none", "adaptive": None}.get(thinking, thinking) if thinking else None


def _turns(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "assistant":
        yield _assistant(message)
        return
    for result in message.results:
        yield {"role": "tool", "tool_call_id": result.call, "content": result.text or "(nothing)"}
    images = [image for result in message.results for image in result.images]
    if images:  # which a tool's turn cannot hold
        urls = [f"data:{image.media_type};base64,{image.base64}" for image in images]
        parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        text = [{"type": "text", "text": message.text}] if message.text else []
        yield {"role": "user", "content": [*parts, *text]}
    elif message.text:
        yield {"role": "user", "content": message.text}


def _assistant(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if message.calls:
        turn["tool_calls"] = [_call(call) for call in message.calls]
    elif not message.text:
        turn["content"] = "(nothing)"
    return turn | (dict(message.blocks or {}) if message.provider == PROVIDER else {})


def _call(call: ToolCall) -> dict[str, Any]:
    # Some servers refuse a conversation in which arguments are no JSON, also if they wrote it.
    arguments = json.dumps(dict(call.arguments or {}))
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.meaning, "parameters": dict(tool.schema)}
    return {"type": "function", "function": function}


@dataclass(slots=True, kw_only=True)
class _Calling:
    """A call as it is put together."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True, kw_only=True)
class _Answer:
    """An answer as it is put together, from one piece or from many."""

    model: str = ""
    text: str = ""
    refusal: str = ""
    finish: str | None = None
    calls: dict[int, _Calling] = field(default_factory=dict)
    reasoning: dict[str, Any] = field(default_factory=dict)
    usage: CompletionUsage | None = None

    def add(self, part: Any, calls: Iterable[tuple[int, Any]]) -> None:  # noqa: ANN401 - a message or a delta
        """Add a piece."""
        self.text += part.content or ""
        self.refusal += getattr(part, "refusal", None) or ""
        for name in _REASONING:
            value = (part.model_extra or {}).get(name)
            if value:
                self.reasoning[name] = self.reasoning[name] + value if name in self.reasoning else value
        for index, call in calls:
            calling = self.calls.setdefault(index, _Calling())
            calling.id = calling.id or call.id or ""
            if call.function is not None:
                calling.name = calling.name or call.function.name or ""
                calling.arguments += call.function.arguments or ""


def _of_answer(answer: ChatCompletion) -> _Answer:
    (choice, *_) = answer.choices
    made = _Answer(model=answer.model, finish=choice.finish_reason, usage=answer.usage)
    made.add(choice.message, enumerate(choice.message.tool_calls or ()))
    return made


def _of_stream(stream: Iterable[ChatCompletionChunk]) -> _Answer:
    made = _Answer()
    for chunk in stream:
        made.model = chunk.model or made.model
        made.usage = chunk.usage or made.usage
        for choice in chunk.choices[:1]:
            made.finish = choice.finish_reason or made.finish
            if choice.delta is not None:
                made.add(choice.delta, ((call.index, call) for call in choice.delta.tool_calls or ()))
    if made.finish is None:
        raise ValueError("it has no end")
    return made


def _read(answer: _Answer) -> Reply:
    numbered = sorted(answer.calls.items())
    # What an answer lacks that ends before its end, its last call lacks: nothing comes after calls.
    cut = numbered[-1][0] if numbered and answer.finish in _CUT else None
    calls = tuple(_read_call(number, call, is_cut=number == cut) for number, call in numbered)
    stop = _STOPS.get(answer.finish or "", "calls" if calls else "end")
    return Reply(
        message=Message(
            role="assistant",
            text=answer.text or answer.refusal,
            calls=calls,
            blocks=answer.reasoning or None,
            provider=PROVIDER,
        ),
        stop="refusal" if answer.refusal else stop,
        usage=_usage(answer.usage),
        model=answer.model,
    )


def _read_call(number: int, call: _Calling, *, is_cut: bool) -> ToolCall:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    is_whole = isinstance(arguments, dict) and not is_cut
    return ToolCall(
        id=call.id or f"call_{number}",
        name=call.name,
        arguments=arguments if is_whole else None,
        text="" if is_whole else call.arguments,
        is_cut=is_cut,
    )


def _usage(usage: CompletionUsage | None) -> Usage:
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens if details else 0) or 0
    return Usage(
        input=max(0, usage.prompt_tokens - cached), output=usage.completion_tokens, cache_read=cached
    )
