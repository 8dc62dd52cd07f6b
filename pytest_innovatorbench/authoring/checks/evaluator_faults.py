"""Which rule an evaluator breaks that does not work: one fault is one finding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.checks import evaluator_calls, evaluator_paths
from pytest_innovatorbench.authoring.checks.evaluator_classes import benchmark_findings, config_findings
from pytest_innovatorbench.authoring.checks.evaluator_imports import imports_end
from pytest_innovatorbench.authoring.checks.evaluator_sources import sources
from pytest_innovatorbench.authoring.checks.evaluator_trials import trials_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.evaluation.model import Evaluation

RUNS, CONFIG, BENCHMARK, PATHS, TIME, MISSING, HEAVY, NETWORK, WRITES = (
    *("IB301", "IB302", "IB303", "IB304", "IB307", "IB308", "IB309", "IB310", "IB311"),
)
_LONGEST = 300
_WRITTEN = re.compile(
    r"\[Errno 30\][^\n]*|Read-only file system[^\n]*"
    r"|\[Errno 13\] Permission denied: '/(?:bench|workspace)[^\n]*"
)
_TRACED = re.compile(r'File "[^"\n]{0,300}/(evaluations/[^"\n]{1,300})", line (\d+)')
_RAISED = re.compile(r"evaluator raised (\S+) in (.+)")
_RUN = re.compile(r"run_\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an evaluator does not work.

    Attributes:
        code: The rule it breaks.
        finding: What to say.
    """

    code: str
    finding: Finding


_known: WeakKeyDictionary[Subject, Fault | None] = WeakKeyDictionary()


def fault_of(subject: Subject) -> Fault | None:
    """Return why the evaluator does not work on the author's best submission; ``None`` if it does.

    Raises:
        NotCheckedError: It cannot be evaluated here.
    """
    if subject not in _known:
        _known[subject] = _find_fault(subject)
    return _known[subject]


def need_working(subject: Subject) -> None:
    """See that there is a score to look at.

    Raises:
        NotCheckedError: There is none, which another rule says.
    """
    fault = fault_of(subject)
    if fault is not None:
        raise NotCheckedError(f"the evaluator does not work: {fault.finding.message}")


def faults(subject: Subject, code: str) -> Iterator[Finding]:
    """Yield the fault if it is of this code.

    Raises:
        NotCheckedError: It is of another code.
    """
    fault = fault_of(subject)
    if fault is not None and fault.code != code:
        raise NotCheckedError(f"{fault.code} says why the evaluator does not work")
    if fault is not None:
        yield fault.finding


def written(subject: Subject, evaluation: Evaluation) -> Finding | None:
    """Return where an evaluator tried to write into what is read-only, if it says so."""
    for text in (evaluation.detail, evaluation.message):
        found = _WRITTEN.search(text)
        if found:
            said = one_line(found[0], _LONGEST)
            return _located(subject, evaluation, f"the evaluator writes where it may only read: {said}")
    return None


def describe(subject: Subject, evaluation: Evaluation) -> Finding:
    """Return a finding on an evaluation without a score."""
    raised = _RAISED.fullmatch(evaluation.error or "")
    message = evaluation.error or "the evaluator gives no score"
    said = _said(evaluation.detail, raised[1]) if raised else ""
    return _located(subject, evaluation, f"{message} ({said})" if said else message)


def is_late(evaluation: Evaluation) -> bool:
    """Tell whether an evaluation ran out of time."""
    return (evaluation.error or "").startswith("evaluator did not finish")


def _find_fault(subject: Subject) -> Fault | None:
    evaluation = trials_of(subject).first
    wrote = written(subject, evaluation)
    if wrote is not None:
        return Fault(code=WRITES, finding=wrote)
    if evaluation.fault is None:
        return None
    return Fault(code=_code(subject, evaluation), finding=describe(subject, evaluation))


def _code(subject: Subject, evaluation: Evaluation) -> str:
    error = evaluation.error or ""
    if is_late(evaluation):
        return TIME if imports_end(subject) else RUNS
    if any(config_findings(subject)) or error.endswith(" in making TaskConfig"):
        return CONFIG
    if any(benchmark_findings(subject)) or error.endswith("TaskBenchmark needs a run_1"):
        return BENCHMARK
    if "has no attribute 'TaskBenchmark'" in evaluation.detail:
        return BENCHMARK
    explained = _explanation(subject, evaluation)
    if explained:
        return explained
    raised = _RAISED.fullmatch(error)
    is_of_run = raised is not None and _RUN.match(raised[2])
    return MISSING if is_of_run and not trials_of(subject).samples else RUNS


def _explanation(subject: Subject, evaluation: Evaluation) -> str | None:
    """Return the rule on what is written in the code that has a finding on the way to the fault."""
    way = set(_traced(subject, evaluation))
    for code, find in (
        (NETWORK, evaluator_calls.network),
        (HEAVY, evaluator_calls.heavy_work),
        (PATHS, evaluator_paths.absolute_paths),
    ):
        places = {(finding.file, finding.line) for finding in find(subject) if finding.severity != "warning"}
        if places & way:
            return code
    is_missing = "FileNotFoundError" in evaluation.detail or "PermissionError" in evaluation.detail
    paths = evaluator_paths.host_paths(subject) if is_missing else ()
    return PATHS if any(f"'{path}" in evaluation.detail for path in paths) else None


def _located(subject: Subject, evaluation: Evaluation, message: str) -> Finding:
    file, line = next(iter(_traced(subject, evaluation)), (None, None))
    if file is None:
        name = "config.py" if (evaluation.error or "").endswith("TaskConfig") else "evaluation.py"
        return Finding(message=message, file=subject.shown(subject.evaluations / "task" / name))
    return Finding(message=message, file=file, line=line)


def _traced(subject: Subject, evaluation: Evaluation) -> Iterator[tuple[str, int]]:
    """Yield files and lines of the task on the way to where it failed, the last first."""
    known = {source.file for source in sources(subject)}
    known |= {subject.shown(subject.evaluations / "task" / name) for name in ("config.py", "evaluation.py")}
    for file, line in reversed(_TRACED.findall(evaluation.detail)):
        if file in known and len(line) < 10:  # noqa: PLR2004 - what is printed there may be made up
            yield file, int(line)


def _said(detail: str, raised: str) -> str:
    """Return what the exception said, as the traceback ends."""
    pattern = rf"^(?:[\w.]+\.)?{re.escape(raised)}: (.+)$"
    found = re.findall(pattern, detail, re.MULTILINE)
    return one_line(found[-1], _LONGEST) if found else ""
