"""Everything else that people use with pytest keeps working."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.plugin.conftest import Bench

MODES = pytest.mark.parametrize(
    "mode", [[], ["--ibench-concurrency=2"], ["-n", "2"]], ids=["plain", "concurrent", "xdist"]
)


@MODES
def test_junit_holds_scores_as_properties(bench: Bench, mode: list[str]) -> None:
    bench.tree.add_task(manifest="{domain: LD, hint: {penalty: 5}}", hint="x")
    bench.tree.add_task("zero")
    bench.run("--junit-xml=junit.xml", *mode)
    root = ET.parse(bench.pytester.path / "junit.xml").getroot()  # noqa: S314 - our own file
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {"toy[oracle-0]", "zero[oracle-0]"}
    properties = {p.get("name"): p.get("value") for p in cases["toy[oracle-0]"].iter("property")}
    assert properties == {
        "score": "75.0",
        "best": "75.0",
        "final": "75.0",
        "evals": "0",
        "tokens": "0",
        "cost": "0.0",
        "hint": "False",
        "status": "scored",
    }


@MODES
def test_an_attempt_without_a_score_is_an_error_to_junit(bench: Bench, mode: list[str]) -> None:
    bench.tree.add_task(solution=None)
    result = bench.run("--junit-xml=junit.xml", *mode)
    result.assert_outcomes(errors=1)
    (suite,) = ET.parse(bench.pytester.path / "junit.xml").getroot()  # noqa: S314 - our own file
    assert {key: suite.get(key) for key in ("tests", "errors", "failures")} == {
        "tests": "1",
        "errors": "1",
        "failures": "0",
    }
    result.stdout.fnmatch_lines(["UNSCOREABLE, the evaluator's fault: the oracle has nothing to run*"])


@MODES
def test_last_failed_runs_what_failed(bench: Bench, mode: list[str]) -> None:
    bench.pytester.makeini("[pytest]\n")
    bench.tree.add_task("good")
    bench.tree.add_task("poor", solution="echo 1 > data/outputs/score.txt")
    assert bench.run("--ibench-fail-under=50", *mode).ret == 1
    again = bench.run("--ibench-fail-under=50", "--lf", *mode)
    again.assert_outcomes(failed=1)


def test_exit_first_stops_and_says_what_did_not_run(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.tree.add_task(name, solution="echo 1 > data/outputs/score.txt")
    result, report = bench.report("--ibench-fail-under=50", "-x")
    result.assert_outcomes(failed=1)
    told = [(attempt["task"], attempt["status"], attempt["ending"]) for attempt in report["attempts"]]
    assert told == [
        ("a", "scored", "finished"),
        ("b", "interrupted", "not_run"),
        ("c", "interrupted", "not_run"),
    ]
    assert report["agents"][0]["weighted_average"]["final"] == {"value": 1.0, "counted": 1, "of": 3}
    result.stdout.fnmatch_lines(["not run: 2 of 3 attempts", "*stopping after 1 failures*"])


def test_durations_are_those_of_the_attempts(bench: Bench) -> None:
    bench.tree.add_task(solution="sleep 1.2; echo 1 > data/outputs/score.txt")
    result = bench.run("--durations=1", "--ibench-concurrency=2")
    result.stdout.re_match_lines([r"1\.\d+s call +evaluations/toy/task/config.py::toy\[oracle-0\]"])


def test_reruns_make_new_attempts(bench: Bench) -> None:
    bench.tree.add_task(solution="echo 1 > data/outputs/score.txt")
    result, report = bench.report("--reruns=1", "--ibench-fail-under=50", "--ibench-concurrency=2")
    result.stdout.fnmatch_lines(["*1 failed, 1 rerun*"])
    assert [record.name for record in bench.records()] == ["toy-oracle-0", "toy-oracle-0.2"]
    assert [attempt["attempt"] for attempt in report["attempts"]] == ["toy-oracle-0.2"]
    (run,) = (bench.pytester.path / ".ibench/runs").iterdir()
    assert bench.ibench("report", str(run)).stdout.str().count("toy ") == 1


def test_pytest_html_works(bench: Bench) -> None:
    bench.tree.add_task()
    assert bench.run("--html=page.html", "--self-contained-html").ret == 0
    assert "toy[oracle-0]" in (bench.pytester.path / "page.html").read_text()


def test_marked_items_are_not_run_ahead(bench: Bench) -> None:
    bench.tree.add_task("run_me")
    bench.tree.add_task("skip_me")
    bench.pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                if "skip_me" in item.name:
                    item.add_marker(pytest.mark.skip(reason="not today"))
        """
    )
    result = bench.run("--ibench-concurrency=2")
    result.assert_outcomes(passed=1, skipped=1)
    assert [record.name for record in bench.records()] == ["run_me-oracle-0"]


