"""Rules on metrics: baseline and reference are apart, and the evaluator measures what is stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.metrics import LEAST_GAP, measure
from pytest_innovatorbench.authoring.calibration.samples import samples_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.authoring.calibration.metrics import Measured
    from pytest_innovatorbench.authoring.subject import Subject

_LONGEST_NAME = 80


def _gaps(subject: Subject) -> Iterator[Finding]:
    for measured in _measured(subject):
        if measured.gap >= LEAST_GAP:
            continue
        baseline, reference = measured.ends
        source = "measured" if measured.is_measured else "stated"
        yield Finding(
            message=f"{_name(measured)}: baseline {baseline:g} and reference {reference:g} ({source}) "
            f"are {measured.gap:.1%} apart, less than {LEAST_GAP:.0%}",
            file=subject.shown(subject.evaluations / "task.yaml"),
            line=_line(subject, measured),
        )


def _stated(subject: Subject) -> Iterator[Finding]:
    found = [measured for measured in _measured(subject) if not measured.is_unknown]
    if not found:
        raise NotCheckedError("the evaluator returns no number under the name of a metric")
    for measured in found:
        for which, stated, value in measured.differences():
            yield Finding(
                message=f"{_name(measured)}: task.yaml states {stated:g} for the {which}, "
                f"the evaluator measures {value:.4g}",
                file=subject.shown(subject.evaluations / "task.yaml"),
                line=_line(subject, measured),
            )


def _measured(subject: Subject) -> Sequence[Measured]:
    samples = samples_of(subject)
    if not samples.task.metrics:
        raise NotCheckedError("task.yaml states no metrics")
    return measure(samples)


def _name(measured: Measured) -> str:
    return one_line(measured.metric.name, _LONGEST_NAME)


def _line(subject: Subject, measured: Measured) -> int | None:
    text = subject.read_text(subject.evaluations / "task.yaml") or ""
    wanted = (f"name: {measured.metric.name}", f'name: "{measured.metric.name}"')
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(" -").startswith(wanted):
            return number
    return None


RULES = (
    Rule(
        code="IB405",
        name="metric-gap",
        summary="Each metric of the reference is at least 5 % better than the baseline's.",
        why="Where the two are closer, points are given for noise. The share is that of the larger "
        "magnitude of the two, as the evaluator measures them, or else as task.yaml states them.",
        remedy="make the task harder for the baseline, or choose a metric that tells the two apart",
        check=_gaps,
        cost="evaluations",
    ),
    Rule(
        code="IB413",
        name="stated-metrics",
        summary="The metrics that task.yaml states are those that the evaluator measures.",
        why="People choose tasks, and read scores, by what is stated. A quarter of the distance between "
        "baseline and reference is let pass as rounding.",
        remedy="write what the evaluator measures into task.yaml, or mend the submission",
        check=_stated,
        cost="evaluations",
    ),
)
