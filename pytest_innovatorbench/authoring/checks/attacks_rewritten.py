"""Rule on evaluators that recognise a submission in place of grading it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.rewriting import ways_of
from pytest_innovatorbench.authoring.attacks.stock import stock_of
from pytest_innovatorbench.authoring.attacks.trying import earned, measure_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_innovatorbench.authoring.attacks.rewriting import Way
    from pytest_innovatorbench.authoring.subject import Subject

MOST_APART = 5.0  # points


def _check(subject: Subject) -> Iterator[Finding]:
    stock, measure = stock_of(subject), measure_of(subject)
    file = subject.shown(subject.evaluations / "task" / "evaluation.py")
    reference = ("reference", stock.reference, measure.reference)
    samples = (reference, ("baseline", stock.baseline, measure.baseline))
    tried = 0
    for kind, files, score in samples:
        for way in ways_of(files) if score is not None else ():
            tried += 1
            other = _score(subject, way, score or 0.0)
            if abs(other - (score or 0.0)) > MOST_APART:
                yield Finding(message=f"the {kind} scores {score:.1f}, but {other:.1f} {way.name}", file=file)
    if not tried:
        raise NotCheckedError("no submission of the author's has a table of text")


def _score(subject: Subject, way: Way, known: float) -> float:
    """Return the score that is closest to the known one; the second version is asked for if need be."""
    closest = float("inf")
    for files in way.versions:
        score = _evaluated(subject, files)
        closest = min(closest, score, key=lambda other: abs(other - known))
        if abs(closest - known) <= MOST_APART:
            break
    return closest


def _evaluated(subject: Subject, files: Mapping[str, bytes]) -> float:
    folder = subject.scratch / "rewritten"
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    trial = subject.trials.evaluate(folder)
    shutil.rmtree(folder)
    if trial.evaluation.fault == "machine":
        raise NotCheckedError(f"an evaluation failed: {trial.evaluation.error}")
    return earned(trial)


RULES = (
    Rule(
        code="IB617",
        name="attack-rewritten",
        summary="Baseline and reference score the same when they are written otherwise.",
        why=(
            "An evaluator that knows a submission by its bytes, or by its exact numbers, keeps its place on "
            "the scale whatever the metric does. Both are written with another line end, and with numbers "
            "that differ by next to nothing."
        ),
        remedy="score what is in the files, and compare no file with one that is known",
        check=_check,
        cost="attacks",
    ),
)
