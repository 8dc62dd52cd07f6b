"""Rules on order: better submissions score more, and spoilt ones less."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.permutation import LEAST_FALL, explain_unmoved
from pytest_innovatorbench.authoring.calibration.samples import samples_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.calibration.samples import Samples
    from pytest_innovatorbench.authoring.subject import Subject


def _rising(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    samples.score("baseline")
    samples.score("reference")
    scores = [(sample, samples.trial(sample).evaluation) for sample in samples.all]
    for sample, evaluation in scores:
        if evaluation.score is None:
            yield Finding(
                message=f"{sample.name} has no score: {evaluation.error}", file=subject.shown(sample.folder)
            )
    scored = [(sample, found.score) for sample, found in scores if found.score is not None]
    for (worse, less), (better, more) in pairwise(scored):
        if more <= less:
            yield Finding(
                message=f"{better.name} scores {more:.1f}, no more than {worse.name} with {less:.1f}",
                file=subject.shown(subject.evaluations / "data"),
            )


def _falling(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    best = samples.score("reference")
    if best < LEAST_FALL:
        raise NotCheckedError("the reference has no points that it could lose")
    names = samples.permutation.names
    scores = [best]
    for part in samples.permuted:
        evaluation = samples.trial(part).evaluation
        if evaluation.score is None:
            said = f"the evaluator gives no score with {part.records} records of {names} permuted"
            yield Finding(message=f"{said}: {evaluation.error}", file=_evaluator_file(subject))
            return
        scores.append(evaluation.score)
    yield from _unmoved(subject, samples, scores)


def _unmoved(subject: Subject, samples: Samples, scores: list[float]) -> Iterator[Finding]:
    how = explain_unmoved(scores)
    if not how:
        return
    if samples.permutation.has_code:
        raise NotCheckedError("the score does not follow the records; there is code that it may be for")
    shares = [0.0, *(part.share for part in samples.permuted)]
    shown = ", ".join(f"{share:.0%}: {score:.1f}" for share, score in zip(shares, scores, strict=True))
    yield Finding(
        message=f"{how} when records of {samples.permutation.names} have the answers of others ({shown})",
        file=_evaluator_file(subject),
    )


def _evaluator_file(subject: Subject) -> str:
    return subject.shown(subject.evaluations / "task" / "evaluation.py")


RULES = (
    Rule(
        code="IB406",
        name="rising-scores",
        summary="Scores rise from the baseline over data/intermediates to the reference.",
        why="A score that does not rise with quality rewards the wrong work. Intermediate submissions "
        "are folders in data/intermediates, the worst first in the order of their names.",
        remedy="mend the evaluator, or the order of the intermediate submissions",
        check=_rising,
        cost="evaluations",
    ),
    Rule(
        code="IB407",
        name="permuted-records",
        summary="Permuting records of the reference lowers its score, and permuting more does not raise it.",
        why="An evaluator that pays the same for right answers under wrong ids does not look at them.",
        remedy="compare each record with the reference of the same id",
        check=_falling,
        cost="evaluations",
    ),
)
