"""A new task is made whole or not at all."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.authoring.interrupts import Interrupted, Interrupts, interruptible
from tests.unit.authoring.test_scaffold import ROOT, Author, author  # noqa: F401 - a fixture

PROGRAM = Path(__file__).with_name("scaffold_faults.py")
BEFORE = ["gym", "gym/other", "gym/other/notes.txt"]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    (tmp_path / "given/gym/other").mkdir(parents=True)
    (tmp_path / "given/gym/other/notes.txt").write_text("mine")
    return tmp_path / "given"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "starter"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/code.py").write_text("pass\n")
    (folder / "run.sh").write_text("true\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link.py").symlink_to("lib/code.py")
    return folder


def broken_runs(fault: str, given: Path, repository: Path) -> list[Any]:
    done = subprocess.run(
        [sys.executable, PROGRAM, fault, given, "my_task", "--repository", repository],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    runs: list[Any] = json.loads(done.stdout)
    assert len(runs) > 25
    return runs


def test_a_signal_at_any_change_leaves_all_or_nothing(given: Path, repository: Path) -> None:
    *broken, (_, code, whole) = broken_runs("signal", given, repository)
    assert code == 0
    assert "tests/test_my_task.py" in whole
    assert "gym/my_task/task/repositories/starter/link.py" in whole
    stopped = [(number, left) for number, code, left in broken if code == (130 if number % 2 else 143)]
    assert {tuple(left) for _, left in stopped} == {tuple(BEFORE)}
    late = [(number, code, left) for number, code, left in broken if (number, left) not in stopped]
    assert [(code, left) for _, code, left in late] == [(0, whole)] * len(late)
    # Late are those that came when the task stood in its places, and only what was made aside was removed.
    assert all(number > max(other for other, _ in stopped) for number, *_ in late)


def test_a_disk_that_is_full_at_any_change_leaves_all_or_nothing(given: Path, repository: Path) -> None:
    *broken, (_, code, whole) = broken_runs("disk", given, repository)
    assert code == 0
    assert {code for _, code, _ in broken} == {0, 2}
    assert {tuple(left) for _, code, left in broken if code == 2} == {tuple(BEFORE)}
    assert {tuple(left) for _, code, left in broken if code == 0} == {tuple(whole)}


def test_a_file_that_cannot_be_written_is_told_in_one_line(author: Author, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    (tmp_path / "big").mkdir()
    (tmp_path / "big/weights.bin").write_bytes(b"0" * 3_000_000)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = author.make("my_task", "--repository", str(tmp_path / "big"), preexec_fn=limit)
    assert done.returncode == 2
    assert done.stderr == (
        f"ibench-new-task: the task could not be made: File too large: {tmp_path / 'big/weights.bin'}: "
        "nothing is left of it; mend that and try again\n"
    )
    assert author.left() == []


def test_what_a_killed_run_left_is_cleared_by_the_next(author: Author) -> None:  # noqa: F811 - the fixture
    old, new, others = (author.root / f".ibench-new-task-{name}" for name in ("old", "new", "held"))
    for folder in (old, new, others):
        (folder / "gym").mkdir(parents=True)
    for folder in (old, others):
        os.utime(folder, (0, 0))
    with others.open() if others.is_file() else _locked(others):
        assert author.make("my_task").returncode == 0
    assert sorted(path.name for path in author.root.glob(".ibench*")) == [
        ".ibench-new-task-held",
        ".ibench-new-task-new",
    ]
    assert time.time() - new.stat().st_mtime < 3600


def _locked(folder: Path) -> Any:
    from pytest_innovatorbench.authoring.scaffold import _locked as locked  # noqa: PLC0415

    return locked(folder)


def test_only_the_first_signal_raises() -> None:
    with interruptible() as interrupts:
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), 15)
        os.kill(os.getpid(), 2)
        assert caught.value.number == 15
        with pytest.raises(Interrupted, match="SIGTERM"):
            interrupts.check()


def test_a_signal_that_comes_late_is_remembered() -> None:
    with interruptible() as interrupts:
        interrupts.check()
        interrupts.hold()
        os.kill(os.getpid(), 15)
        with pytest.raises(Interrupted, match="SIGTERM"):
            interrupts.check()


def test_signals_are_handled_as_before_afterwards() -> None:
    import signal  # noqa: PLC0415

    before = [signal.getsignal(number) for number in (1, 2, 15)]
    signal.signal(1, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), 1)  # nohup
    finally:
        signal.signal(1, before[0])
    assert [signal.getsignal(number) for number in (1, 2, 15)] == before


def test_nothing_is_installed_outside_of_the_main_thread() -> None:
    import threading  # noqa: PLC0415

    seen = []

    def look() -> None:
        with interruptible() as interrupts:
            seen.append(interrupts)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(10)
    assert isinstance(seen[0], Interrupts)
