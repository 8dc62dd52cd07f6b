"""Runs that are cut short and go on, and attempts that begin from snapshots of others."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.runs.events import read_events
from tests.acceptance.conftest import Bench, wait_until

USAGE = 4
# Spends an evaluation and hangs; once it goes on, it does better and asks again.
AGENT = """
#!/bin/bash
echo "$IBENCH_BEGINNING" >>data/beginnings
if [ "$IBENCH_BEGINNING" = fresh ]; then
    echo 33 >data/outputs/score.txt
    ibench-tool eval
    rm task/task_description.md
    touch data/ready
    exec -a "hangs $MARKER" sleep 600
fi
[ -e task/task_description.md ] && exit 3
echo 55 >data/outputs/score.txt
ibench-tool eval
ibench-tool status >data/outputs/status
exit 0
"""
ATTEMPT = "toy-command_._agent.sh-0"


class Cut:
    """A run of pytest that is to be cut short."""

    def __init__(self, bench: Bench, *args: str, run_id: str = "cut") -> None:
        self.marker = f"{os.getpid()}-{bench.pytester.path.name}"
        bench.tree.add_task()
        bench.tree.write("agent.sh", AGENT.replace("$MARKER", self.marker), mode=0o755)
        self.record = bench.pytester.path / ".ibench/runs" / run_id / "attempts" / ATTEMPT
        argv = ["--ibench-agent=command:./agent.sh", f"--ibench-run-id={run_id}", *args]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *argv],
            cwd=bench.pytester.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )

    def cut(self, number: signal.Signals) -> None:
        """Wait until the agent hangs, end the run, and see that nothing is left of it."""
        wait_until((self.record / "workspace/upper/data/ready").exists)
        assert (self.record / "workspace/upper/data/ready").exists()
        self.process.send_signal(number)
        self.process.wait(30)
        wait_until(lambda: not self.left())
        assert self.left() == []

    def left(self) -> list[str]:
        """What still runs of it: the agent, and what is mounted for it."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and str(self.record) in (entry / "mountinfo").read_text():
                    found.append((entry / "cmdline").read_text())
                elif entry.name.isdigit() and f"hangs {self.marker}" in (entry / "cmdline").read_text():
                    found.append(entry.name)
        return found

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in read_events(self.record / "events.jsonl") if event["kind"] == kind]


