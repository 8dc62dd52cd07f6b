"""Rules for tasks as items of pytest."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path

import pytest

from tests.plugin.conftest import Bench

MODES = pytest.mark.parametrize("mode", [[], ["-n", "2"]], ids=["plain", "xdist"])
USAGE = 4

# Rules whose outcome a test sets in a file, and which note who checked what.
RULES = """
import json, os
from pathlib import Path

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule

def checker(code):
    def check(subject):
        with Path("calls.jsonl").open("a") as file:
            file.write(json.dumps([subject.task_id, code, os.getpid(), str(subject.scratch)]) + "\\n")
        wanted = Path(f"{subject.task_id}-{code}")
        kind, _, text = wanted.read_text().partition(":") if wanted.exists() else ("", "", "")
        if kind == "skip":
            raise NotCheckedError(text)
        if kind == "boom":
            raise ValueError(text)
        if kind:
            where = f"evaluations/{subject.task_id}/task.yaml"
            yield Finding(message=text, file=where, line=1, severity=kind)
    return check

def pytest_ibench_rules():
    costs = {"XX100": "reading", "XX101": "reading", "XX600": "attacks"}
    return [
        Rule(code=code, name="own-rule", summary="Tasks are good.", why="So.", remedy="mend it",
             check=checker(code), cost=cost)
        for code, cost in costs.items()
    ]
"""


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two tasks and three rules of the repository's own."""
    bench.tree.add_task("alpha", manifest="domain: LD")
    bench.tree.add_task("beta", manifest="domain: DF")
    bench.pytester.makeconftest(RULES)
    return bench


def validate(bench: Bench, *args: str, only: str = "XX") -> pytest.RunResult:
    return bench.pytester.runpytest_subprocess("--ibench-validate", "-rsx", "-k", only, *args, timeout=120)


def outcome(bench: Bench, task: str, code: str, text: str) -> None:
    (bench.pytester.path / f"{task}-{code}").write_text(text)


def calls(bench: Bench) -> list[list[str]]:
    text = (bench.pytester.path / "calls.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def collected(result: pytest.RunResult) -> list[str]:
    return [line.rpartition("::")[2] for line in result.outlines if "::" in line]


@MODES
def test_a_task_that_keeps_every_rule_passes(two: Bench, mode: list[str]) -> None:
    result = validate(two, *mode)
    assert result.ret == 0
    result.assert_outcomes(passed=4, skipped=2)
    result.stdout.fnmatch_lines(["alpha: 3 rules, 1 not checked", "beta: 3 rules, 1 not checked"])
    result.stdout.fnmatch_lines(
        ["SKIPPED [[]1[]] evaluations/alpha/task/config.py:1: attacks were not asked for (--ibench-attack)"]
    )
    assert not (two.pytester.path / ".ibench").exists()


@MODES
def test_an_error_fails_in_a_few_lines(two: Bench, mode: list[str]) -> None:
    outcome(two, "alpha", "XX100", "error:it is \x1b[31mbad")
    result = validate(two, *mode)
    assert result.ret == 1
    result.assert_outcomes(passed=3, failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*_ alpha[[]XX100[]] _*",
            "*XX100 own-rule: Tasks are good.",
            "evaluations/alpha/task.yaml:1: error: it is \\x1b*31mbad",
            "    mend it",
            "alpha: 3 rules, 1 broken, 1 not checked",
        ],
        consecutive=False,
    )
    assert "Traceback" not in result.stdout.str()
    assert "rule_items.py" not in result.stdout.str()


@MODES
def test_warnings_and_notes_pass_and_are_shown(two: Bench, mode: list[str]) -> None:
    outcome(two, "alpha", "XX100", "warning:it could be better")
    outcome(two, "beta", "XX101", "note:it took 3 s")
    result = validate(two, "-v", *mode)
    assert result.ret == 0
    result.assert_outcomes(passed=4, skipped=2)
    result.stdout.fnmatch_lines(
        ["*alpha*XX100*PASSED (warning)*"] if not mode else ["*PASSED (warning)*alpha*"]
    )
    result.stdout.fnmatch_lines(
        [
            "evaluations/alpha/task.yaml:1: warning XX100: it could be better",
            "evaluations/beta/task.yaml:1: note XX101: it took 3 s",
            "alpha: 3 rules, 1 with warnings, 1 not checked",
            "beta: 3 rules, 1 not checked",
        ]
    )


@MODES
def test_what_is_waived_is_expected_to_fail_and_shown(two: Bench, mode: list[str]) -> None:
    two.tree.write("evaluations/alpha/task.yaml", "domain: LD\nwaive: {XX100: it is an example}\n")
    outcome(two, "alpha", "XX100", "error:it is bad")
    result = validate(two, "-v", *mode)
    assert result.ret == 0
    result.assert_outcomes(passed=3, xfailed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*WAIVED*",
            "evaluations/alpha/task.yaml:1: error XX100: it is bad (waived: it is an example)",
            "alpha: 3 rules, 1 waived, 1 not checked",
            "WAIVED *alpha[[]XX100[]] - waived: it is an example",
        ]
    )
    assert validate(two, "--runxfail", *mode).ret == 1


