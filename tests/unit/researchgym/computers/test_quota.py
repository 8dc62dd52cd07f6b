"""The quota's watch by itself, over folders that grow."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.computers.quota import Watch, start_watch, stop_watch

if TYPE_CHECKING:
    from pathlib import Path

MB = 1_000_000


def test_folders_are_counted_together(tmp_path: Path) -> None:
    called: list[bool] = []
    folders = (tmp_path / "a", tmp_path / "b")
    watch = Watch(folders=folders, quota=3 * MB, exceeded=lambda: called.append(True))
    for folder in folders:
        folder.mkdir()
        assert watch.look() == 0.25
        (folder / "x").write_bytes(b"x" * 2 * MB)
    assert called == []
    assert watch.look() is None
    assert called == [True]


def test_the_next_look_is_the_later_the_more_is_free(tmp_path: Path) -> None:
    def pause(quota: int) -> float | None:
        return Watch(folders=(tmp_path,), quota=quota, exceeded=lambda: None).look()

    assert [pause(quota) for quota in (MB, 10**12)] == [0.25, 10]
    middle = pause(10**9)
    assert middle is not None
    assert 1.9 < middle <= 2


def test_a_long_count_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Whoever has many files must not keep the others' quotas from being looked at."""
    for number in range(2_000):
        (tmp_path / f"{number}").mkdir()
    (tmp_path / "0/x").write_bytes(b"x" * 20 * MB)
    called: list[bool] = []
    watch = Watch(folders=(tmp_path,) * 400, quota=30 * MB + 10**12, exceeded=lambda: called.append(True))
    pauses = []
    while (pause := watch.look()) == 2.5:
        pauses.append(pause)
    assert len(pauses) > 2
    assert pause == 10
    watch.quota = 300 * MB
    while watch.look() == 2.5:
        pass
    assert called == [True]


def test_one_thread_serves_many(tmp_path: Path) -> None:
    full = [threading.Event() for _ in range(3)]
    watches = [
        Watch(folders=(tmp_path / str(number),), quota=MB, exceeded=event.set)
        for number, event in enumerate(full)
    ]
    for watch in watches:
        watch.folders[0].mkdir()
        start_watch(watch)
    for number in (0, 2):
        (tmp_path / str(number) / "x").write_bytes(b"x" * 2 * MB)
    assert full[0].wait(10)
    assert full[2].wait(10)
    assert not full[1].is_set()
    stop_watch(watches[1])
    (tmp_path / "1/x").write_bytes(b"x" * 2 * MB)
    assert not full[1].wait(0.6)
