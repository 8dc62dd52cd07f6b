"""Rules on evaluating the same submission again: the score stays what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.evaluator_faults import need_working
from pytest_innovatorbench.authoring.checks.evaluator_trials import trials_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.evaluation.model import Evaluation

MOST_DIFFERENCE = 1e-6  # points, for sums that are taken in another order


def _repeatable(subject: Subject) -> Iterator[Finding]:
    need_working(subject)
    trials = trials_of(subject)
    # An evaluation in another order that scores the same shows this as well, and is wanted anyway.
    is_known = trials.can_be_reordered and _are_equal(trials.first, trials.backwards)
    if not is_known and not _are_equal(trials.first, trials.again):
        scores = f"{_score(trials.first)} first and {_score(trials.again)} then"
        yield Finding(message=f"the same submission scores {scores}", file=_file(subject))


def _in_any_order(subject: Subject) -> Iterator[Finding]:
    need_working(subject)
    trials = trials_of(subject)
    if trials.has_one_order:
        return
    if not trials.can_be_reordered:
        raise NotCheckedError("the files of the submission cannot be laid out in another order here")
    forwards, backwards = trials.forwards, trials.backwards
    if _are_equal(forwards, backwards):
        return
    if not _are_equal(trials.first, trials.again):
        raise NotCheckedError("the score differs from time to time anyway")
    scores = f"{_score(forwards)}, and {_score(backwards)} in the opposite order"
    yield Finding(message=f"the same files, listed in one order, score {scores}", file=_file(subject))


def _are_equal(one: Evaluation, other: Evaluation) -> bool:
    if one.score is None or other.score is None:
        return one.error == other.error
    return abs(one.score - other.score) <= MOST_DIFFERENCE


def _score(evaluation: Evaluation) -> str:
    return f"{evaluation.score:.10g}" if evaluation.score is not None else f"nothing ({evaluation.error})"


def _file(subject: Subject) -> str:
    return subject.shown(subject.evaluations / "task" / "evaluation.py")


RULES = (
    Rule(
        code="IB305",
        name="repeatable",
        summary="The same submission scores the same when it is evaluated twice.",
        why="A score that depends on chance or the time of day says little of the agent.",
        remedy="seed what is random, and take time and identifiers out of the score",
        check=_repeatable,
        cost="evaluations",
    ),
    Rule(
        code="IB306",
        name="file-order",
        summary="The score does not depend on the order in which folders list their files.",
        why="os.listdir, glob and iterdir give files in an order that differs from disk to disk.",
        remedy="sort what is listed: sorted(folder.iterdir())",
        check=_in_any_order,
        cost="evaluations",
    ),
)
