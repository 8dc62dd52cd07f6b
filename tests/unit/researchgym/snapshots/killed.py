"""Kills a process at every point at which it changes something in a store, and looks what is left.

Run as ``python killed.py STORE TREE ACTION``; it says how many points there were.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_innovatorbench.researchgym.snapshots import Store
from tests.unit.researchgym.snapshots.conftest import look_at

CALLS = ("write", "fsync", "rename", "replace", "unlink", "open", "mkdir", "ftruncate", "pwrite", "link")
MOST = 60


class Killer:
    """Counts calls and kills the process at one of them, half of the time after it was done."""

    def __init__(self, at: int) -> None:
        self.count = 0
        self._at = at

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **rest: Any) -> Any:
            self.count += 1
            if self.count == self._at:
                try:
                    if self._at % 2:
                        real(*args, **rest)
                finally:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **rest)

        return call

    def arm(self) -> None:
        for name in CALLS:
            setattr(os, name, self.wrap(getattr(os, name)))
        killer = self

        class Connection(sqlite3.Connection):
            def execute(self, *args: Any) -> Any:
                return killer.wrap(super().execute)(*args)

            def executemany(self, *args: Any) -> Any:
                return killer.wrap(super().executemany)(*args)

        real = sqlite3.connect
        sqlite3.connect = lambda *args, **rest: real(*args, factory=Connection, **rest)  # type: ignore[assignment]


def act(action: str, folder: Path, tree: Path) -> None:
    store = Store(folder)
    if action == "save":
        store.save(tree, payload={"large": "x" * 10_000})
    elif action == "prune":
        store.prune(lambda there: there[-1:])
    else:
        store.restore(store.list()[0].id, tree)


def in_child(body: Callable[[], None]) -> int:
    """Do something in a process of its own and return how that ended."""
    pid = os.fork()
    if not pid:
        try:
            body()
        except BaseException as problem:  # noqa: BLE001 - to be told, whatever it is
            sys.stderr.write(f"{problem!r}\n")
            os._exit(99)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def count(action: str, folder: Path, tree: Path) -> int:
    """Return how many points there are."""
    read, write = os.pipe()

    def body() -> None:
        killer = Killer(-1)
        killer.arm()
        act(action, folder, tree)
        os.close(read)
        with os.fdopen(write, "w") as out:
            out.write(str(killer.count))

    assert in_child(body) == 0
    os.close(write)
    with os.fdopen(read) as counted:
        return int(counted.read())


def prepare(place: Path, folder: Path, tree: Path) -> tuple[Path, Path]:
    """Copy a store and a tree, as they are before each trial."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place / "store")
    shutil.copytree(tree, place / "tree")
    return place / "store", place / "tree"


def main() -> None:
    folder, tree, action = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    place = folder.parent / "trial"
    wanted = {}
    for snapshot in Store(folder).list():
        Store(folder).restore(snapshot.id, place / "check")
        wanted[snapshot.id] = look_at(place / "check")
    last = Store(folder).list()[-1].id
    trial = prepare(place, folder, tree)
    points = list(range(1, count(action, *trial) + 1))
    if len(points) > MOST:
        points = sorted(random.Random(4).sample(points, MOST))  # noqa: S311 - a test's choice
    for point in points:
        store, work = prepare(place, folder, tree)

        def body(store: Path = store, work: Path = work, point: int = point) -> None:
            Killer(point).arm()
            act(action, store, work)

        assert in_child(body) == -signal.SIGKILL, (point, "was not killed")
        check(action, store, work, wanted, last)
    print(len(points))  # noqa: T201 - its output


def check(action: str, folder: Path, work: Path, wanted: dict[str, Any], last: str) -> None:
    """Hold what is left against what was there before."""
    store = Store(folder)
    there = [snapshot.id for snapshot in store.list()]
    needed = [last] if action == "prune" else list(wanted)
    assert set(needed) <= set(there), "a snapshot was lost"
    assert store.damaged() == ()
    if action == "restore":  # what was cut short can be done again, in the folder as it is
        store.restore(there[0], work)
        assert look_at(work) == wanted[there[0]]
    for name in there:
        store.restore(name, folder.parent / f"after-{name}")
        if name in wanted:
            assert look_at(folder.parent / f"after-{name}") == wanted[name]
        store.payload(name)
    again = store.save(work, payload={})
    store.restore(again.id, folder.parent / "again")
    assert look_at(folder.parent / "again") == look_at(work)
    assert not list(folder.glob("*/*.tmp")), "something unfinished was left"


if __name__ == "__main__":
    main()
