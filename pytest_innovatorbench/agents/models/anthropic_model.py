"""Models that speak Anthropic's Messages API, by the official SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anthropic

from pytest_innovatorbench.agents.models.anthropic_answers import Answer, of_message, of_stream
from pytest_innovatorbench.agents.models.failures import translated
from pytest_innovatorbench.agents.models.values import Message, Prompt, Reply, Stop, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_innovatorbench.agents.models.profile import Profile
    from pytest_innovatorbench.agents.models.values import Tool, ToolResult

PROVIDER = "anthropic"
_EPHEMERAL = {"type": "ephemeral"}
_EFFORTS = {"low", "medium", "high", "xhigh", "max"}
_STOPS: dict[str, Stop] = {
    "tool_use": "calls",
    "max_tokens": "length",
    "refusal": "refusal",
    "model_context_window_exceeded": "context",
}


class AnthropicModel:
    """A model behind the Messages API.

    Args:
        client: The SDK's client.
        profile: How the model is to be asked.
    """

    def __init__(self, client: anthropic.Anthropic, profile: Profile) -> None:
        self._client = client
        self._profile = profile
        self._written: WeakKeyDictionary[Message, dict[str, Any]] = WeakKeyDictionary()

    def ask(self, prompt: Prompt) -> Reply:
        """Return the model's next turn; see `Model.ask`."""
        request = self._request(prompt)
        with translated(anthropic):
            if self._profile.stream:
                with self._client.messages.create(stream=True, **request) as stream:
                    answer = of_stream(stream)
            else:
                # A time-out of its own, without which the SDK refuses long answers.
                answer = of_message(self._client.messages.create(timeout=self._profile.timeout, **request))
            if answer.stop is None:
                raise ValueError("it has no end")
            return _read(answer)

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        profile = self._profile
        # What is long goes as it is: the SDK takes arguments apart down to the last value, each time. Others
        # it drops if newer models have no use for them.
        body: dict[str, Any] = {"messages": self._messages(prompt.messages), **_chance(profile.temperature)}
        if prompt.tools:
            body["tools"] = [_tool(tool) for tool in prompt.tools]
        return {
            "model": profile.model,
            "max_tokens": profile.max_tokens,
            "system": [{"type": "text", "text": prompt.system, "cache_control": _EPHEMERAL}],
            "messages": (),
            **_thinking(profile.thinking),
            "extra_body": body | dict(profile.extra),
        }

    def _messages(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Write a conversation, which is cached up to its end: the next one begins with it."""
        written = [self._write(message) for message in messages]
        if written and messages[-1].blocks is None:
            *before, last = written[-1]["content"]
            written[-1] = {**written[-1], "content": [*before, {**last, "cache_control": _EPHEMERAL}]}
        return written

    def _write(self, message: Message) -> dict[str, Any]:
        known = self._written.get(message)
        if known is None:
            known = self._written[message] = {"role": message.role, "content": _content(message)}
        return known


def _content(message: Message) -> list[dict[str, Any]]:
    if message.blocks is not None and message.provider == PROVIDER:
        return list(message.blocks)
    content = [_result(result) for result in message.results]
    if message.text:
        content.append({"type": "text", "text": message.text})
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments or {})}
        for call in message.calls
    ]
    return content or [{"type": "text", "text": "(nothing)"}]


def _result(result: ToolResult) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": result.text or "(nothing)"}]
    for image in result.images:
        source = {"type": "base64", "media_type": image.media_type, "data": image.base64}
        content.append({"type": "image", "source": source})
    return {
        "type": "tool_result",
        "tool_use_id": result.call,
        "content": content,
        "is_error": result.is_error,
    }


def _tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.meaning, "input_schema": dict(tool.schema)}


def _chance(temperature: float | None) -> dict[str, Any]:
    return {} if temperature is None else {"temperature": temperature}


def _thinking(wanted: str | int | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    if wanted == "off":
        return {"thinking": {"type": "disabled"}}
    if isinstance(wanted, int):
        return {"thinking": {"type": "enabled", "budget_tokens": wanted}}
    effort = {"output_config": {"effort": wanted}} if wanted in _EFFORTS else {}
    return {"thinking": {"type": "adaptive"}, **effort}


def _read(answer: Answer) -> Reply:
    calls = answer.calls()
    text = "\n".join(block["text"] for block in answer.blocks if block["type"] == "text")
    stop = _STOPS.get(str(answer.stop), "calls" if calls else "end")
    blocks = _sendable(answer.blocks) or None
    return Reply(
        message=Message(role="assistant", text=text, calls=calls, blocks=blocks, provider=PROVIDER),
        stop=stop,
        usage=_usage(answer.usage),
        model=answer.model,
    )


def _sendable(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what of an answer can be sent back: no empty texts."""
    return [block for block in blocks if block["type"] != "text" or block["text"].strip()]


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        input=usage.get("input_tokens", 0),
        output=usage.get("output_tokens", 0),
        cache_read=usage.get("cache_read_input_tokens", 0),
        cache_write=usage.get("cache_creation_input_tokens", 0),
    )
