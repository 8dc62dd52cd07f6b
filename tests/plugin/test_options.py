from __future__ import annotations

import pytest

from tests.plugin.conftest import Bench

USAGE = 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ibench-agent=nobody"], "unknown agent 'nobody': known: baseline, "),
        (["--ibench-agent=oracle:x"], "agent 'oracle' takes nothing after a colon: write oracle"),
        (["--ibench-agent=command"], "agent 'command' needs more: write command:PROGRAM"),
        (["--ibench-agent=,"], "--ibench-agent is empty: name at least one, such as oracle"),
        (["--ibench-task=nothing"], "unknown task 'nothing': known: all, toy"),
        (["--ibench-task=domain:XX"], "unknown domain 'XX': known: DC, DF, DA, LD, RD, SC, other"),
        (["--ibench-seeds=many"], "--ibench-seeds: 'many' is not understood"),
        (["--ibench-seeds=0"], "--ibench-seeds: '0' gives no usable seeds"),
        (
            ["--ibench-concurrency=0"],
            "--ibench-concurrency: '0' is not allowed: give a whole number from 1 up",
        ),
        (["--ibench-fail-under=101"], "--ibench-fail-under: '101' is not a score"),
        (["--ibench-fail-under=nan"], "--ibench-fail-under: 'nan' is not a score"),
        (["--ibench-sandbox=magic"], "--ibench-sandbox: 'magic' is not known: choose bubblewrap or none"),
        (["--ibench-working-time=soon"], "--ibench-working-time: 'soon' is not a duration"),
        (["--ibench-max-evals=-1"], "--ibench-max-evals: '-1' is not allowed"),
        (["--ibench-max-steps=0"], "--ibench-max-steps: '0' is not allowed"),
        (["--ibench-hints=maybe"], "--ibench-hints: 'maybe' is not known: choose allow or deny"),
        (["--ibench-report=xml:x"], "cannot make a report of 'xml:x': use json:PATH, md:PATH or html:PATH"),
        (["--ibench-run-id=../x"], "--ibench-run-id: '../x' cannot name a folder"),
        (["--ibench-root=elsewhere"], "no evaluations/ folder in"),
    ],
)
def test_a_wrong_value_is_one_line_and_nothing_runs(bench: Bench, arguments: list[str], message: str) -> None:
    bench.tree.add_task()
    agent = [] if arguments[0].startswith("--ibench-agent") else ["--ibench-agent=oracle"]
    result = bench.pytester.runpytest_subprocess(*agent, *arguments)
    assert result.ret == USAGE
    errors = [line for line in result.errlines if line.startswith("ERROR")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not any("Traceback" in line for line in result.errlines)
    assert not (bench.pytester.path / ".ibench").exists()


def test_an_unknown_option_is_refused(bench: Bench) -> None:
    result = bench.run("--ibench-speed=high")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["*unrecognized arguments: --ibench-speed=high*"])


def test_ini_twins_count_and_the_command_line_wins(bench: Bench) -> None:
    bench.tree.add_task("one")
    bench.tree.add_task("two")
    bench.pytester.makeini(
        "[pytest]\nibench_agent = oracle, nop\nibench_task = one\nibench_seeds = 2\nibench_run_dir = kept\n"
    )
    result = bench.pytester.runpytest_subprocess("--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        f"evaluations/one/task/config.py::one[{label}]"
        for label in ("oracle-0", "oracle-1", "nop-0", "nop-1")
    ]
    result = bench.pytester.runpytest_subprocess(
        "--collect-only", "-q", "--ibench-task=two", "--ibench-agent=nop", "--ibench-seeds=7,"
    )
    assert [line for line in result.outlines if "::" in line] == [
        "evaluations/two/task/config.py::two[nop-7]"
    ]


def test_a_run_id_is_used_once(bench: Bench) -> None:
    bench.tree.add_task()
    assert bench.run("--ibench-run-id=mine", agent="nop").ret == 0
    assert (bench.pytester.path / ".ibench/runs/mine/attempts/toy-nop-0/result.json").is_file()
    again = bench.run("--ibench-run-id=mine", agent="nop")
    assert again.ret == USAGE
    again.stderr.fnmatch_lines(["*runs/mine exists: choose another --ibench-run-id*"])


def test_an_option_without_an_agent_says_so(bench: Bench) -> None:
    bench.tree.add_task()
    result = bench.pytester.runpytest_subprocess("--ibench-task=toy")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["ERROR: --ibench-task needs --ibench-agent: name at least one agent*"])


def test_an_empty_benchmark_says_so(bench: Bench) -> None:
    result = bench.run()
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["ERROR: no task in *evaluations: write one, or give another folder*"])
