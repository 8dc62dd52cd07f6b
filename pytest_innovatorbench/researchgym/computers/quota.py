"""One thread that looks after the disk quotas of all computers of this process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.sandbox.trees import usage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SHORTEST, _LONGEST = 0.25, 10.0
_FASTEST = 500e6  # bytes written per second at most, roughly
_SHARE = 20  # a look may take a 20th of the time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """Folders that may not grow beyond a size.

    Attributes:
        folders: The folders, counted together.
        quota: Bytes.
        exceeded: Called once when they did; must return soon.
    """

    folders: tuple[Path, ...]
    quota: int
    exceeded: Callable[[], None]

    def look(self) -> float | None:
        """Measure; return the seconds until the next look, ``None`` if the quota was exceeded."""
        began = time.monotonic()
        used = 0
        for folder in self.folders:
            used += usage(folder, self.quota - used)
            if used > self.quota:
                self.exceeded()
                return None
        until_full = (self.quota - used) / _FASTEST
        cost = time.monotonic() - began
        return min(max(until_full, cost * _SHARE, _SHORTEST), max(_LONGEST, cost * _SHARE))


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