@MODES
def test_what_is_not_checked_is_skipped_with_the_reason(two: Bench, mode: list[str]) -> None:
    outcome(two, "alpha", "XX100", "skip:there is nothing to read")
    result = validate(two, *mode)
    result.assert_outcomes(passed=3, skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED * evaluations/alpha/task/config.py:1: there is nothing to read"])


def test_a_rule_that_fails_is_a_finding(two: Bench) -> None:
    outcome(two, "alpha", "XX100", "boom:no idea")
    result = validate(two)
    result.assert_outcomes(passed=3, failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        ["evaluations/alpha: error: the rule itself failed: ValueError: no idea (conftest.py:*)"]
    )


def test_attacks_are_tried_when_asked_for(two: Bench) -> None:
    validate(two, "--ibench-attack").assert_outcomes(passed=6)
    two.pytester.makeini("[pytest]\nibench_validate = true\nibench_attack = true\n")
    two.pytester.runpytest_subprocess("-k", "XX").assert_outcomes(passed=6)


def test_what_is_typed_counts_before_the_ini_file(two: Bench) -> None:
    two.pytester.makeini("[pytest]\nibench_validate = true\n")
    result = two.pytester.runpytest_subprocess("--ibench-agent=nop", "--collect-only", "-q")
    assert collected(result) == ["alpha[nop-0]", "beta[nop-0]"]
    two.pytester.makeini("[pytest]\nibench_agent = nop\n")
    assert collected(validate(two, "--collect-only", "-q", only="XX600")) == ["alpha[XX600]", "beta[XX600]"]
    two.pytester.makeini("[pytest]\nibench_agent = nop\nibench_validate = true\n")
    assert two.pytester.runpytest_subprocess().ret == USAGE


@MODES
def test_one_examination_serves_all_rules_of_a_task(two: Bench, mode: list[str]) -> None:
    validate(two, "--ibench-attack", *mode)
    seen = {
        task: {tuple(place) for name, _, *place in calls(two) if name == task} for task in ("alpha", "beta")
    }
    assert [len(places) for places in seen.values()] == [1, 1]
    assert len(calls(two)) == 6
    assert not any((two.pytester.path / scratch).exists() for _, _, _, scratch in calls(two))


def test_another_distribution_is_the_users_choice(two: Bench) -> None:
    result = validate(two, "-n", "2", "--dist=loadscope", "--ibench-attack")
    result.assert_outcomes(passed=6)
    assert len({tuple(place) for _, _, *place in calls(two)}) == 2


def test_collecting_checks_nothing(two: Bench) -> None:
    result = validate(two, "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        f"evaluations/{task}/task/config.py::{task}[{code}]"
        for task in ("alpha", "beta")
        for code in ("XX100", "XX101", "XX600")
    ]
    assert not (two.pytester.path / "calls.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-k", "XX100"], ["alpha[XX100]", "beta[XX100]"]),
        (["-k", "beta and XX1"], ["beta[XX100]", "beta[XX101]"]),
        (["-k", "XX100", "--ibench-task=domain:DF"], ["beta[XX100]"]),
        (["-m", "ibench(code='XX101', id='alpha')", "-k", ""], ["alpha[XX101]"]),
        (["-m", "ibench(domain='LD')", "-k", "XX10"], ["alpha[XX100]", "alpha[XX101]"]),
        (["-m", "not ibench(cost='attacks')", "-k", "XX and alpha"], ["alpha[XX100]", "alpha[XX101]"]),
        (["evaluations/beta", "-k", "XX6"], ["beta[XX600]"]),
        (["evaluations/beta/task/config.py::beta[XX600]"], ["beta[XX600]"]),
    ],
)
def test_items_are_selected(two: Bench, arguments: list[str], expected: list[str]) -> None:
    assert collected(validate(two, "--collect-only", "-q", *arguments)) == expected


def test_the_rules_of_the_package_are_there(two: Bench) -> None:
    names = collected(validate(two, "--collect-only", "-q", "--ibench-task=alpha", only=""))
    assert {"alpha[IB001]", "alpha[IB301]", "alpha[IB403]", "alpha[IB601]", "alpha[XX100]"} <= set(names)
    # What looks back at the others comes last.
    assert names == [*sorted(set(names) - {"alpha[IB003]"}), "alpha[IB003]"]


@MODES
def test_last_failed_checks_what_failed(two: Bench, mode: list[str]) -> None:
    two.pytester.makeini("[pytest]\n")
    outcome(two, "beta", "XX101", "error:it is bad")
    validate(two, *mode).assert_outcomes(passed=3, failed=1, skipped=2)
    validate(two, "--lf", *mode).assert_outcomes(failed=1)


