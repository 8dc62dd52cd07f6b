"""The events of an attempt: append-only JSON lines, written when they happen."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

EVENTS_FILE = "events.jsonl"


class EventLog:
    """Writes the events of one attempt.

    An event is flushed to the operating system before the call returns, so that it outlives the
    process, whatever ends it.

    Args:
        file: Where they go; it must not exist yet, unless the log goes on.
        worked: Seconds of working time that were used up before.
        goes_on: Whether to add to the events that are there.
    """

    def __init__(self, file: Path, *, worked: float = 0.0, goes_on: bool = False) -> None:
        if goes_on:
            _drop_cut_line(file)
        self._file = file.open("a" if goes_on else "x", encoding="utf-8", errors="backslashreplace")
        self._lock = threading.Lock()
        self._start: float | None = None
        self._worked = worked
        self._stopped: float | None = None
        self._paused: float | None = None

    def __call__(self, kind: str, /, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - plain JSON values
        """Write an event; an attempt that is over takes no more.

        Returns:
            The event: ``kind``, ``t`` in seconds of working time, and the data.
        """
        event = {"kind": kind, "t": round(self.seconds(), 6), **data}
        line = json.dumps(event, allow_nan=False, separators=(",", ":")) + "\n"
        with self._lock:
            if not self._file.closed:
                self._file.write(line)
                self._file.flush()
        return event

    def start_clock(self) -> None:
        """Begin to count working time, or go on with it."""
        self._start = time.monotonic() - self._worked

    def stop_clock(self) -> None:
        """Stop counting working time."""
        if self._stopped is None:
            self._stopped = self.seconds()

    def forget_time(self) -> None:
        """Count none of the time so far, as where nobody came to work."""
        self._stopped = self._worked

    @contextlib.contextmanager
    def paused(self, since: float | None = None) -> Iterator[None]:
        """Count no working time while the context lasts, as when nobody could work; not to be nested.

        Args:
            since: Count none from this moment on, which has passed, by ``time.monotonic``.
        """
        began = self._paused = time.monotonic() if since is None else since
        try:
            yield
        finally:
            self._paused = None
            if self._start is not None:
                self._start += time.monotonic() - began

    def seconds(self) -> float:
        """Working time so far, in seconds."""
        if self._stopped is not None:
            return self._stopped
        if self._start is None:
            return self._worked
        paused = self._paused
        return (time.monotonic() if paused is None else paused) - self._start

    def close(self) -> None:
        """Take no more events."""
        with self._lock:
            self._file.close()


def _drop_cut_line(file: Path) -> None:
    """Remove what a killed process wrote of its last event, so that the next one has a line of its own."""
    if file.exists():
        with file.open("r+b") as data:
            data.truncate(data.read().rfind(b"\n") + 1)


def read_events(file: Path) -> Iterator[dict[str, Any]]:
    """Read the events of an attempt, also of one that is still running or was killed.

    Raises:
        RecordError: A line other than the last, which may be cut, is no event.
    """
    pending: tuple[int, str] | None = None
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if pending:
                yield _event(file, *pending)
            pending = (number, line)
    if pending and pending[1].endswith("\n"):
        yield _event(file, *pending)


def worked_until(events: Sequence[Mapping[str, Any]]) -> float:
    """Return the working time at the end of a record, in seconds; what was given back before is not in it."""
    return float(events[-1]["t"]) if events else 0.0


def _event(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "kind" not in event:
        raise RecordError(f"{file}, line {number}: is no event", remedy="the record is damaged; leave it out")
    return event
