"""Rules on the tests of a task: there are some, and they pass alone."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_innovatorbench
from pytest_innovatorbench.authoring.checks import calibration, evaluator, layout
from pytest_innovatorbench.authoring.checks.environment_programs import run
from pytest_innovatorbench.authoring.checks.evaluator_faults import need_working
from pytest_innovatorbench.authoring.checks.evaluator_sources import MOST_BYTES, parse
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.validation import check
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.runs.judge import evaluation_target
from pytest_innovatorbench.sandbox import Bind, Jail, Limits, open_sandbox
from pytest_innovatorbench.tasks.benchmark import builtin_root
from pytest_innovatorbench.tasks.environment import harness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.environment_programs import Ended
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.evaluation.target import EvaluationTarget

SECONDS = 600.0
PROCESSES = 256
MOST_SHOWN = 5
ROOT = "/benchmark"
_LIBRARY = "/ibench"
_PACKAGE = Path(pytest_innovatorbench.__file__).parent
_LONGEST = 300
_NO_TESTS = 5
_SETTINGS = ("pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", "conftest.py")
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
}
_BLOCK = re.compile(r"^={70}\n(?:FAIL|ERROR): (\S+)(.*?)(?=^={70}$|^-{70}\nRan )", re.MULTILINE | re.DOTALL)
_SUMMARY = re.compile(r"^(?:FAILED|ERROR) (\S+)(?: - (.+))?$", re.MULTILINE)
_PASSED = re.compile(r"^Ran [1-9]\d* test|\b[1-9]\d* (?:passed|skipped|xfailed)\b", re.MULTILINE)
_RAISED = re.compile(r"^((?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Failure)\b.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A test that failed.

    Attributes:
        name: Its name, or that of what could not be loaded.
        said: What was raised, if that is known.
    """

    name: str
    said: str


def _exists(subject: Subject) -> Iterator[Finding]:
    if subject.test_file.is_file():
        return
    if subject.root == builtin_root().resolve() and not subject.test_file.parent.is_dir():
        raise NotCheckedError("the tests of the built-in tasks are not installed with them")
    shown = subject.shown(subject.test_file)
    yield Finding(message=f"there is no {shown}", file=shown)


def _pass(subject: Subject) -> Iterator[Finding]:
    tree = _tree(subject.test_file)
    need_working(subject)  # tests of an evaluator that hangs would hang as well
    ended = _run(subject, by_pytest=tree is not None and _is_for_pytest(tree))
    findings = list(_findings(subject, tree, ended))
    if findings:
        _leave_to_others(subject, findings[0].message)
    yield from findings


def _tree(file: Path) -> ast.Module | None:
    if not file.is_file() or file.is_symlink():
        raise NotCheckedError("there is no test file")
    with file.open("rb") as content:
        return parse(content.read(MOST_BYTES))


