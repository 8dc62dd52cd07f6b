"""Rules on evaluators at work: they run, in time, also on nothing, and leave everything as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks import evaluator_faults
from pytest_innovatorbench.authoring.checks.evaluator_classes import benchmark_findings, config_findings
from pytest_innovatorbench.authoring.checks.evaluator_faults import (
    BENCHMARK,
    CONFIG,
    MISSING,
    RUNS,
    TIME,
    WRITES,
    describe,
    fault_of,
    faults,
    written,
)
from pytest_innovatorbench.authoring.checks.evaluator_trials import trials_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject

MOST_USED = 0.5  # of the time limit
_LONGEST = 200
_ABSENCE = re.compile(
    r"missing|not found|no such|n[o']t exist|not (?:given|submitted|available|present)|empty|absent|lack"
    r"|unable|could ?n[o']t|can ?n[o']t|can't|failed to"
    r"|no (?:\w+ )?(?:file|output|submission|prediction|result)",
    re.IGNORECASE,
)


def _runs(subject: Subject) -> Iterator[Finding]:
    yield from faults(subject, RUNS)


def _config(subject: Subject) -> Iterator[Finding]:
    found = list(config_findings(subject))
    yield from found or faults(subject, CONFIG)


def _benchmark(subject: Subject) -> Iterator[Finding]:
    found = list(benchmark_findings(subject))
    yield from found or faults(subject, BENCHMARK)


def _leaves_alone(subject: Subject) -> Iterator[Finding]:
    fault = fault_of(subject)
    if fault is not None:
        yield from faults(subject, WRITES)
        return
    for evaluation in trials_of(subject).all:
        finding = written(subject, evaluation)
        if finding is not None:
            yield finding
            return


def _in_time(subject: Subject) -> Iterator[Finding]:
    limit = subject.task.limits.evaluation_seconds
    fault = fault_of(subject)
    if fault is not None:
        yield from faults(subject, TIME)
        return
    longest = max(evaluation.seconds for evaluation in trials_of(subject).all)
    late = [one for one in trials_of(subject).all if evaluator_faults.is_late(one)]
    if late:
        yield describe(subject, late[0])
    elif longest > MOST_USED * limit:
        yield Finding(
            message=f"an evaluation takes {longest:.1f} s, {longest / limit:.0%} of the limit of {limit:g} s",
            file=_file(subject),
            severity="warning",
        )


def _missing_outputs(subject: Subject) -> Iterator[Finding]:
    fault = fault_of(subject)
    if fault is not None:
        yield from faults(subject, MISSING)
        return
    evaluation = trials_of(subject).empty
    if written(subject, evaluation) or evaluator_faults.is_late(evaluation):
        raise NotCheckedError("another rule says what happens without outputs")
    if evaluation.score is None:
        yield describe(subject, evaluation)
    elif evaluation.score > 0 or evaluation.unclamped != 0:
        yield Finding(message=f"empty outputs score {evaluation.unclamped:g}, not 0", file=_file(subject))
    elif not _tells_what(subject, evaluation.message):
        said = f"only {one_line(evaluation.message, _LONGEST)!r}" if evaluation.message else "nothing"
        yield Finding(
            message=f"of empty outputs the evaluator says {said}, not what is missing", file=_file(subject)
        )


def _tells_what(subject: Subject, message: str) -> bool:
    """Tell whether a message speaks of something that is not there, or of a file of the samples."""
    names = {
        entry.path.rpartition("/")[2]
        for folder in trials_of(subject).samples
        for entry in walk_layers([folder], "")
    }
    return bool(_ABSENCE.search(message)) or any(name in message for name in names)


def _file(subject: Subject) -> str:
    return subject.shown(subject.evaluations / "task" / "evaluation.py")


RULES = (
    Rule(
        code="IB301",
        name="evaluator-runs",
        summary="The evaluator can be imported, and gives a score to the author's own submission.",
        why="Every agent's work is lost where the evaluator fails. It runs in the sandbox of every other "
        "evaluation: without network, and with the packages of its requirements.",
        remedy="run it on that submission; packages go into evaluations/<task>/requirements.txt",
        check=_runs,
        cost="evaluations",
    ),
    Rule(
        code="IB302",
        name="task-config",
        summary="config.py has TaskConfig(Config), which is made of eval_workspace and workspace alone.",
        why="The harness knows where things are, and nothing else of a task's settings.",
        remedy="derive TaskConfig from Config and give every other setting a default",
        check=_config,
        cost="evaluations",
    ),
    Rule(
        code="IB303",
        name="task-benchmark",
        summary="evaluation.py has TaskBenchmark(BaseBenchmark) with run_1, run_2 and so on without gaps.",
        why="The harness makes TaskBenchmark and sums the scores of its runs. A gap is a run that was "
        "forgotten or misspelt.",
        remedy="derive TaskBenchmark from BaseBenchmark and number its runs from run_1",
        check=_benchmark,
        cost="evaluations",
    ),
    Rule(
        code="IB307",
        name="within-time",
        summary="An evaluation takes at most half of the stated time.",
        why="Other machines are slower and submissions larger; beyond the limit there is no score.",
        remedy="make the evaluator faster, or raise limits.evaluation_seconds",
        check=_in_time,
        cost="evaluations",
    ),
    Rule(
        code="IB308",
        name="missing-outputs",
        summary="Empty outputs score exactly 0, with a message that says what is missing.",
        why="An agent that wrote to the wrong place has to learn it from the first evaluation, and nothing "
        "is worth nothing.",
        remedy='return {"score": 0, "error": "data/outputs/... is missing", "message": None}',
        check=_missing_outputs,
        cost="evaluations",
    ),
    Rule(
        code="IB311",
        name="leaves-alone",
        summary="The evaluator writes neither into its references and folder nor into the submission.",
        why="All of it is read-only in an evaluation; where it is not, the next score depends on the last.",
        remedy="write into tempfile.TemporaryDirectory(), or keep it in memory",
        check=_leaves_alone,
        cost="evaluations",
    ),
)
