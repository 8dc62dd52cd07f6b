"""The record of a conversation: enough to rebuild every prompt, without writing any twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from pytest_innovatorbench.agents.models.secrets import redact_values
from pytest_innovatorbench.agents.models.values import Message, Prompt, Tool

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.models.values import Reply


class Note(Protocol):
    """Takes events."""

    def __call__(self, kind: str, /, **data: Any) -> None:  # noqa: ANN401 - plain JSON values
        """Write an event."""


class Transcript:
    """Writes a conversation as events.

    ``prompt_head`` has system prompt, tools and parameters, ``message`` each turn once, with a number, and
    ``model_asked`` the numbers of the turns that a prompt is made of, as runs ``[first, last]``. Turns go
    into the window one after the other, but for those ``aside``; ``window`` says what is left in it.

    Args:
        note: Takes the events.
        count: Turns that were written earlier in the same record.

    Attributes:
        count: Turns written so far.
    """

    def __init__(self, note: Note, count: int = 0) -> None:
        self.count = count
        self._note = note

    def head(self, system: str, tools: Sequence[Tool], parameters: Mapping[str, Any]) -> None:
        """Write what every prompt begins with, and how the model is asked."""
        offered = [tool.to_dict() for tool in tools]
        self._note("prompt_head", system=system, tools=offered, parameters=redact_values(dict(parameters)))

    def message(self, message: Message, *, aside: bool = False) -> int:
        """Write a turn, ``aside`` if it does not stay, and return its number."""
        self._note("message", number=self.count, aside=aside, **message.to_dict())
        self.count += 1
        return self.count - 1

    def asked(self, purpose: str, numbers: Sequence[int]) -> None:
        """Write which turns are sent, and what for."""
        self._note("model_asked", purpose=purpose, messages=list(_runs(numbers)))

    def window(self, numbers: Sequence[int]) -> None:
        """Write which turns are left in the window."""
        self._note("window", messages=list(_runs(numbers)))

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
        if event["kind"] == "prompt_head":
            system, tools = event["system"], tuple(Tool(**tool) for tool in event["tools"])
        elif event["kind"] == "message":
            messages[event["number"]] = _message(event)
        elif event["kind"] == "model_asked":
            turns = tuple(messages[number] for number in _numbers(event["messages"]))
            yield Prompt(system=system, tools=tools, messages=turns)


def last_window(events: Iterable[Mapping[str, Any]]) -> tuple[list[Message], int]:
    """Return the turns that were in the window at the end of a record, and how many it has in all."""
    window: dict[int, Message] = {}
    count = 0
    for event in events:
        if event["kind"] == "message":
            count = event["number"] + 1
            if not event["aside"]:
                window[event["number"]] = _message(event)
        elif event["kind"] == "window":
            window = {number: window[number] for number in _numbers(event["messages"])}
    return list(window.values()), count


def _message(event: Mapping[str, Any]) -> Message:
    return Message.from_dict({key: event[key] for key in Message.__dataclass_fields__})


def _numbers(runs: Iterable[Sequence[int]]) -> Iterator[int]:
    return (number for first, last in runs for number in range(first, last + 1))


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
