"""The command ``ibench snapshots`` on what attempts left."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_innovatorbench.runs.events import read_events
from tests.acceptance.conftest import Bench, wait_until

AGENT = """
#!/bin/bash
echo 33 >data/outputs/score.txt; rm task/task_description.md; mkdir -p data/new; ln -s /etc/passwd data/link
ibench-tool eval
echo 44 >data/outputs/score.txt; echo x >data/new/file
ibench-tool eval
"""


@pytest.fixture
def taken(bench: Bench) -> list[str]:
    """Two snapshots of one attempt."""
    bench.tree.add_task()
    bench.tree.write("gym/toy/data/given.txt", "given")
    bench.tree.write("agent.sh", AGENT, mode=0o755)
    result = bench.run("--ibench-snapshot-every=eval", "--ibench-run-id=r", agent="command:./agent.sh")
    assert result.ret == 0, result.stdout.str()
    (record,) = bench.records()
    return [event["id"] for event in read_events(record / "events.jsonl") if event["kind"] == "snapshot"]


def test_snapshots_are_listed_and_shown(bench: Bench, taken: list[str]) -> None:
    listed = bench.ibench("snapshots", "list").stdout.lines
    assert [line.split()[0] for line in listed] == ["id", *taken]
    assert listed[1].split()[3:7] == ["r/toy-command_._agent.sh-0", "2", "1", "33.0"]
    shown = json.loads(bench.ibench("snapshots", "show", taken[1][:6]).stdout.str())
    assert (shown["id"], shown["parent"], shown["task"], shown["reason"]) == (
        taken[1],
        taken[0],
        "toy",
        "eval",
    )
    assert shown["ledger"]["evals"] == 2
    assert shown["not_saved"] == {}
    assert shown["remaining"] > 0


def test_differences_are_listed(bench: Bench, taken: list[str]) -> None:
    lines = bench.ibench("snapshots", "diff", *taken).stdout.lines
    assert lines == ["+ data/new/file", "~ data/outputs/score.txt"]


def test_workspace_is_restored_as_the_agent_saw_it(bench: Bench, taken: list[str]) -> None:
    place = bench.pytester.path
    (place / "gym/toy/data/given.txt").chmod(0o640)
    result = bench.ibench("snapshots", "restore", taken[1], "seen")
    assert (result.ret, result.stdout.lines) == (0, ["restored: seen"]), result.stderr.str()
    assert (place / "seen/data/given.txt").read_text() == "given"
    assert (place / "seen/data/given.txt").stat().st_mode & 0o777 == 0o640
    assert (place / "seen/data/outputs/score.txt").read_text() == "44\n"
    assert (place / "seen/data/link").readlink() == Path("/etc/passwd")
    assert not (place / "seen/task/task_description.md").exists()
    assert bench.ibench("snapshots", "restore", taken[0], "layer", "--changes").ret == 0
    assert not (place / "layer/data/given.txt").exists()
    assert (place / "layer/data/outputs/score.txt").read_text() == "33\n"
    assert not [path for path in place.iterdir() if path.name.startswith(".ibench-")]
    again = bench.ibench("snapshots", "restore", taken[0], "seen")
    assert (again.ret, again.stderr.lines) == (2, ["ibench: seen exists: name a new folder"])


def test_old_ones_are_pruned_and_branches_and_chosen_ones_stay(bench: Bench, taken: list[str]) -> None:
    assert "removed: 1 snapshots, " in bench.ibench("snapshots", "prune").stdout.str()
    left = bench.ibench("snapshots", "list").stdout.lines[1:]
    assert [line.split()[0] for line in left] == [taken[1]]
    (branch,) = bench.ibench("snapshots", "branch", taken[1]).stdout.lines
    assert (
        "removed: 1 snapshots"
        in bench.ibench("snapshots", "prune", f"--keep={branch}", "--keep-last=0").stdout.str()
    )
    assert bench.ibench("snapshots", "restore", branch, "seen").ret == 0
    result = bench.pytester.runpytest_subprocess(f"--ibench-from-snapshot={branch}", "--ibench-agent=nop")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["toy * 33.0*44.0*44.0*2/3*SCORED*"])


def test_snapshot_is_taken_on_demand(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write(
        "agent.sh",
        "#!/bin/bash\ntouch data/ready\nwhile sleep 0.2; do ibench-tool hint; done\n",
        mode=0o755,
    )
    argv = [sys.executable, "-m", "pytest", "--ibench-agent=command:./agent.sh", "--ibench-run-id=r"]
    run = subprocess.Popen(argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    record = bench.pytester.path / ".ibench/runs/r/attempts/toy-command_._agent.sh-0"
    wait_until((record / "workspace/upper/data/ready").exists)
    asked = bench.ibench("snapshots", "take", str(record))
    assert asked.stdout.lines == ["asked: the event snapshot in events.jsonl will say that it was taken"]

    def told() -> list[str]:
        return [
            event["reason"] for event in read_events(record / "events.jsonl") if event["kind"] == "snapshot"
        ]

    wait_until(told)
    run.send_signal(signal.SIGKILL)
    run.wait(30)
    assert told() == ["asked"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "ffff"], "unknown snapshot 'ffff': known: "),
        (["restore", "ffff", "x"], "unknown snapshot 'ffff': known: "),
        (["diff", "ffff", "ffff"], "unknown snapshot 'ffff': known: "),
        (["branch", "f"], "unknown snapshot 'f': known: "),
        (["prune", "--keep=ffff"], "unknown snapshot 'ffff': known: "),
        (["list", "--run-dir=elsewhere"], "there are no snapshots in elsewhere/.snapshots: take some: "),
        (["take", "nowhere"], "nowhere is no attempt: give RUN/attempts/ATTEMPT below .ibench/runs"),
        (["take", ".ibench/runs/r/attempts/toy-command_._agent.sh-0"], "is over: its files lie in its folder"),
    ],
)  # fmt: skip
def test_wrong_names_are_one_line(bench: Bench, taken: list[str], arguments: list[str], message: str) -> None:
    assert taken
    result = bench.ibench("snapshots", *arguments)
    (line,) = result.stderr.lines
    assert (result.ret, line.startswith("ibench: ")) == (2, True)
    assert message in line


def test_damaged_snapshots_are_told(bench: Bench, taken: list[str]) -> None:
    for pack in bench.pytester.path.glob(".ibench/runs/.snapshots/packs/*"):
        shutil.copy("/dev/null", pack)
    result = bench.ibench("snapshots", "restore", taken[0], "seen")
    assert result.ret == 2
    assert f"snapshot {taken[0]} is damaged: its payload " in result.stderr.str()
    assert not (bench.pytester.path / "seen").exists()
