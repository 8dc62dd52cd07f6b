"""One thread that looks after the disk quotas of all computers of this process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from pytest_innovatorbench.sandbox.disk import held_sizes, sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SHORTEST, _LONGEST = 0.25, 10.0
_FASTEST = 500e6  # bytes written per second at most, roughly
_SHARE = 10  # looks may take a tenth of the time
_PATIENCE = 0.25  # seconds after which a look makes way for those at other folders


def _no_process() -> int | None:
    return None


@dataclass(slots=True, kw_only=True, eq=False)
class Watch:
    """Folders that may not grow beyond a size.

    Attributes:
        folders: The folders, counted together.
        quota: Bytes.
        exceeded: Called once when they did; must return soon.
        init: Returns the init process of the sandbox that writes there, if one runs: files that its
            processes hold open count even if they have no name any more.
    """

    folders: tuple[Path, ...]
    quota: int
    exceeded: Callable[[], None]
    init: Callable[[], int | None] = _no_process
    _count: Iterator[int] | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def look(self) -> float | None:
        """Count for a while; return the seconds until the next look, ``None`` if there is too much.

        A long count goes on at the next look where it stopped.
        """
        began = time.monotonic()
        if self._count is None:
            self._count, self._used = self._begin(), 0
        for size in self._count:
            self._used += size
            if self._used > self.quota:
                self.exceeded()
                return None
            if time.monotonic() - began > _PATIENCE:
                return _PATIENCE * _SHARE
        self._count = None
        until_full = (self.quota - self._used) / _FASTEST
        cost = time.monotonic() - began
        return min(max(until_full, cost * _SHARE, _SHORTEST), _LONGEST)

    def _begin(self) -> Iterator[int]:
        """What has no name comes first, lest a file that loses its own meanwhile count twice."""
        init = self.init()
        held = () if init is None else held_sizes(init, self.folders)
        return chain(held, *map(sizes, self.folders))


class _Watcher:
    """The thread and what it looks after."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Watch, float] = {}
        self._has_thread = False

    def add(self, watch: Watch) -> None:
        with self._changed:
            self._due[watch] = time.monotonic() + _SHORTEST
            if not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._serve, name="ibench-quota", daemon=True).start()
            self._changed.notify()

    def remove(self, watch: Watch) -> None:
        with self._changed:
            self._due.pop(watch, None)

    def _serve(self) -> None:
        while True:
            watch = self._next()
            pause = watch.look()
            with self._changed:
                if pause is None:
                    self._due.pop(watch, None)
                elif watch in self._due:
                    self._due[watch] = time.monotonic() + pause

    def _next(self) -> Watch:
        """Wait until a look is due."""
        with self._changed:
            while True:
                watch = min(self._due, key=self._due.__getitem__, default=None)
                if watch is None:
                    self._changed.wait()
                    continue
                pause = self._due[watch] - time.monotonic()
                if pause <= 0:
                    return watch
                self._changed.wait(pause)


_watcher = _Watcher()


def start_watch(watch: Watch) -> None:
    """Begin to look after a quota."""
    _watcher.add(watch)


def stop_watch(watch: Watch) -> None:
    """Look no more."""
    _watcher.remove(watch)
