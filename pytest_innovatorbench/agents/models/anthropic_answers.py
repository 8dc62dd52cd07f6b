"""Answers of Anthropic's Messages API, put together from one piece or from many.

The SDK would do so as well, but it takes what a cut call has of its arguments for all of them, and broken
arguments for a broken connection.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.models.values import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anthropic.types import Message as Whole
    from anthropic.types import RawContentBlockDeltaEvent, RawMessageStreamEvent

# Deltas whose pieces are strung together: the field of the piece, and that of the block.
_PIECES = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input"),
}


@dataclass(slots=True, kw_only=True)
class Answer:
    """An answer as it came.

    Attributes:
        model: The model that says it answered.
        stop: Why it stopped, in Anthropic's words; ``None`` until it has.
        blocks: Its content, in order.
        inputs: Arguments of calls as the model wrote them, by the number of the block.
        usage: Tokens, in Anthropic's words.
    """

    model: str = ""
    stop: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    inputs: dict[int, str] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)

    def calls(self) -> tuple[ToolCall, ...]:
        """Return its calls; the arguments of one that was cut or is broken are ``None``."""
        return tuple(
            self._call(number, block)
            for number, block in enumerate(self.blocks)
            if block["type"] == "tool_use"
        )

    def _call(self, number: int, block: dict[str, Any]) -> ToolCall:
        text = self.inputs.get(number, "")
        arguments = _parsed(text) if text else block["input"]
        is_cut = self.stop not in {"tool_use", "end_turn"} and number == len(self.blocks) - 1
        is_whole = isinstance(arguments, dict) and not is_cut
        return ToolCall(
            id=block["id"],
            name=block["name"],
            arguments=arguments if is_whole else None,
            text="" if is_whole else text or json.dumps(arguments),
            is_cut=is_cut,
        )


def of_message(message: Whole) -> Answer:
    """Return an answer that came in one piece."""
    return Answer(
        model=message.model,
        stop=message.stop_reason,
        blocks=[_plain(block) for block in message.content],
        usage=_plain(message.usage),
    )


def of_stream(events: Iterable[RawMessageStreamEvent]) -> Answer:
    """Return an answer that comes in many pieces, when the last one is there."""
    made = Answer()
    pieces: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for event in events:
        if event.type == "message_start":
            made.model, made.usage = event.message.model, _plain(event.message.usage)
        elif event.type == "content_block_start":
            made.blocks.append(_plain(event.content_block))
        elif event.type == "content_block_delta":
            _take(event, made, pieces)
        elif event.type == "message_delta":
            made.stop = event.delta.stop_reason
            made.usage |= _plain(event.usage)
    for (number, name), texts in pieces.items():
        _put(made, number, name, "".join(texts))
    return made


def _take(
    event: RawContentBlockDeltaEvent, made: Answer, pieces: defaultdict[tuple[int, str], list[str]]
) -> None:
    delta = _plain(event.delta)
    if delta["type"] == "citations_delta":
        made.blocks[event.index].setdefault("citations", []).append(delta["citation"])
    elif names := _PIECES.get(delta["type"]):
        pieces[event.index, names[1]].append(delta[names[0]])


def _put(made: Answer, number: int, name: str, text: str) -> None:
    block = made.blocks[number]
    if name != "input":
        block[name] = block.get(name, "") + text
        return
    made.inputs[number] = text
    arguments = _parsed(text)
    block["input"] = arguments if isinstance(arguments, dict) else {}  # it is sent back, as an object


def _parsed(text: str) -> Any:  # noqa: ANN401 - whatever a model wrote
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _plain(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the SDK read
    found: dict[str, Any] = value.model_dump(mode="json", exclude_none=True)
    return found