def again(bench: Bench, *args: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run pytest with a report and return both."""
    file = bench.pytester.path / "again.json"
    result = bench.pytester.runpytest_subprocess(f"--ibench-report=json:{file}", *args, timeout=120)
    return result, json.loads(file.read_text())["attempts"][0] if file.exists() else {}


@pytest.mark.parametrize("before", [[], ["--ibench-concurrency=2"]], ids=["plain", "concurrent"])
@pytest.mark.parametrize(
    "after", [[], ["--ibench-concurrency=2"], ["-n2"]], ids=["plain", "concurrent", "xdist"]
)
def test_killed_run_goes_on(bench: Bench, before: Sequence[str], after: Sequence[str]) -> None:
    run = Cut(bench, *before)
    run.cut(signal.SIGKILL)
    assert not (run.record / "result.json").exists()
    worked = max(event["t"] for event in read_events(run.record / "events.jsonl"))
    result, attempt = again(bench, "--ibench-resume=cut", *after)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["resumed: 1 of 1 attempts; the others have their results"])
    assert [attempt[key] for key in ("status", "first", "best", "final", "evals")] == [
        "scored",
        33,
        55,
        55,
        2,
    ]
    assert [score for _, score in attempt["curve"]] == [33, 55, 55]
    assert (run.record / "workspace/upper/data/beginnings").read_text() == "fresh\nresumed\n"
    status = (run.record / "workspace/upper/data/outputs/status").read_text()
    assert " 1 evaluations and " in status
    (resumed,) = run.events("resumed")
    assert worked <= resumed["t"] <= worked + 0.01, "time was charged in which nothing ran"
    assert attempt["seconds"] < worked + 20
    numbers = sorted(file.name for file in (run.record / "submissions").iterdir())
    assert numbers == ["001.tar", "002.tar", "003.tar"]
    assert [folder.name for folder in run.record.parent.iterdir()] == [ATTEMPT]
    bench.ibench("report", ".ibench/runs/cut").stdout.fnmatch_lines(["toy * 33.0*55.0*55.0*2/3*SCORED*"])


@pytest.mark.parametrize("mode", [[], ["--ibench-concurrency=2"]], ids=["plain", "concurrent"])
def test_interrupted_run_goes_on_without_its_final_evaluation(bench: Bench, mode: list[str]) -> None:
    run = Cut(bench, *mode)
    run.cut(signal.SIGINT)
    assert json.loads((run.record / "result.json").read_text())["result"]["status"] == "interrupted"
    assert [event["final"] for event in run.events("evaluation")] == [False, True]
    result, attempt = again(bench, "--ibench-resume=cut")
    assert result.ret == 0, result.stdout.str()
    assert [score for _, score in attempt["curve"]] == [33, 55, 55]
    assert (attempt["status"], attempt["evals"]) == ("scored", 2)


def test_run_goes_on_twice(bench: Bench) -> None:
    run = Cut(bench)
    run.cut(signal.SIGKILL)
    file = bench.tree.root / "agent.sh"
    file.write_text(file.read_text().replace("= fresh", "!= never").replace("rm task", "rm -f task"))
    (run.record / "workspace/upper/data/ready").unlink()
    argv = [sys.executable, "-m", "pytest", "--ibench-resume=cut"]
    run.process = subprocess.Popen(
        argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    run.cut(signal.SIGKILL)
    file.write_text(AGENT.lstrip())
    result, attempt = again(bench, "--ibench-resume=cut")
    assert result.ret == 0, result.stdout.str()
    assert [score for _, score in attempt["curve"]] == [33, 33, 55, 55]
    assert attempt["evals"] == 3
    assert len(run.events("resumed")) == 2
    times = [event["t"] for event in read_events(run.record / "events.jsonl")]
    assert times == sorted(times)


def test_run_that_is_over_has_nothing_to_resume(bench: Bench) -> None:
    bench.tree.add_task()
    bench.run("--ibench-run-id=over", agent="oracle,baseline")
    records = {
        file: file.stat().st_mtime_ns for file in bench.pytester.path.glob(".ibench/runs/over/attempts/*/*")
    }
    for mode in ([], ["--ibench-concurrency=2"], ["-n2"]):
        result, attempt = again(bench, "--ibench-resume=over", *mode)
        assert result.ret == 0
        result.stdout.fnmatch_lines(["nothing to resume: all 2 attempts have their results"])
        assert (attempt["agent"], attempt["final"]) == ("baseline", 0)
    after = {
        file: file.stat().st_mtime_ns for file in bench.pytester.path.glob(".ibench/runs/over/attempts/*/*")
    }
    assert after == records


def test_run_that_still_goes_on_is_left_alone(bench: Bench) -> None:
    run = Cut(bench)
    wait_until((run.record / "workspace/upper/data/ready").exists)
    result, _ = again(bench, "--ibench-resume=cut")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["*the run cut is still going on: wait until it has ended, or end it*"])
    run.cut(signal.SIGKILL)


def test_attempts_that_never_began_are_made(bench: Bench) -> None:
    run = Cut(bench, "--ibench-seeds=2")
    run.cut(signal.SIGKILL)
    bench.tree.write("agent.sh", "#!/bin/bash\necho 55 >data/outputs/score.txt\n", mode=0o755)
    result, _ = again(bench, "--ibench-resume=cut")
    result.stdout.fnmatch_lines(["resumed: 2 of 2 attempts; *"])
    assert sorted(folder.name for folder in run.record.parent.iterdir()) == [ATTEMPT, f"{ATTEMPT[:-1]}1"]


def test_lost_workspace_comes_from_the_last_snapshot(bench: Bench) -> None:
    run = Cut(bench, "--ibench-snapshot-every=eval")
    run.cut(signal.SIGKILL)
    (taken,) = run.events("snapshot")
    shutil.rmtree(run.record / "workspace/upper")
    bench.tree.write("agent.sh", AGENT.replace("[ -e task/task_description.md ] && exit 3", ""), mode=0o755)
    result, attempt = again(bench, "--ibench-resume=cut")
    assert result.ret == 0, result.stdout.str()
    assert [event["restored"] for event in run.events("resumed")] == [taken["id"]]
    assert (run.record / "workspace/upper/data/beginnings").read_text() == "fresh\nresumed\n"
    assert attempt["final"] == 55


REMEMBERS = """
from pathlib import Path
import os, time
from pytest_innovatorbench import Action, AgentKind
import pytest

class Remembers:
    binds = ()
    def __init__(self, name):
        self.name = name
        self.count = 0
    def state(self):
        return {"count": self.count, "name": self.name}
    def restore(self, state):
        self.count = state["count"]
    def run(self, gym):
        while self.count < 4:
            gym.act(Action(name="run_command", arguments={"command": f"echo {self.count} {self.name} {gym.beginning} >>data/steps", "wait_for_completion": True}))
            self.count += 1
            if self.count == 2 and gym.beginning == "fresh":
                gym.act(Action(name="run_command", arguments={"command": "true", "wait_for_completion": True}))
                os.kill(os.getpid(), 9)

def pytest_ibench_agents():
    return [AgentKind(name=name, make=lambda request: Remembers(request.name)) for name in ("remembers", "other")]
"""


def test_agents_that_can_go_on_do(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(REMEMBERS)
    argv = [sys.executable, "-m", "pytest", "--ibench-agent=remembers", "--ibench-run-id=cut"]
    assert subprocess.run(argv, cwd=bench.pytester.path, check=False, capture_output=True).returncode == -9
    result, _ = again(bench, "--ibench-resume=cut")
    assert result.ret == 0, result.stdout.str()
    steps = bench.pytester.path / ".ibench/runs/cut/attempts/toy-remembers-0/workspace/upper/data/steps"
    told = [line.split() for line in steps.read_text().splitlines()]
    assert [(number, beginning) for number, _, beginning in told] == [
        ("0", "fresh"),
        ("1", "fresh"),
        ("2", "resumed"),
        ("3", "resumed"),
    ]


def test_attempts_begin_from_a_snapshot_with_another_agent(bench: Bench) -> None:
    run = Cut(bench, "--ibench-snapshot-every=eval", "--ibench-working-time=1000")
    run.cut(signal.SIGKILL)
    (taken,) = run.events("snapshot")
    assert (taken["reason"], taken["between_steps"], taken["marks"]) == ("eval", True, 0)
    bench.tree.write(
        "other.sh",
        """
        #!/bin/bash
        cat data/beginnings data/outputs/score.txt >data/outputs/seen
        echo 70 >data/outputs/score.txt
        ibench-tool eval; ibench-tool status >data/outputs/status
        """,
        mode=0o755,
    )
    result, attempt = again(
        bench, f"--ibench-from-snapshot={taken['id'][:8]}", "--ibench-agent=command:./other.sh,oracle"
    )
    assert result.ret == 0, result.stdout.str()
    assert [attempt[key] for key in ("task", "status", "evals")] == ["toy", "scored", 2]
    assert [score for _, score in attempt["curve"]] == [33, 70, 70]
    assert attempt["curve"][0][0] <= attempt["curve"][1][0]
    folder = Path(attempt["run_dir"])
    assert json.loads((folder / "attempt.json").read_text())["parent"] == taken["id"]
    assert json.loads((folder / "attempt.json").read_text())["allowance"]["seconds"] == 1000
    assert (folder / "workspace/upper/data/outputs/seen").read_text() == "fresh\n33\n"
    assert " 1 evaluations and " in (folder / "workspace/upper/data/outputs/status").read_text()
    assert len(list(folder.parent.iterdir())) == 2
    shown = bench.ibench("report", str(folder.parents[1]))
    shown.stdout.fnmatch_lines(["toy * 33.0*70.0*70.0*2/3*SCORED*"])


def test_layer_goes_on_where_nothing_can_be_layered(bench: Bench) -> None:
    run = Cut(bench, "--ibench-snapshot-every=eval")
    run.cut(signal.SIGKILL)
    (taken,) = run.events("snapshot")
    bench.tree.write("other.sh", "#!/bin/bash\ncat data/beginnings; ls task; ibench-tool eval\n", mode=0o755)
    result, attempt = again(
        bench,
        f"--ibench-from-snapshot={taken['id']}",
        "--ibench-agent=command:./other.sh",
        "--ibench-sandbox=none",
    )
    assert result.ret == 0, result.stdout.str()
    assert [score for _, score in attempt["curve"]] == [33, 33, 33]
    copy = Path(attempt["run_dir"], "workspace/copy")
    assert (copy / "data/beginnings").read_text() == "fresh\n"
    assert (copy / "task/task_description.md").exists(), "it was removed after the snapshot alone"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ibench-resume=nothing"], "unknown run 'nothing': known: there"),
        (["--ibench-resume=../x"], "--ibench-resume: '../x' cannot name a folder"),
        (
            ["--ibench-resume=there", "--ibench-agent=nop"],
            "--ibench-resume goes on as the run began: leave out --ibench-agent",
        ),
        (
            ["--ibench-resume=there", "--ibench-max-evals=9"],
            "--ibench-resume goes on as the run began: leave out --ibench-max-evals",
        ),
        (["--ibench-from-snapshot=abcd"], "there are no snapshots in "),
        (["--ibench-snapshot-every=often", "--ibench-agent=nop"], "--ibench-snapshot-every: 'often' is not understood: give a time (15m), steps (200steps) or eval"),
        (["--ibench-snapshot-every=0steps", "--ibench-agent=nop"], "--ibench-snapshot-every: '0steps' is not understood"),
        (["--ibench-snapshot-every=5m"], "--ibench-snapshot-every needs --ibench-agent: name at least one agent, such as oracle"),
    ],
)  # fmt: skip
def test_wrong_values_are_one_line(bench: Bench, arguments: list[str], message: str) -> None:
    bench.tree.add_task()
    bench.run("--ibench-run-id=there", agent="nop")
    result = bench.pytester.runpytest_subprocess(*arguments)
    assert result.ret == USAGE
    (error,) = [line for line in result.errlines if line.startswith("ERROR")]
    assert message in error


def test_unknown_snapshots_are_refused_with_those_that_are_known(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("two.sh", "#!/bin/bash\nibench-tool eval; ibench-tool eval; true\n", mode=0o755)
    bench.run("--ibench-snapshot-every=2steps", agent="command:./two.sh")
    (name, *_) = [file.stem for file in bench.pytester.path.glob(".ibench/runs/.snapshots/records/*.json")]
    result = bench.pytester.runpytest_subprocess("--ibench-from-snapshot=ffffffff")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines([f"*unknown snapshot 'ffffffff': known: *{name}*"])
    result = bench.pytester.runpytest_subprocess(f"--ibench-from-snapshot={name}", "--ibench-task=toy")
    result.stderr.fnmatch_lines(["*--ibench-from-snapshot goes on with its task: leave out --ibench-task"])
