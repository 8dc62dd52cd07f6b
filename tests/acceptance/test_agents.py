"""Agents that fight their machine: they are scored on what they left and nothing survives them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import Bench, by_task, events, running, submitted

# It writes over the file in place: one that was cut to nothing first could be caught empty.
DAEMON = """
#!/bin/bash
echo 40 >data/outputs/score.txt
cat >data/MARKER.sh <<END
trap '' TERM INT HUP
for i in {1..3000}; do echo 99 1<>$PWD/data/outputs/score.txt; sleep 0.01; done
END
START
sleep 0.2
"""
STARTS = {
    "setsid": "setsid bash data/MARKER.sh </dev/null >/dev/null 2>&1 &",
    "double": "(setsid bash -c 'setsid bash data/MARKER.sh & exit' &) >/dev/null 2>&1",
    "nohup": "nohup bash data/MARKER.sh >/dev/null 2>&1 & disown",
}


@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
@pytest.mark.parametrize("how", STARTS)
def test_a_daemon_rewrites_nothing_after_the_end(bench: Bench, how: str, sandbox: str) -> None:
    marker = f"daemon-{os.getpid()}-{how}-{sandbox}"
    if sandbox == "none" and os.geteuid():
        pytest.skip("without confinement and control groups nothing holds a daemon")
    bench.tree.add_task()
    script = DAEMON.replace("START", STARTS[how]).replace("MARKER", marker)
    bench.tree.write("agent.sh", script, mode=0o755)
    result, report = bench.report(f"--ibench-sandbox={sandbox}", agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert (result.ret, attempt["error"]) == (0, None)
    assert running(marker) == []
    (score,) = Path(attempt["run_dir"], "workspace").glob("*/data/outputs/score.txt")
    left = score.read_bytes()
    time.sleep(0.05)
    assert left == score.read_bytes()
    assert submitted(attempt, 1)["score.txt"] == left == b"99\n"
    assert attempt["final"] == 99


def test_what_is_evaluated_is_what_was_there_when_it_was_asked_for(bench: Bench) -> None:
    """A process writes on while the evaluator runs; neither score nor archive may move."""
    slow = """
import time
from pathlib import Path
from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        file = Path(self.config.workspace, "data/outputs/score.txt")
        first = file.read_text()
        time.sleep(0.5)
        assert file.read_text() == first
        return {"score": float(first)}
"""
    bench.tree.add_task(evaluation=slow)
    bench.tree.write(
        "agent.sh",
        """
        #!/bin/bash
        echo 10 >data/outputs/score.txt
        (sleep 0.3; echo 90 >data/outputs/score.txt) &
        ibench-tool eval
        wait
        """,
        mode=0o755,
    )
    _, report = bench.report(agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert (attempt["first"], attempt["final"]) == (10, 90)
    assert [submitted(attempt, number)["score.txt"] for number in (1, 2)] == [b"10\n", b"90\n"]


ENDS = {
    "kill_all": "kill -9 -1",
    "kill_server": "kill -9 $PPID",
    "stop_server": "kill -STOP $PPID; sleep 600",
    "kill_shell": "kill -9 $$",
    "init": "kill -9 1; kill -INT 1; kill -STOP 1",
    "memory": "python3 -c \"b = b'x' * 2**31\"",
    "memory_files": "head -c 2G /dev/zero >/tmp/x; head -c 2G /dev/zero >/dev/shm/x",
    "processes": "f() { f | f & }; f 2>/dev/null; sleep 2",
    "files": "ulimit -n; exec {a}</dev/null; python3 -c 'import os\nwhile True: os.open(\"/dev/null\", 0)'",
    "server_oom": "for pid in $(pgrep -f session_server); do echo 1000 >/proc/$pid/oom_score_adj; done; python3 -c \"b = b'x' * 2**31\"",
}


def test_agents_that_wreck_their_machines_are_scored_on_what_they_left(bench: Bench) -> None:
    manifest = "{domain: LD, resources: {memory_gb: 0.3}}"
    for how, wreck in ENDS.items():
        bench.tree.add_task(how, manifest=manifest, solution=f"echo 33 >data/outputs/score.txt\n{wreck}\n")
    bench.tree.add_task("other", manifest=manifest)
    result, report = bench.report("--ibench-concurrency=4", "--ibench-working-time=4")
    seen = {name: (a["status"], a["fault"], a["final"], a["error"]) for name, a in by_task(report).items()}
    assert {name: found[:3] for name, found in seen.items()} == {
        **dict.fromkeys(ENDS, ("scored", None, 33)),
        "other": ("scored", None, 75),
    }, seen
    assert result.ret == 0


def test_a_filled_disk_ends_the_attempt_and_is_scored(bench: Bench) -> None:
    fill = "echo 34 >data/outputs/score.txt; for i in $(seq 90); do head -c 10M /dev/zero >data/$i; sleep 0.02; done; sleep 9"
    bench.tree.add_task(manifest="{domain: LD, resources: {disk_gb: 0.1}}", solution=fill)
    _, report = bench.report()
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"], attempt["ending"]) == ("scored", 34, "disk")
    assert attempt["error"] == "the agent filled its disk quota"


TRICKS = {
    "unlinked": "exec 9>data/x; rm data/x; head -c 90M /dev/zero >&9; exec 8>data/y; rm data/y; head -c 90M /dev/zero >&8",
    "closed": "for i in 1 2 3; do mkdir data/$i; head -c 90M /dev/zero >data/$i/x; chmod 0 data/$i; done",
}


@pytest.mark.parametrize("how", TRICKS)
def test_a_disk_quota_is_not_got_round(bench: Bench, how: str) -> None:
    bench.tree.add_task(
        manifest="{domain: LD, resources: {disk_gb: 0.1}}", solution=f"{TRICKS[how]}; sleep 3"
    )
    _, report = bench.report()
    (attempt,) = report["attempts"]
    assert attempt["ending"] == "disk"


@pytest.mark.parametrize(("way", "ending"), [("sleeps", "time"), ("spins", "time"), ("acts", "steps")])
def test_an_agent_of_python_that_hangs_is_left_behind(bench: Bench, way: str, ending: str) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(
        """
        import time
        from pytest_innovatorbench import Action, AgentKind

        class Hangs:
            binds = ()

            def __init__(self, request):
                self.way = request.argument

            def run(self, gym):
                command = "echo 20 >data/outputs/score.txt"
                gym.act(Action(name="run_command", arguments={"command": command, "wait_for_completion": True}))
                while True:
                    try:
                        time.sleep(600) if self.way == "sleeps" else None
                        gym.act(Action(name="get_session_output")) if self.way == "acts" else None
                    except BaseException:
                        pass

        def pytest_ibench_agents():
            return [AgentKind(name="hangs", make=Hangs, argument="WAY")]
        """
    )
    began = time.monotonic()
    result, report = bench.report("--ibench-working-time=1", "--ibench-max-steps=50", agent=f"hangs:{way}")
    assert time.monotonic() - began < 15
    assert result.ret == 0
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"], attempt["ending"]) == ("scored", 20, ending)
    assert events(attempt, "evaluation")[-1]["final"] is True
