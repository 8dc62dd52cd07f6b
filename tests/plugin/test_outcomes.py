"""How attempts end, as users see it: words, exit codes, summary and report."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Bench

MODES = pytest.mark.parametrize(
    "mode", [[], ["--ibench-concurrency=3"], ["-n", "2"]], ids=["plain", "concurrent", "xdist"]
)

RAISES = """
from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        raise RuntimeError("the label is zebra")
"""

FLAGS = """
from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        return {"score": 34, "error": None, "message": None, "violation": "labels were copied"}
"""


@MODES
def test_the_four_ways_to_end_are_kept_apart(bench: Bench, mode: list[str]) -> None:
    bench.tree.add_task("good", solution="echo 76.44 > data/outputs/score.txt")
    bench.tree.add_task("faulty", evaluation=RAISES)
    bench.tree.add_task("cheated", evaluation=FLAGS)
    result, report = bench.report("-v", *mode)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "*good?oracle-0?*SCORED 76.4*" if mode != ["-n", "2"] else "*SCORED 76.4*good?oracle-0?*",
            "*UNSCOREABLE (evaluator)*",
            "*VIOLATION 34.0*",
            "*1 passed*",
        ]
    )
    attempts = {attempt["task"]: attempt for attempt in report["attempts"]}
    assert {task: attempt["status"] for task, attempt in attempts.items()} == {
        "cheated": "violation",
        "faulty": "unscoreable",
        "good": "scored",
    }
    assert attempts["faulty"]["fault"] == "evaluator"
    assert attempts["faulty"]["final"] is None
    assert attempts["faulty"]["error"] == "evaluator raised RuntimeError in run_1 (metric_0)"
    assert attempts["cheated"]["final"] == 34
    assert attempts["cheated"]["error"] == "labels were copied"
    result.stdout.fnmatch_lines(["*weighted average*76.4*1 of 3 tasks*"])
    assert "zebra" not in json.dumps(report)
    assert "zebra" not in result.stdout.str()


@MODES
def test_all_scored_is_exit_code_zero(bench: Bench, mode: list[str]) -> None:
    bench.tree.add_task("one")
    bench.tree.add_task("two", solution="echo 70 > data/outputs/score.txt")
    result, report = bench.report(*mode, agent="oracle,baseline")
    assert result.ret == 0
    result.assert_outcomes(passed=4)
    means = {agent["agent"]: agent["weighted_average"]["final"]["value"] for agent in report["agents"]}
    assert means == {"baseline": 0.0, "oracle": 72.5}
    result.stdout.fnmatch_lines(["*weighted average*72.5*2 of 2 tasks*"])


def test_fail_under(bench: Bench) -> None:
    bench.tree.add_task()
    assert bench.run("--ibench-fail-under=75").ret == 0
    result = bench.run("--ibench-fail-under=75.1", "-v")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*SCORED 75.0 (below the limit)*", "the final score 75.0 is below 75.1", "record: *toy-oracle-0"]
    )


def test_an_agent_that_crashes_is_scored_on_what_it_left_and_marked(bench: Bench) -> None:
    bench.tree.add_task(solution="echo 30 > data/outputs/score.txt; echo out of luck; exit 3")
    result, report = bench.report("-v")
    assert result.ret == 0
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"], attempt["ending"]) == ("scored", 30, "crashed")
    assert attempt["error"] == "the agent's program ended with status 3: out of luck"
    result.stdout.fnmatch_lines(["*SCORED 30.0 (crashed)*"])


def test_an_oracle_without_anything_to_run_says_so(bench: Bench) -> None:
    bench.tree.add_task(solution=None, baseline=None)
    result, report = bench.report(agent="oracle,baseline")
    assert result.ret == 1
    baseline, oracle = report["attempts"]
    assert oracle["fault"] == baseline["fault"] == "evaluator"
    assert oracle["error"] == (
        "the oracle has nothing to run for task 'toy': "
        "write evaluations/toy/solution/run.sh or ship evaluations/toy/data/outputs"
    )
    assert baseline["error"] == (
        "task 'toy' has no baseline submission: put one into evaluations/toy/data/baselines"
    )


def test_an_oracle_submits_ready_outputs(bench: Bench) -> None:
    bench.tree.add_task(solution=None)
    bench.tree.write("evaluations/toy/data/outputs/score.txt", "71")
    _, report = bench.report()
    assert report["attempts"][0]["final"] == 71


def test_an_environment_that_cannot_be_built_is_the_machines_fault(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("gym/toy/task/requirements.txt", "no-such-package-anywhere==99.99\n")
    result, report = bench.report()
    assert result.ret == 1
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    assert "requirements.txt cannot be installed: ERROR: " in attempt["error"]
    assert "mend the file or the connection to the package index" in attempt["error"]


def test_a_seed_reaches_the_agent_and_the_mean_goes_over_seeds(bench: Bench) -> None:
    bench.tree.add_task(solution="echo $((60 + IBENCH_SEED)) > data/outputs/score.txt")
    result, report = bench.report("--ibench-seeds=0,10")
    assert [attempt["final"] for attempt in report["attempts"]] == [60, 70]
    result.stdout.fnmatch_lines(["*weighted average*65.0*1 of 1 task*"])


def test_the_hint_is_paid_once_on_every_later_score(bench: Bench) -> None:
    bench.tree.add_task(manifest="{domain: LD, hint: {penalty: 10}}", hint="look here")
    bench.tree.write(
        "agent.sh",
        """
        #!/bin/sh
        echo 50 > data/outputs/score.txt
        ibench-tool eval
        ibench-tool hint | grep 'look here' || exit 9
        ibench-tool hint
        ibench-tool eval
        echo 5 > data/outputs/score.txt
        """,
        mode=0o755,
    )
    _, report = bench.report(agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert attempt["error"] is None
    assert [attempt[key] for key in ("first", "best", "final", "evals", "hints", "penalty")] == [
        50,
        50,
        0,
        2,
        1,
        10,
    ]
    (record,) = bench.records()
    events = [json.loads(line) for line in (record / "events.jsonl").read_text().splitlines()]
    assert [event["score"] for event in events if event["kind"] == "evaluation"] == [50, 50, 5]


def test_hints_can_be_denied(bench: Bench) -> None:
    bench.tree.add_task(manifest="{domain: LD, hint: {penalty: 10}}", hint="look here")
    bench.tree.write("agent.sh", "#!/bin/sh\nibench-tool hint && exit 9\nexit 0\n", mode=0o755)
    _, report = bench.report("--ibench-hints=deny", agent="command:./agent.sh")
    assert (report["attempts"][0]["hints"], report["attempts"][0]["error"]) == (0, None)


def test_evaluations_are_counted_and_one_too_many_ends_the_attempt(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write(
        "agent.sh",
        "#!/bin/sh\nfor i in 1 2 3 4 5; do echo $i > data/outputs/score.txt; ibench-tool eval; done\nsleep 60\n",
        mode=0o755,
    )
    _, report = bench.report("--ibench-max-evals=2", agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert [attempt[key] for key in ("first", "best", "final", "evals", "ending")] == [1, 3, 3, 2, "evals"]
    assert attempt["seconds"] < 30


def test_working_time_ends_an_attempt_with_its_final_evaluation(bench: Bench) -> None:
    bench.tree.add_task(
        solution="echo 44 > data/outputs/score.txt; sleep 60; echo 99 > data/outputs/score.txt"
    )
    result, report = bench.report("--ibench-working-time=1")
    assert result.ret == 0
    (attempt,) = report["attempts"]
    assert (attempt["final"], attempt["ending"]) == (44, "time")
    assert attempt["error"] == "the working time is used up"


def test_several_reports_are_written_at_once(bench: Bench) -> None:
    bench.tree.add_task()
    result = bench.run(
        "--ibench-report=json:out/a.json", "--ibench-report=md:out/a.md", "--ibench-report=html:out/a.html"
    )
    assert result.ret == 0
    assert json.loads((bench.pytester.path / "out/a.json").read_text())["attempts"][0]["final"] == 75
    assert "75.0" in (bench.pytester.path / "out/a.md").read_text()
    assert "<svg" in (bench.pytester.path / "out/a.html").read_text()


def test_a_report_that_cannot_be_written_fails_the_run_in_one_line(bench: Bench) -> None:
    bench.tree.add_task()
    (bench.pytester.path / "taken").write_text("")
    result = bench.run("--ibench-report=json:taken/report.json")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["report not written: *"])
    result.assert_outcomes(passed=1)


def test_the_record_says_what_an_attempt_was_graded_with(bench: Bench) -> None:
    bench.tree.add_task(manifest="{version: '1.3', domain: LD}")
    bench.run("--ibench-seeds=7,")
    (record,) = bench.records()
    spec = json.loads((record / "attempt.json").read_text())
    assert (spec["task_version"], spec["seed"], spec["agent"]) == ("1.3", 7, "oracle")
    assert spec["versions"]["pytest"]
    prepared = json.loads((record / "events.jsonl").read_text().splitlines()[0])
    assert prepared["kind"] == "prepared"
    assert prepared["evaluator"].startswith("sha256:")
    assert (record / "submissions/001.tar").is_file()
    graded = bench.ibench("grade", str(record / "submissions/001.tar"), "--task=toy")
    verdict = json.loads(graded.stdout.str())
    assert (verdict["score"], verdict["evaluator"]) == (75, prepared["evaluator"])
