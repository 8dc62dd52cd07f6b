"""What wakes an agent that sleeps."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

ANY, NONE = "any", "none"


class Alarm:
    """Ends a sleep early: when a command ends, or when it is rung.

    Between `begin` and `sleep` the caller finds out what runs, so that no end is missed, and none that
    was earlier is taken for news.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ended: list[str] = []
        self._rung: str | None = None

    def begin(self) -> None:
        """Forget what ended so far."""
        with self._changed:
            self._ended.clear()

    def job_ended(self, session: str) -> None:
        """Take note that the command of a session has ended."""
        with self._changed:
            self._ended.append(session)
            self._changed.notify_all()

    def ring(self, reason: str) -> None:
        """End the sleep of now, or the next, with a reason."""
        with self._changed:
            self._rung = reason
            self._changed.notify_all()

    def hush(self, reason: str) -> None:
        """Take a ring back whose reason is known by now."""
        with self._changed:
            if self._rung == reason:
                self._rung = None

    def sleep(self, seconds: float, until: str, busy: Collection[str]) -> str | None:
        """Wait.

        Args:
            seconds: How long at most.
            until: The session whose command is waited for, ``any`` or ``none``.
            busy: Sessions in which a command runs.

        Returns:
            Why it ended early, or ``None`` if it did not.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            if until not in {ANY, NONE, *busy, *self._ended}:
                return f"no command runs in session {until!r}"
            while (reason := self._reason(until)) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None
            return reason

    def _reason(self, until: str) -> str | None:
        if self._rung is not None:
            reason, self._rung = self._rung, None
            return reason
        ended = [session for session in self._ended if until in {ANY, session}]
        if ended:
            self._ended.clear()
            return f"the command in session {ended[0]!r} ended"
        return None
