from __future__ import annotations

import pytest

from tests.plugin.conftest import Bench


def collected(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two tasks of different domains and an ordinary test."""
    bench.tree.add_task("alpha", manifest="domain: LD")
    bench.tree.add_task("beta", manifest="domain: DF")
    bench.tree.write("tests/test_plain.py", "def test_plain(): pass\n")
    return bench


def test_without_paths_only_attempts_are_collected(two: Bench) -> None:
    result = two.run("--collect-only", "-q", "--ibench-seeds=2")
    assert collected(result) == [
        "evaluations/alpha/task/config.py::alpha[oracle-0]",
        "evaluations/alpha/task/config.py::alpha[oracle-1]",
        "evaluations/beta/task/config.py::beta[oracle-0]",
        "evaluations/beta/task/config.py::beta[oracle-1]",
    ]
    assert not (two.pytester.path / ".ibench").exists()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests", ["tests/test_plain.py::test_plain"]),
        ("evaluations/beta", ["evaluations/beta/task/config.py::beta[oracle-0]"]),
        (
            "evaluations/beta/task/config.py::beta[oracle-0]",
            ["evaluations/beta/task/config.py::beta[oracle-0]"],
        ),
        (
            ".",
            [
                "evaluations/alpha/task/config.py::alpha[oracle-0]",
                "evaluations/beta/task/config.py::beta[oracle-0]",
                "tests/test_plain.py::test_plain",
            ],
        ),
    ],
)
def test_with_paths_what_the_paths_say(two: Bench, path: str, expected: list[str]) -> None:
    assert collected(two.run("--collect-only", "-q", path)) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--ibench-task=domain:DF"], ["beta"]),
        (["--ibench-task=domain:df,alpha"], ["alpha", "beta"]),
        (["--ibench-task=a*"], ["alpha"]),
        (["--ibench-task=alpha", "--ibench-task=beta"], ["alpha", "beta"]),
        (["-k", "beta"], ["beta"]),
        (["-m", "ibench(domain='LD')"], ["alpha"]),
        (["-m", "ibench(id='beta', agent='oracle', seed=0)"], ["beta"]),
        (["-m", "ibench(agent='nop')"], []),
    ],
)
def test_tasks_are_selected(two: Bench, arguments: list[str], expected: list[str]) -> None:
    result = two.run("--collect-only", "-q", *arguments)
    assert [line.rpartition("::")[2] for line in collected(result)] == [
        f"{name}[oracle-0]" for name in expected
    ]


def test_without_an_agent_nothing_of_ours_happens(two: Bench) -> None:
    result = two.pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert not any("innovatorbench" in line for line in result.outlines if not line.startswith("plugins:"))
    assert not (two.pytester.path / ".ibench").exists()


def test_foreign_code_in_a_workspace_is_never_collected(two: Bench) -> None:
    trap = "open('/tmp/never', 'w'); raise SystemExit('a trap ran')\n"
    two.tree.write("gym/alpha/task/repositories/code/conftest.py", trap)
    two.tree.write("gym/alpha/task/repositories/code/test_trap.py", trap)
    two.tree.write(".ibench/runs/old/attempts/a/workspace/upper/conftest.py", trap)
    two.tree.write(".ibench/runs/old/attempts/a/workspace/upper/test_trap.py", trap)
    for arguments in ([], ["."], ["gym", "tests"], ["--ibench-agent=nop", "."]):
        result = two.pytester.runpytest_subprocess("--collect-only", "-q", *arguments)
        assert result.ret == 0, result.outlines
        assert not any("trap" in line for line in result.outlines)


def test_a_broken_task_fails_with_all_its_problems_and_the_others_run(two: Bench) -> None:
    two.tree.write("evaluations/alpha/task.yaml", "domain: XX\nlimits: {evals: many}\ntitel: Alpha\n")
    (two.pytester.path / "gym/alpha/task/task_description.md").unlink()
    result, report = two.report()
    assert result.ret == 1
    fine, broken = report["attempts"]
    assert (fine["task"], fine["status"]) == ("beta", "scored")
    assert (broken["task"], broken["status"], broken["fault"]) == ("alpha", "unscoreable", "evaluator")
    for part in (
        "evaluations/alpha/task.yaml: unknown key 'titel' (did you mean title?)",
        'evaluations/alpha/task.yaml: domain: "XX" is not allowed (give one of DC, DF, DA, LD, RD, SC, other)',
        'evaluations/alpha/task.yaml: limits.evals: "many" is not allowed (give a whole number, 0 or more)',
        "gym/alpha/task/task_description.md: is missing (write the description for the agent)",
    ):
        assert part in broken["error"]
    result.stdout.fnmatch_lines(["*1 of 2*"])


def test_a_benchmark_elsewhere_is_found_by_its_root(two: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = two.pytester.mkdir("elsewhere")
    monkeypatch.chdir(elsewhere)
    result = two.run(
        "-q", "--ibench-root=..", f"--rootdir={elsewhere}", "--ibench-task=beta", "-p", "no:cacheprovider"
    )
    result.stdout.fnmatch_lines(["*beta * 75.0*SCORED*", "1 passed*"])
    assert (elsewhere / ".ibench" / "runs").is_dir()
    listed = two.run(
        "-q", "--ibench-root=..", f"--rootdir={elsewhere}", "--ibench-task=beta", "--collect-only"
    )
    (nodeid,) = collected(listed)
    assert nodeid == "../evaluations/beta/task/config.py::beta[oracle-0]"
    two.run("--ibench-root=..", f"--rootdir={elsewhere}", nodeid).assert_outcomes(passed=1)


def test_the_built_in_tasks_run_from_an_empty_folder(two: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(two.pytester.mkdir("empty"))
    result = two.run("--collect-only", "-q", "--rootdir=.")
    names = [line.rpartition("::")[2] for line in collected(result)]
    assert {"filter_noisy_pool[oracle-0]", "loss_noisy_labels[oracle-0]"} <= set(names)
