"""Reading what a running evaluator says until it has answered, ended or run out of time."""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from pytest_innovatorbench.sandbox.model import Child

LARGEST_MESSAGE = 2**20
LONGEST_TAIL = 64 * 2**10
_CHUNK = 2**20
_TICK = 100  # milliseconds between looks at what wakes no poll: cancellation and the end of the process


class Ending(Enum):
    """Why listening stopped."""

    ANSWERED = auto()
    ENDED = auto()
    FLOODED = auto()
    TIMED_OUT = auto()
    CANCELLED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a worker said.

    Attributes:
        ending: Why listening stopped.
        is_up: Whether the worker's interpreter got as far as saying so.
        message: Its message, where it answered.
    """

    ending: Ending
    is_up: bool
    message: bytes


class Tail:
    """The last part of a stream of any length."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def add(self, part: bytes) -> None:
        """Append to the stream."""
        self._kept += part
        if len(self._kept) > 2 * LONGEST_TAIL:
            del self._kept[:-LONGEST_TAIL]

    def __str__(self) -> str:
        return self._kept[-LONGEST_TAIL:].decode("utf-8", "backslashreplace")


class Listener:
    """Reads a worker's message and its output.

    Args:
        messages: Descriptor of the message pipe.
        output: Descriptor of the pipe that takes stdout and stderr.
    """

    def __init__(self, messages: int, output: int) -> None:
        self.tail = Tail()
        self._messages = messages
        self._said = bytearray()
        self._open = {messages, output}
        self._poll = select.poll()
        for fd in (messages, output):
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)

    def listen(self, child: Child, *, seconds: float, cancelled: threading.Event | None) -> Heard:
        """Read until there is an answer or no more hope of one.

        Args:
            child: The worker.
            seconds: How long to wait.
            cancelled: Set when nobody wants the answer any more.
        """
        deadline = time.monotonic() + seconds
        ending: Ending | None = None
        while ending is None:
            # Looked at before reading: what a process said before its end is then in the pipe.
            has_ended = child.poll() is not None
            self._read(0 if has_ended else _TICK)
            ending = self._ending(has_ended=has_ended)
            if ending is None and cancelled is not None and cancelled.is_set():
                ending = Ending.CANCELLED
            elif ending is None and time.monotonic() > deadline:
                ending = Ending.TIMED_OUT
        message, _, _ = self._said[1:].partition(b"\n")
        return Heard(ending=ending, is_up=self._said.startswith(b"\n"), message=bytes(message))

    def drain(self) -> None:
        """Read what is left in the pipes, without waiting for more."""
        for _ in self._open.copy():
            self._read(0)

    def _read(self, timeout: int) -> bool:
        ready = self._poll.poll(timeout)
        for fd, _ in ready:
            part = os.read(fd, _CHUNK)
            if not part:
                self._open.discard(fd)
                self._poll.unregister(fd)
            elif fd == self._messages:
                self._said += part
            else:
                self.tail.add(part)
        return bool(ready)

    def _ending(self, *, has_ended: bool) -> Ending | None:
        if self._said.find(b"\n", 1) > 0:
            return Ending.ANSWERED
        if len(self._said) > LARGEST_MESSAGE:
            return Ending.FLOODED
        return Ending.ENDED if has_ended or self._messages not in self._open else None