def test_tests_and_attempts_run_together(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("tests/test_plain.py", "def test_plain(tmp_path): assert tmp_path\n")
    bench.run("--ibench-concurrency=2", ".").assert_outcomes(passed=2)


def test_an_agent_comes_from_a_conftest_and_a_hook_hears_of_results(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(
        """
        from pytest_innovatorbench import Action, AgentKind

        class Writer:
            binds = ()

            def __init__(self, request):
                self.value = request.argument

            def run(self, gym):
                command = f"echo {self.value} > data/outputs/score.txt"
                seen = gym.act(Action(name="run_command", arguments={"command": command, "wait_for_completion": True}))
                assert seen.data["exit_status"] == 0, seen
                seen = gym.act(Action(name="eval"))
                assert seen.data["overall_score"] == float(self.value)

        def pytest_ibench_agents(settings):
            return [AgentKind(name="writer", make=Writer, argument="NUMBER")]

        def pytest_ibench_attempt_finished(result):
            print("heard", result.attempt, result.best)
        """
    )
    result, report = bench.report("-s", agent="writer:61")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*heard toy-writer_61-0 61.0*"])
    assert report["attempts"][0]["evals"] == 1


def test_an_agent_that_raises_or_exits_is_scored_and_marked(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(
        """
        from pytest_innovatorbench import AgentKind

        class Broken:
            binds = ()

            def __init__(self, request):
                self.how = request.argument

            def run(self, gym):
                if self.how == "exit":
                    raise SystemExit(3)
                raise ValueError("no\\nidea")

        def pytest_ibench_agents():
            return [AgentKind(name="broken", make=Broken, argument="HOW")]
        """
    )
    _, report = bench.report(agent="broken:raise,broken:exit")
    assert [(a["status"], a["ending"], a["error"]) for a in report["attempts"]] == [
        ("scored", "crashed", "the agent raised SystemExit: 3"),
        ("scored", "crashed", "the agent raised ValueError: no idea"),
    ]


def _start(bench: Bench, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ibench-agent=oracle", "-v", *args],
        cwd=bench.pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_for(folder: Path, pattern: str) -> Path:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for found in folder.glob(pattern):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} below {folder}")


def _processes(marker: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in words:
                found.append(entry.name)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("mode", [[], ["--ibench-concurrency=2"]], ids=["plain", "concurrent"])
def test_an_interrupt_evaluates_reports_and_leaves_no_process(
    bench: Bench, number: signal.Signals, mode: list[str]
) -> None:
    marker = f"31{number}.{len(mode)}"
    bench.tree.add_task(
        "slow", solution=f"echo 12 > data/outputs/score.txt; touch data/started; sleep {marker}"
    )
    bench.tree.add_task("slower", solution="sleep 60")
    run = _start(bench, "--junit-xml=junit.xml", "--ibench-report=json:report.json", *mode)
    _wait_for(bench.pytester.path, ".ibench/runs/*/attempts/slow-*/workspace/upper/data/started")
    run.send_signal(number)
    output, _ = run.communicate(timeout=30)
    assert run.returncode == 2, output
    assert "INTERRUPTED 12.0" in output
    assert "slow[oracle-0]" in (bench.pytester.path / "junit.xml").read_text()
    assert '"status": "interrupted"' in (bench.pytester.path / "report.json").read_text()
    assert _processes(f"sleep\0{marker}") == []
    assert bench.run("--ibench-task=slower", agent="nop").ret == 0


def test_an_interrupt_while_attempts_begin_reports_those_that_have(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(
        """
        import os, signal, threading
        from pytest_innovatorbench.agents.base import AgentKind

        class Interrupter:
            binds = ()

            def __init__(self, request):
                self.seed = request.seed

            def run(self, gym):
                if self.seed == 0:
                    os.kill(os.getpid(), signal.SIGINT)
                threading.Event().wait()

        def pytest_ibench_agents():
            return [AgentKind(name="interrupter", make=Interrupter)]
        """
    )
    options = ("--ibench-agent=interrupter", "-k", "interrupter", "--ibench-seeds=500")
    run = _start(bench, *options, "--ibench-concurrency=500", "--ibench-report=json:report.json")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 2, output
    report = json.loads((bench.pytester.path / "report.json").read_text())
    assert {attempt["status"] for attempt in report["attempts"]} == {"interrupted"}
    assert "stopping: attempts under way get their final evaluation" in output
    begun = bench.records()
    assert 0 < len(begun) < 500
    assert [folder.name for folder in begun if not (folder / "result.json").exists()] == []


def test_an_interrupt_of_xdist_reports_what_its_workers_left(bench: Bench) -> None:
    bench.tree.add_task("slow", solution="echo 12 > data/outputs/score.txt; touch data/started; sleep 60")
    bench.tree.add_task("slower", solution="sleep 60")
    run = _start(bench, "-n", "1", "--ibench-report=json:report.json")
    _wait_for(bench.pytester.path, ".ibench/runs/*/attempts/slow-*/workspace/upper/data/started")
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=40)
    assert run.returncode == 2, output
    report = json.loads((bench.pytester.path / "report.json").read_text())
    assert [(a["task"], a["status"]) for a in report["attempts"]] == [
        ("slow", "interrupted"),
        ("slower", "interrupted"),
    ]


@pytest.mark.parametrize("mode", [[], ["-n", "1"]], ids=["plain", "xdist"])
def test_after_kill_9_the_record_holds_what_was_evaluated(bench: Bench, mode: list[str]) -> None:
    marker = f"319.{len(mode)}"
    bench.tree.add_task()
    bench.tree.write(
        "agent.sh",
        f"""
        #!/bin/sh
        echo 33 > data/outputs/score.txt
        ibench-tool eval
        touch data/started
        sleep {marker}
        """,
        mode=0o755,
    )
    run = _start(bench, "--ibench-agent=command:./agent.sh", "-k", "command", "--ibench-run-id=killed", *mode)
    _wait_for(bench.pytester.path, ".ibench/runs/killed/attempts/toy-command*/workspace/upper/data/started")
    run.kill()
    run.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while _processes(f"sleep\0{marker}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes(f"sleep\0{marker}") == []
    shown = bench.ibench("report", ".ibench/runs/killed", "--to=json:after.json")
    shown.stdout.fnmatch_lines(["*toy * 33.0*33.0*INTERRUPTED*"])
    assert bench.run(agent="nop").ret == 0
