"""Asking attempts to stop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stop:
    """A request to stop that attempts hear at once, in two degrees.

    Attributes:
        now: Set when not even final evaluations are to be waited for.
    """

    def __init__(self) -> None:
        self.now = threading.Event()
        self._asked = False
        self._listeners: dict[int, Callable[[], None]] = {}
        self._lock = threading.Lock()

    @property
    def asked(self) -> bool:
        """Whether attempts were asked to stop."""
        return self._asked

    def ask(self) -> None:
        """Ask every attempt to stop; each still gets its final evaluation."""
        with self._lock:
            self._asked = True
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener()

    def insist(self) -> None:
        """Ask every attempt to stop without a final evaluation."""
        self.now.set()
        self.ask()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` when attempts are asked to stop, at once if they were.

        Returns:
            Call it to listen no more.
        """
        with self._lock:
            key = id(listener)
            self._listeners[key] = listener
            asked = self._asked
        if asked:
            listener()
        return lambda: self._forget(key)

    def _forget(self, key: int) -> None:
        with self._lock:
            self._listeners.pop(key, None)
