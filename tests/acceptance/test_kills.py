"""A harness that is killed in the middle: nothing that was known is lost, nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import Bench, wait_until

LINGERS = """
import time
from pathlib import Path
from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        score = float(Path(self.config.workspace, "data/outputs/score.txt").read_text())
        if score > 40:
            time.sleep({marker})
        return {{"score": score}}
"""


@pytest.mark.parametrize("mode", [[], ["--ibench-concurrency=2"]], ids=["plain", "concurrent"])
def test_killed_during_an_evaluation(bench: Bench, mode: list[str]) -> None:
    marker = f"600.{os.getpid()}{len(mode)}"
    bench.tree.add_task(evaluation=LINGERS.format(marker=marker))
    bench.tree.write(
        "agent.sh",
        """
        #!/bin/bash
        echo 33 >data/outputs/score.txt; ibench-tool eval
        echo 50 >data/outputs/score.txt; ibench-tool eval
        """,
        mode=0o755,
    )
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "--ibench-agent=command:./agent.sh",
        "--ibench-run-id=killed",
        *mode,
    ]
    run = subprocess.Popen(argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    record = bench.pytester.path / ".ibench/runs/killed/attempts/toy-command_._agent.sh-0"
    wait_until(lambda: (record / "submissions/002.tar").exists() and bool(list(record.glob("evaluation-*"))))
    time.sleep(0.3)
    run.send_signal(signal.SIGKILL)
    run.wait(30)
    wait_until(lambda: not _mounting(record), seconds=5)
    assert _mounting(record) == []
    shown = bench.ibench("report", ".ibench/runs/killed", "--to=json:after.json")
    shown.stdout.fnmatch_lines(["toy * 33.0*33.0*INTERRUPTED*"])
    (attempt,) = json.loads((bench.pytester.path / "after.json").read_text())["attempts"]
    assert [attempt[key] for key in ("status", "first", "best", "evals")] == ["interrupted", 33, 33, 1]
    graded = bench.ibench("grade", str(record / "submissions/001.tar"), "--task=toy")
    assert json.loads(graded.stdout.str())["score"] == 33
    assert bench.run("--ibench-run-id=later", agent="nop,baseline").ret in {0, 1}
    again = bench.run("--ibench-run-id=killed", agent="nop")
    assert again.ret == 4, "a second run wrote into the record of the first"


def test_a_record_that_was_cut_in_the_middle_of_a_line_is_read(bench: Bench) -> None:
    bench.tree.add_task()
    bench.run("--ibench-run-id=cut")
    record = bench.pytester.path / ".ibench/runs/cut/attempts/toy-oracle-0"
    (record / "result.json").unlink()
    events = record / "events.jsonl"
    for size in range(1, events.stat().st_size, 97):
        events.write_bytes(events.read_bytes()[:-size])
        shown = bench.ibench("report", ".ibench/runs/cut") if size in {1, 98, 195, 292} else None
        if shown is not None:
            assert shown.ret == 0, shown.stderr.str()
            shown.stdout.fnmatch_lines(["toy *INTERRUPTED*"])


def test_control_groups_of_killed_harnesses_are_cleared_away(bench: Bench) -> None:
    bench.tree.add_task(solution="touch data/started; sleep 600")
    argv = [sys.executable, "-m", "pytest", "--ibench-agent=oracle", "--ibench-run-id=killed"]
    run = subprocess.Popen(argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    started = bench.pytester.path / ".ibench/runs/killed/attempts/toy-oracle-0/workspace/upper/data/started"
    wait_until(started.exists)
    assert started.exists()
    run.kill()
    run.wait(30)
    assert bench.run(agent="nop").ret == 0
    assert [group for group in _groups() if f"-{run.pid}-" in group.name] == []


def _groups() -> set[Path]:
    return set(Path("/sys/fs/cgroup").rglob("ibench-*"))


def _mounting(record: Path) -> list[str]:
    """Processes in whose file systems something of a record is mounted."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str(record) in (entry / "mountinfo").read_text():
                found.append((entry / "cmdline").read_text())
    return found
