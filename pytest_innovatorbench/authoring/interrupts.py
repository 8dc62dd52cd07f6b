"""Interrupts that leave nothing half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The process was asked to end.

    Attributes:
        number: The signal that asked.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Signals that ask the process to end: the first raises, and later ones leave the clearing up alone."""

    def __init__(self) -> None:
        self._caught: int | None = None
        self._held = False

    def hold(self) -> None:
        """Raise no more from here on, but remember."""
        self._held = True

    def check(self) -> None:
        """Raise what came since :meth:`hold`.

        Raises:
            Interrupted: A signal came.
        """
        if self._caught is not None:
            raise Interrupted(self._caught)

    def receive(self, number: int, _: FrameType | None) -> None:
        """Raise at the first signal, unless held."""
        if self._caught is None:
            self._caught = number
            if not self._held:
                self._held = True
                raise Interrupted(number)


@contextmanager
def interruptible() -> Iterator[Interrupts]:
    """Let signals that ask the process to end raise :class:`Interrupted`, except those it ignores."""
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, interrupts.receive)
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
