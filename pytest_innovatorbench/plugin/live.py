"""Showing long work while it goes on: a status line on a terminal, plain lines elsewhere.

Everything is written by the main thread, between the reports of pytest.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.progress import (
    EventKind,
    Progress,
    ProgressEvent,
    RunningAttempt,
    plain_line,
    status_line,
)

if TYPE_CHECKING:
    import pytest

    from pytest_innovatorbench.runs.board import Board, Doing

_CLEAR = "\r\x1b[2K"
_TERMINAL_SECONDS = 0.5
_PLAIN_SECONDS = 2.0
# Attempts shorter than this need no word about them; pytest reports them soon enough.
_QUIET_SECONDS = 20.0
_HEARTBEAT_SECONDS = 60.0


class Live:
    """The display of one run.

    Args:
        config: pytest's.
        board: What the attempts are doing.
        total: Attempts that there are.
    """

    def __init__(self, config: pytest.Config, board: Board, total: int) -> None:
        reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
        self._reporter = reporter
        self._writer = config.get_terminal_writer()
        self._board = board
        self._total = total
        self._done = 0
        self._drawn = False
        self._spoke = time.monotonic()
        self._events: SimpleQueue[tuple[str, str, str]] = SimpleQueue()
        self._silent = self._reporter is None or config.get_verbosity() < 0
        self._terminal = self._writer.hasmarkup and getattr(self._reporter, "isatty", False)
        self.interval = _TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS
        board.hear = lambda *event: self._events.put(event)

    def refresh(self) -> None:
        """Show how things stand."""
        if self._silent:
            return
        self._tell_events()
        if self._terminal:
            self._draw()
        elif time.monotonic() - self._spoke > _HEARTBEAT_SECONDS:
            self._beat()

    def finished(self) -> None:
        """Count a finished attempt and make room for its report."""
        self._done += 1
        if not self._silent:
            self._tell_events()
        self._erase()

    def announce(self, text: str) -> None:
        """Write a line of its own."""
        if not self._silent:
            self._say(text)

    def close(self) -> None:
        """Leave the terminal clean."""
        self._erase()

    def _tell_events(self) -> None:
        running = {doing.attempt: doing for doing in self._board.running()}
        while True:
            try:
                attempt, kind, text = self._events.get_nowait()
            except Empty:
                return
            doing = running.get(attempt)
            if kind == "note":
                self._say(f"{attempt}: {text}")
            elif doing and not self._terminal and time.monotonic() - doing.since >= _QUIET_SECONDS:
                self._say(self._line("evaluated", doing))

    def _beat(self) -> None:
        for doing in self._board.running():
            self._say(self._line("running", doing))

    def _line(self, kind: EventKind, doing: Doing) -> str:
        event = ProgressEvent(
            kind=kind,
            attempt=doing.attempt,
            done=self._done,
            total=self._total,
            seconds=time.monotonic() - doing.since,
            evals=doing.evals,
            score=doing.last_score,
            detail=doing.what if kind == "running" else "",
        )
        return plain_line(event)

    def _say(self, text: str) -> None:
        self._erase()
        if self._reporter:
            self._reporter.ensure_newline()
            self._reporter.write_line(text)
        self._spoke = time.monotonic()

    def _draw(self) -> None:
        moment = time.monotonic()
        running = tuple(
            RunningAttempt(
                attempt=doing.attempt,
                seconds=moment - doing.since,
                evals=doing.evals,
                last_score=doing.last_score,
                doing=doing.what,
            )
            for doing in self._board.running()
        )
        if not self._drawn and self._reporter:
            self._reporter.ensure_newline()
        width = self._writer.fullwidth - 1
        line = status_line(Progress(done=self._done, total=self._total, running=running), width)
        self._writer.write(_CLEAR + line, flush=True)
        self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._writer.write(_CLEAR, flush=True)
            self._drawn = False