def _is_for_pytest(tree: ast.Module) -> bool:
    """Tell whether unittest would miss some of the tests."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            return True
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test") and not node.bases:
            return True
        if isinstance(node, ast.Import) and any(alias.name == "pytest" for alias in node.names):
            return True
    return False


def _run(subject: Subject, *, by_pytest: bool) -> Ended:
    target = evaluation_target(subject.task)
    sandbox = open_sandbox(subject.options.sandbox)
    jail = _furnish(subject, target)
    library = sandbox.inside(jail, f"{_LIBRARY}/{_PACKAGE.name}").removesuffix(f"/{_PACKAGE.name}")
    path = [*(sandbox.inside(jail, place) for place in (ROOT, *map(str, target.site_packages))), library]
    jail = replace(jail, environment={**_ENVIRONMENT, "PYTHONPATH": ":".join(dict.fromkeys(path))})
    name = f"test_{subject.task_id}"
    program = (
        ["pytest", "-p", "no:cacheprovider", "--tb=short", "-rfE", f"tests/{name}.py"]
        if by_pytest
        else ["unittest", f"tests.{name}"]
    )
    argv = [sandbox.inside(jail, str(_python())), "-m", *program]
    try:
        return run(sandbox, jail, argv, SECONDS, subject.stop)
    except MachineFaultError as error:
        raise NotCheckedError(f"the tests could not be run here: {error.message}") from error


def _python() -> Path:
    """Return the interpreter that has the packages of the harness and no others."""
    environment = harness()
    return environment.folder / "bin" / "python" if environment.folder else environment.python


def _furnish(subject: Subject, target: EvaluationTarget) -> Jail:
    """Describe where tests run: the task, what tests share, Python with our packages, and all read-only."""
    name = subject.task_id
    own = {
        f"evaluations/{name}": subject.evaluations,
        f"gym/{name}": subject.gym,
        "tests": subject.test_file.parent,
        **{setting: subject.root / setting for setting in _SETTINGS},
    }
    for shown, source in own.items():
        if source.exists() and source.resolve() != source:
            raise NotCheckedError(f"{shown} is a link")
    binds = (Bind(source=source, dest=f"{ROOT}/{shown}") for shown, source in own.items() if source.exists())
    return Jail(
        binds=(
            *dict.fromkeys((*harness().binds, *target.binds)),
            Bind(source=_PACKAGE, dest=f"{_LIBRARY}/{_PACKAGE.name}"),
            Bind(source=target.base, dest=f"{ROOT}/evaluations/base"),
            *binds,
        ),
        cwd=ROOT,
        folders=(ROOT,),
        limits=Limits(memory=target.memory, processes=PROCESSES),
    )


def _findings(subject: Subject, tree: ast.Module | None, ended: Ended) -> Iterator[Finding]:
    file = subject.shown(subject.test_file)
    if ended.status is None:
        yield Finding(message=f"the tests do not end within {SECONDS:g} s", file=file)
    elif ended.lacked_memory:
        yield Finding(message="the tests ran out of memory", file=file)
    elif ended.status == _NO_TESTS or "\nRan 0 tests in " in ended.output:
        yield Finding(message="there is no test in the file", file=file)
    elif ended.status == 0 and not _PASSED.search(ended.output):
        yield Finding(message="the tests ended before all were run", file=file)
    elif ended.status:
        failed = list(_failed(ended.output)) or [
            Failed(name="the run of the tests", said=_last(ended.output))
        ]
        for one in failed[:MOST_SHOWN]:
            said = f": {one_line(one.said, _LONGEST)}" if one.said else ""
            yield Finding(
                message=f"{one_line(one.name, _LONGEST)} fails{said}", file=file, line=_line(tree, one.name)
            )


def _failed(output: str) -> Iterator[Failed]:
    """Yield the tests that failed, as unittest or pytest say so."""
    names = set()
    found = [(name, (_RAISED.findall(block) or [""])[-1]) for name, block in _BLOCK.findall(output)]
    for name, said in found or _SUMMARY.findall(output):
        short = name.rpartition("::")[2]
        if short not in names:
            names.add(short)
            yield Failed(name=short, said=said)


def _last(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def _line(tree: ast.Module | None, name: str) -> int | None:
    wanted = name.partition("[")[0]
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == wanted:
            return node.lineno
    return None


def _leave_to_others(subject: Subject, failure: str) -> None:
    """See that nothing else is wrong for which the tests would fail: one fault is one finding."""
    for rule in (*layout.RULES, *evaluator.RULES, *calibration.RULES):
        if check(rule, subject).errors:
            raise NotCheckedError(f"{failure}; mend {rule.code} first")


RULES = (
    Rule(
        code="IB703",
        name="test-file",
        summary="There is tests/test_<task>.py.",
        why="Tests show that the evaluator takes what it should, and refuses what it should.",
        remedy="write tests of the two scores and of what the evaluator says to bad submissions",
        check=_exists,
    ),
    Rule(
        code="IB704",
        name="tests-pass",
        summary="tests/test_<task>.py passes alone, without network and with the task read-only.",
        why="Whoever changes the task later relies on its tests.",
        remedy="run it: python -m unittest tests.test_<task>",
        check=_pass,
        cost="environment",
    ),
)
