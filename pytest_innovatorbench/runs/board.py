"""What the attempts of a run are doing right now, for whoever shows it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One running attempt.

    Attributes:
        attempt: Its id.
        since: Monotonic time of its start, in seconds.
        what: What it does at the moment.
        evals: Evaluations so far.
        last_score: Score of the last one.
    """

    attempt: str
    since: float
    what: str = "starting"
    evals: int = 0
    last_score: float | None = None


class Board:
    """Keeps what runs; safe to use from every thread.

    Attributes:
        hear: Told of every change worth a line of its own: attempt, kind (``note`` or
            ``evaluated``) and text. It is called in the attempt's thread.
    """

    def __init__(self) -> None:
        self.hear: Callable[[str, str, str], None] = lambda *_: None
        self._running: dict[str, Doing] = {}
        self._lock = threading.Lock()

    def running(self) -> list[Doing]:
        """Return what runs now, the longest first."""
        with self._lock:
            return sorted(self._running.values(), key=lambda doing: doing.since)

    def begin(self, attempt: str) -> None:
        """Note that an attempt starts."""
        with self._lock:
            self._running[attempt] = Doing(attempt=attempt, since=time.monotonic())

    def tell(self, attempt: str, what: str) -> None:
        """Note what an attempt does now."""
        self._change(attempt, what=what)

    def announce(self, attempt: str, what: str) -> None:
        """Note what an attempt does now, where it may take long and deserves a line."""
        self._change(attempt, what=what)
        self.hear(attempt, "note", what)

    def scored(self, attempt: str, evals: int, score: float | None) -> None:
        """Note an evaluation."""
        self._change(attempt, evals=evals, last_score=score)
        self.hear(attempt, "evaluated", "no score" if score is None else f"{score:.1f}")

    def end(self, attempt: str) -> None:
        """Note that an attempt is over."""
        with self._lock:
            self._running.pop(attempt, None)

    def _change(self, attempt: str, **changes: Any) -> None:  # noqa: ANN401 - fields of Doing
        with self._lock:
            if attempt in self._running:
                self._running[attempt] = replace(self._running[attempt], **changes)
