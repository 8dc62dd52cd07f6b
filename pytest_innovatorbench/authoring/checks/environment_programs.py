"""Running a program of a task's author to its end, in a sandbox."""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.trials import StoppedError
from pytest_innovatorbench.evaluation.listening import Tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.runs.stop import Stop
    from pytest_innovatorbench.sandbox.model import Child, Jail, Sandbox

_CHUNK = 2**16
_TICK = 100  # milliseconds between looks at whether it has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Its exit status; ``None`` if it ran out of time.
        output: The end of what it printed, on both streams.
        lacked_memory: Whether the kernel ended it for want of memory.
    """

    status: int | None
    output: str
    lacked_memory: bool = False


def run(sandbox: Sandbox, jail: Jail, argv: Sequence[str], seconds: float, stop: Stop) -> Ended:
    """Run a program and everything it starts until its end, or until the time is up.

    Args:
        sandbox: What confines it.
        jail: What it may see and use.
        argv: Program and arguments, as spelt inside.
        seconds: How long it may take.
        stop: Ends it when nobody wants to know any more.

    Raises:
        MachineFaultError: The sandbox could not be set up.
        StoppedError: Nobody wants to know any more.
    """
    out, into = os.pipe()
    try:
        try:
            child = sandbox.spawn(jail, argv, stdout=into, stderr=into)
        finally:
            os.close(into)
        try:
            return _listen(child, out, seconds, stop)
        finally:
            child.kill()
    finally:
        os.close(out)


def _listen(child: Child, out: int, seconds: float, stop: Stop) -> Ended:
    tail = Tail()
    poll = select.poll()
    poll.register(out, select.POLLIN)
    deadline = time.monotonic() + seconds
    is_open = True
    while time.monotonic() < deadline:
        if stop.asked:
            raise StoppedError
        status = child.poll()  # before reading: what it said before its end is then in the pipe
        while is_open and poll.poll(0 if status is not None else _TICK):
            part = os.read(out, _CHUNK)
            is_open = bool(part)
            tail.add(part)
            if time.monotonic() > deadline or stop.asked:
                break
        if status is None and not is_open:
            time.sleep(_TICK / 1000)
        if status is not None:
            return Ended(status=status, output=str(tail), lacked_memory=child.out_of_memory())
    return Ended(status=None, output=str(tail))
