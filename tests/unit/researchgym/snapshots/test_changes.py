"""Saving while a tenant is at work, and several at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.snapshots import Store
from tests.unit.researchgym.snapshots.conftest import fill, look_at, save


@contextmanager
def meanwhile(body: Callable[[], None]) -> Iterator[None]:
    """Do something over and over until the block is over."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            body()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_files_that_come_and_go_and_change_do_no_harm(store: Store, work: Path, tmp_path: Path) -> None:
    count = 0

    def churn() -> None:
        nonlocal count
        count += 1
        (work / "part0/000.bin").write_bytes(os.urandom(count % 5000))
        (work / f"new{count % 7}").mkdir(exist_ok=True)
        (work / f"new{count % 7}/x").write_text("x")
        with suppress(OSError):
            shutil.rmtree(work / f"new{(count + 3) % 7}")
        with (work / "log").open("ab") as log:
            log.write(bytes(1000))

    with meanwhile(churn):
        made = [save(store, work) for _ in range(10)]
    assert count
    for snapshot in made:
        store.restore(snapshot.id, tmp_path / "other")
        assert {mark.reason for mark in snapshot.marks} <= {"was changed while it was read"}
        for number in range(1, 20):
            path = f"part{number % 2}/{number:03}.bin"
            assert (tmp_path / "other" / path).read_bytes() == (work / path).read_bytes()


def test_file_that_grows_faster_than_it_is_read_ends(store: Store, work: Path) -> None:
    log = work / "log"
    log.write_bytes(bytes(5 << 20))

    def grow() -> None:
        if log.stat().st_size < 200 << 20:
            with log.open("ab") as stream:
                stream.write(os.urandom(1 << 20))

    with meanwhile(grow):
        time.sleep(0.05)
        snapshot = save(store, work)
    assert [(mark.path, mark.reason) for mark in snapshot.marks] == [("log", "was changed while it was read")]


def test_folder_swapped_for_a_link_is_not_followed(store: Store, work: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not the agent's")

    def swap() -> None:
        (work / "part0").rename(work / "away")
        (work / "part0").symlink_to(outside)
        (work / "part0").unlink()
        (work / "away").rename(work / "part0")

    with meanwhile(swap):
        made = [save(store, work) for _ in range(20)]
    for snapshot in made:
        store.restore(snapshot.id, tmp_path / "other")
        assert not list((tmp_path / "other").rglob("secret"))


def test_many_threads_save_restore_and_prune_one_store(store: Store, tmp_path: Path) -> None:
    trees = [fill(tmp_path / f"tree{number}", 30) for number in range(4)]
    shared = os.urandom(100_000)
    for tree in trees:
        (tree / "shared").write_bytes(shared)

    def work_on(tree: Path) -> list[str]:
        made = []
        for number in range(6):
            (tree / "changing").write_text(f"{tree.name} {number}")
            made.append(store.save(tree, payload={"tree": tree.name}).id)
            store.restore(made[-1], tmp_path / f"other-{tree.name}")
            if number == 3:
                store.prune(lambda there: [snapshot for snapshot in there if snapshot.id != made[0]])
        return made

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(work_on, trees))
    assert len(store.list()) == 4 * 5
    for tree, names in zip(trees, made, strict=True):
        store.restore(names[-1], tmp_path / "check")
        assert look_at(tmp_path / "check") == look_at(tree)
        assert store.payload(names[-1]) == {"tree": tree.name}


def test_many_processes_save_into_one_store(store: Store, work: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from pytest_innovatorbench.researchgym.snapshots import Store\n"
        "for n in range(5):\n"
        "    Path(sys.argv[2], 'own').write_text(sys.argv[2] + str(n))\n"
        "    Store(Path(sys.argv[1])).save(Path(sys.argv[2]), payload={'n': n})\n"
    )
    trees = [Path(shutil.copytree(work, tmp_path / f"tree{number}")) for number in range(3)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(store.folder), str(tree)], stderr=subprocess.PIPE
        )
        for tree in trees
    ]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, b"")
    assert len(store.list()) == 15
    for snapshot in store.list():
        store.restore(snapshot.id, tmp_path / "other")
        assert (tmp_path / "other/own").read_text() == f"{snapshot.source}{store.payload(snapshot.id)['n']}"


@pytest.mark.parametrize("times", [1, 2])
def test_new_store_can_be_opened_by_many_at_once(tmp_path: Path, work: Path, times: int) -> None:
    folder = tmp_path / f"fresh{times}"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: save(Store(folder), work).id, range(8)))
    assert len(set(made)) == 8
    assert len(Store(folder).list()) == 8
