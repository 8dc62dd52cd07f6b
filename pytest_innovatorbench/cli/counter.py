"""One line on a terminal that says how far a validation is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self, TextIO

from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_innovatorbench.authoring.model import Rule

_CLEAR = "\r\x1b[K"
_WIDTH = 78


class Counter:
    """Shows what is being done, and takes it back at the end; silent where nobody watches.

    Args:
        stream: Where to.
        total: How many tasks there are.
    """

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._shown = stream.isatty()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write("")
        self._shown = False

    def watch(self, task_id: str, rule: Rule | None) -> None:
        """Say which rule is checked; with none, that the task is done."""
        with self._lock:
            self._done += rule is None
            doing = f" {rule.code} {rule.name}" if rule else ""
            self._write(f"{self._done}/{self._total} tasks: {one_line(task_id, 40)}{doing}"[:_WIDTH])

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(_CLEAR + text)
            self._stream.flush()