@MODES
def test_junit_holds_findings(two: Bench, mode: list[str]) -> None:
    two.tree.write("evaluations/beta/task.yaml", "domain: DF\nwaive: {XX100: it is an example}\n")
    outcome(two, "alpha", "XX100", "error:it is bad")
    outcome(two, "alpha", "XX101", "warning:it could be better")
    outcome(two, "beta", "XX100", "error:it is bad")
    validate(two, "--junit-xml=junit.xml", *mode)
    (suite,) = ET.parse(two.pytester.path / "junit.xml").getroot()  # noqa: S314 - our own file
    counts = [suite.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counts == ["6", "1", "0", "3"]
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["alpha[XX100]"].find("failure")
    assert failure is not None
    assert "evaluations/alpha/task.yaml:1: error: it is bad" in str(failure.get("message"))
    assert _properties(cases["alpha[XX101]"]) == [
        ("rule", "XX101"),
        ("name", "own-rule"),
        ("finding", "evaluations/alpha/task.yaml:1: warning: it could be better"),
    ]
    assert ("waived", "it is an example") in _properties(cases["beta[XX100]"])
    skipped = cases["beta[XX100]"].find("skipped")
    assert skipped is not None
    assert (skipped.get("type"), skipped.get("message")) == ("pytest.xfail", "waived: it is an example")


def _properties(case: ET.Element) -> list[tuple[str | None, str | None]]:
    return [(one.get("name"), one.get("value")) for one in case.iter("property")]


def test_a_broken_task_has_findings_and_the_others_are_checked(two: Bench) -> None:
    two.tree.write("evaluations/alpha/task.yaml", "domain: [\n")
    two.tree.write("evaluations/alpha/task/evaluation.py", "def broken(:\n")
    result = validate(two, only="XX or IB30 or IB40")
    assert "INTERNALERROR" not in result.stdout.str()
    result.stdout.fnmatch_lines(["SKIPPED * evaluations/alpha/task/config.py:1: *the task cannot be loaded*"])
    assert {name for name, *_ in calls(two)} == {"alpha", "beta"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--ibench-validate", "--ibench-agent=nop"],
            "--ibench-agent and --ibench-validate do not go together: run one after the other",
        ),
        (
            ["--ibench-validate", "--ibench-seeds=2"],
            "--ibench-seeds is of no use to --ibench-validate: leave it out",
        ),
        (["--ibench-attack"], "--ibench-attack needs --ibench-validate: add it"),
        (["--ibench-agent=nop", "--ibench-repeat=2"], "--ibench-repeat needs --ibench-validate: add it"),
        (
            ["--ibench-validate", "--ibench-repeat=-1"],
            "--ibench-repeat: '-1' is not allowed: give a whole number from 0 up",
        ),
        (["--ibench-validate", "--ibench-task=nothing"], "unknown task 'nothing': known: all, alpha, beta"),
        (["--ibench-validate", "--ibench-sandbox=magic"], "--ibench-sandbox: 'magic' is not known"),
    ],
)
def test_a_wrong_option_is_one_line(two: Bench, arguments: list[str], message: str) -> None:
    result = two.pytester.runpytest_subprocess(*arguments)
    assert result.ret == USAGE
    (error,) = [line for line in result.errlines if line.startswith("ERROR")]
    assert message in error


def test_the_documented_rule_works(two: Bench) -> None:
    page = (Path(__file__).parents[2] / "docs/usage.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n# conftest.py\n(.*?)```", page, re.DOTALL)
    two.pytester.makeconftest(block)
    two.tree.write("evaluations/beta/task.yaml", "{domain: DF, paper: {title: T, url: 'https://a.b'}}")
    result = validate(two, only="LAB100")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["evaluations/alpha/task.yaml: error: names no paper", "    add paper.title and paper.url"]
    )


def test_a_rule_with_a_code_that_is_taken_is_refused(two: Bench) -> None:
    two.pytester.makeconftest(RULES.replace("XX101", "IB403"))
    result = validate(two)
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["ERROR: two rules have the code IB403: rename the one of your own"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupt_ends_at_once_and_leaves_nothing(
    two: Bench, tmp_path: Path, number: signal.Signals
) -> None:
    marker = f"{tmp_path.name}-{number}"
    slow = f"import subprocess\nsubprocess.run(['sh', '-c', 'sleep 60; : {marker}'])\n"
    two.tree.write("evaluations/alpha/task/evaluation.py", slow)
    scratch = two.pytester.mkdir("scratch")
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ibench-validate", "-v", "-k", "IB301 and alpha"],
        cwd=two.pytester.path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not processes(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes(marker)
    run.send_signal(number)
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 2, output
    assert "KeyboardInterrupt" in output
    assert processes(marker) == []
    assert list(scratch.glob("ibench-validate-*")) == []


def processes(marker: str) -> list[str]:
    """Return the processes, anywhere on the machine, whose command line holds a text."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and marker.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found
