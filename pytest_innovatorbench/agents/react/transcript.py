"""The record of a conversation: enough to rebuild every prompt, without writing any twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from pytest_innovatorbench.agents.models.values import Message, Prompt, Tool

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.models.values import Reply


class Note(Protocol):
    """Takes events."""

    def __call__(self, kind: str, /, **data: Any) -> None:  # noqa: ANN401 - plain JSON values
        """Write an event."""


class Transcript:
    """Writes a conversation as events.

    ``prompt_head`` has system prompt and tools, ``message`` each turn once, with a number, and
    ``model_asked`` the numbers of the turns that a prompt is made of, as runs ``[first, last]``.

    Args:
        note: Takes the events.
        count: Turns that were written earlier in the same record.

    Attributes:
        count: Turns written so far.
    """

    def __init__(self, note: Note, count: int = 0) -> None:
        self.count = count
        self._note = note

    def head(self, system: str, tools: Sequence[Tool]) -> None:
        """Write what every prompt begins with."""
        self._note("prompt_head", system=system, tools=[asdict(tool) for tool in tools])

    def message(self, message: Message) -> int:
        """Write a turn and return its number."""
        self._note("message", number=self.count, **message.to_dict())
        self.count += 1
        return self.count - 1

    def asked(self, purpose: str, numbers: Sequence[int]) -> None:
        """Write which turns are sent, and what for."""
        self._note("model_asked", purpose=purpose, messages=list(_runs(numbers)))

    def answered(self, reply: Reply, seconds: float, cost: float | None) -> None:
        """Write what an answer took; its turn is written by itself."""
        self._note(
            "model_answered",
            model=reply.model,
            stop=reply.stop,
            seconds=round(seconds, 3),
            cost=cost,
            **asdict(reply.usage),
        )


def prompts(events: Iterable[Mapping[str, Any]]) -> Iterator[Prompt]:
    """Rebuild every prompt that was sent, from the events of an attempt alone."""
    system = ""
    tools: tuple[Tool, ...] = ()
    messages: dict[int, Message] = {}
    for event in events:
        values = {key: value for key, value in event.items() if key not in {"kind", "t", "number"}}
        if event["kind"] == "prompt_head":
            system, tools = event["system"], tuple(Tool(**tool) for tool in event["tools"])
        elif event["kind"] == "message":
            messages[event["number"]] = Message.from_dict(values)
        elif event["kind"] == "model_asked":
            numbers = [n for first, last in event["messages"] for n in range(first, last + 1)]
            yield Prompt(system=system, tools=tools, messages=tuple(messages[number] for number in numbers))


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for number in numbers:
        if run and number == run[1] + 1:
            run[1] = number
            continue
        if run:
            yield run
        run = [number, number]
    if run:
        yield run
