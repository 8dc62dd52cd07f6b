"""Every measurement runs in a tiny configuration; what it measures is for ``make perf`` to judge."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS, measure
from benchmarks.children import MeasurementError, run
from benchmarks.figures import Beside, Figure, Scale
from benchmarks.markdown import table
from benchmarks.memory import proportional_size, tree, weigh_tree
from benchmarks.neighbours import Neighbours
from benchmarks.report import document, middle_half, number, rows
from tests.sshd import require_sshd

TINY = Scale(
    pairs=2,
    repeats=1,
    attempts=2,
    steps=10,
    tasks=2,
    seeds=2,
    sleepers=2,
    sleep=0.1,
    talkers=2,
    dataset=10**6,
    small_files=200,
    large_files=8 << 20,
    sessions=5,
    printed=10**6,
    kept=10**6,
    sent=10**6,
    files=20,
)
LIMITED = {
    "idle": ["idle"],
    "help": ["help"],
    "nop": ["nop"],
    "attempts": ["attempts"],
    "steps": ["command", "last-steps"],
    "collection": ["collection", "collection-memory"],
    "crowd": ["crowd", "crowd-memory"],
    "dataset": ["dataset"],
    "snapshots": ["snapshot", "snapshot-space", "restore"],
    "sessions": ["session", "session-print", "session-tail"],
    "validation": ["validation", "attacks"],
    "help-of-commands": ["help-of-commands"],
    "remote": ["ssh-command", "ssh-upload", "ssh-small-files"],
    "loop": ["loop", "loop-memory"],
    "model-crowd": ["model-crowd"],
}
# Takes 100 MB and starts a child as vfork does, which never becomes a program.
LENDER = """
import ctypes
libc, heavy, stack = ctypes.CDLL(None), b"x" * (100 << 20), ctypes.create_string_buffer(1 << 16)
top = ctypes.c_void_p((ctypes.addressof(stack) + (1 << 16) - 64) & ~15)
CLONE_VM, CLONE_VFORK, SIGCHLD = 0x100, 0x4000, 17
libc.clone(libc.pause, top, CLONE_VM | CLONE_VFORK | SIGCHLD, None)
"""
FIGURE = Figure(
    name="nop",
    what="one attempt",
    unit="s",
    samples=(3.0, 0.5, 0.9),
    limit=1,
    others=0.25,
    beside=(Beside(label="Harbor", value=2.1, source="peer"),),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_measurement_yields_finite_figures_and_its_limits(name: str) -> None:
    if name == "remote":
        require_sshd()
    if name == "snapshots" and shutil.which("rsync") is None:
        pytest.skip("rsync is not installed")
    figures = list(measure([name], TINY))
    assert [figure.name for figure in figures if figure.limit is not None] == LIMITED[name]
    for figure in figures:
        assert figure.samples
        assert all(math.isfinite(value) for value in figure.samples)
        assert all(math.isfinite(beside.value) for beside in figure.beside)


def test_median_of_the_samples_is_held_against_the_limit() -> None:
    missed = Figure(name="nop", what="one attempt", unit="s", samples=(1.5,), limit=1)
    free = Figure(name="nop", what="one attempt", unit="s", samples=(1.5,))
    assert (FIGURE.value, FIGURE.is_met) == (0.9, True)
    assert (missed.is_met, free.is_met) == (False, None)


def test_rows_show_a_figure_and_what_stands_beside_it() -> None:
    first, second = rows(FIGURE)
    assert first.split() == [
        "nop",
        "0.900",
        "s",
        "0.700",
        "-",
        "1.95",
        "1.00",
        "met",
        "25%",
        "one",
        "attempt",
    ]
    assert second.split() == ["2.10", "s", "Harbor", "(peer)"]


def test_single_sample_has_no_spread() -> None:
    assert middle_half([4.0]) == ()


def test_numbers_have_about_three_digits() -> None:
    assert [number(value) for value in (4100, 55.71, 3.14159, 0.0312)] == ["4100", "55.7", "3.14", "0.031"]


def test_document_is_json_with_the_machine_and_every_sample() -> None:
    kept = json.loads(json.dumps(document([FIGURE])))
    assert kept["version"] == 1
    assert kept["machine"]["cores"] >= 1
    assert kept["figures"][0]["samples"] == [3.0, 0.5, 0.9]
    assert kept["figures"][0]["value"] == 0.9
    assert kept["figures"][0]["is_met"] is True


def test_own_work_is_not_taken_for_that_of_others() -> None:
    neighbours = Neighbours()
    sum(range(3_000_000))
    assert 0 <= neighbours.share() <= 1


def test_memory_of_a_process_is_its_share_and_that_of_none_is_nothing() -> None:
    own = int(Path("/proc/self/stat").read_text().split()[0])
    assert proportional_size(own) > 2**20
    assert proportional_size(2**22 + 1) == 0


def test_peak_of_a_child_is_not_that_of_whoever_measures(tmp_path: Path) -> None:
    ours = bytes(200 << 20)  # zeros are mapped, and count once they were written to
    assert len(ours.replace(b"\0", b"x")) == 200 << 20
    assert 5 < run([sys.executable, "-I", "-S", "-c", ""], tmp_path, weigh=True).peak < 50


def test_peak_of_a_child_is_its_own(tmp_path: Path) -> None:
    program = "len(b'x' * 80_000_000)"
    assert 80 < run([sys.executable, "-I", "-S", "-c", program], tmp_path, weigh=True).peak < 120


def test_child_that_fails_while_it_is_weighed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"ended with status 3:\nbroken$"):
        run(
            [sys.executable, "-I", "-S", "-c", "print('broken', end=''); raise SystemExit(3)"],
            tmp_path,
            weigh=True,
        )


def test_memory_that_was_not_weighed_is_not_a_number(tmp_path: Path) -> None:
    assert math.isnan(run([sys.executable, "-I", "-S", "-c", ""], tmp_path).peak)


def test_memory_that_a_child_borrows_until_it_is_a_program_counts_once() -> None:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", LENDER]) as parent:
        try:
            deadline = time.monotonic() + 20
            while len(tree(parent.pid)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert 100 << 20 < weigh_tree(parent.pid) < 150 << 20
        finally:
            for pid in reversed(tree(parent.pid)):
                os.kill(pid, signal.SIGKILL)


def test_kept_run_reads_as_a_table_and_marks_what_is_missed() -> None:
    missed = replace(FIGURE, limit=0.5)
    head, _, row = table(json.loads(json.dumps(document([missed]))))
    assert head == "| figure | median | middle half | limit | others | beside it |"
    assert row == "| `nop` | 0.900 s **missed** | 0.700 - 1.95 | 0.500 | 25% | Harbor 2.10 |"
