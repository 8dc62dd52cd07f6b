"""Running many attempts at once in one process of pytest.

The bodies run ahead in daemon threads; the main thread takes each finished one and replays pytest's
ordinary protocol for its item, so that every other plug-in sees one test after another.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Generator
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import pytest

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.plugin.inline import PATIENCE, outcome_of
from pytest_innovatorbench.plugin.items import AttemptItem
from pytest_innovatorbench.plugin.live import Live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.runs.model import AttemptResult
    from pytest_innovatorbench.runs.plan import AttemptSpec

# No outcome: the attempt could not begin, and the item itself says why.
Finished: TypeAlias = "tuple[AttemptItem, AttemptResult | BaseException | None]"

# Seconds between the starts of attempts that begin at once: less than it takes to evaluate one. They come to
# their agents in order instead of all at last, and need not wait for each other at their ends.
_APART = 0.01 / (os.cpu_count() or 1)
_MARKS_THAT_DECIDE = ("skip", "skipif", "xfail")


class RunLoop:
    """Takes over pytest's loop where attempts can run ahead.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run all items; attempts ahead in threads, the others first and one by one."""
        ahead = [item for item in session.items if isinstance(item, AttemptItem) and _runs_ahead(item)]
        if not ahead or _stands_aside(session):
            return None
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            raise session.Interrupted(f"{session.testsfailed} error(s) during collection")
        chosen = set(ahead)
        _run_serially(session, [item for item in session.items if item not in chosen])
        _Ahead(session, self._run, ahead).run()
        return True


class Termination:
    """Turns SIGTERM, which batch systems send and pytest passes over, into an orderly stop."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Raise ``KeyboardInterrupt`` in the main thread on SIGTERM, as long as items run."""
        if threading.current_thread() is not threading.main_thread():
            return (yield)
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            return (yield)
        finally:
            signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("SIGTERM")


def _stands_aside(session: pytest.Session) -> bool:
    config = session.config
    option = config.option
    return (
        option.collectonly
        or getattr(option, "setuponly", False)
        or getattr(option, "setupplan", False)
        or getattr(option, "usepdb", False)
        or hasattr(config, "workerinput")
        or config.pluginmanager.has_plugin("dsession")
    )


def _runs_ahead(item: AttemptItem) -> bool:
    return not any(item.get_closest_marker(name) for name in _MARKS_THAT_DECIDE)


def _run_serially(session: pytest.Session, items: Sequence[pytest.Item]) -> None:
    for index, item in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        _replay(session, item, following)


def _replay(session: pytest.Session, item: pytest.Item, following: pytest.Item | None = None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


class _Ahead:
    """Attempts that run ahead of their reports."""

    def __init__(self, session: pytest.Session, run: Run, items: Sequence[AttemptItem]) -> None:
        self._session = session
        self._run = run
        self._items = items
        self._waiting: SimpleQueue[tuple[AttemptItem, AttemptSpec]] = SimpleQueue()
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._workers: list[threading.Thread] = []
        # An attempt begins only when one is reported: -x must not find others begun behind it.
        self._places = threading.Semaphore(run.settings.concurrency)

    def run(self) -> None:
        """Run them all and report each when it has finished.

        Raises:
            KeyboardInterrupt: The run was interrupted; what had begun was drained and reported.
            Exception: pytest was told to stop, as by ``-x``; the same holds.
        """
        live = Live(self._session.config, self._run.board, len(self._items))
        gc.freeze()  # what is there by now stays: looking through it again and again costs a tenth
        left = len(self._items)
        try:
            self._start()
            while left:
                item, outcome = self._next(live)
                left -= 1
                live.finished()
                item.take(outcome)
                _replay(self._session, item)
                self._places.release()
        except BaseException:
            self._drain(live)
            raise
        finally:
            gc.unfreeze()
            live.close()

    def _start(self) -> None:
        for item in self._items:
            try:
                spec = item.plan()
            except UserError:  # the item itself says so
                spec = None
            if spec is None:
                self._finished.put((item, None))
            else:
                self._waiting.put((item, spec))
        # Daemons: a pool would be joined at exit and hold up Ctrl-C by the longest attempt.
        for number in range(min(self._run.settings.concurrency, self._waiting.qsize())):
            if number:
                time.sleep(_APART)
            worker = threading.Thread(target=self._work, daemon=True, name="ibench-worker")
            self._workers.append(worker)
            worker.start()

    def _work(self) -> None:
        while True:
            self._places.acquire()
            if self._run.stop.asked:
                return
            try:
                item, spec = self._waiting.get_nowait()
            except Empty:
                return
            self._finished.put((item, outcome_of(spec, self._run)))

    def _next(self, live: Live) -> Finished:
        while True:
            try:
                return self._finished.get(timeout=live.interval)
            except Empty:
                live.refresh()

    def _drain(self, live: Live) -> None:
        """Let what has begun end in order, for a bounded time, and report it."""
        self._run.stop.ask()
        self._places.release(len(self._workers))
        live.announce("stopping: attempts under way get their final evaluation")
        try:
            self._report_until(time.monotonic() + PATIENCE, live)
        except KeyboardInterrupt:
            self._run.stop.insist()
            self._report_until(time.monotonic() + 1, live)
        else:
            self._run.stop.insist()

    def _report_until(self, deadline: float, live: Live) -> None:
        while any(worker.is_alive() for worker in self._workers) or not self._finished.empty():
            try:
                item, outcome = self._finished.get(timeout=min(0.2, max(0.0, deadline - time.monotonic())))
            except Empty:
                if time.monotonic() >= deadline:
                    return
                continue
            live.finished()
            item.take(outcome)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
