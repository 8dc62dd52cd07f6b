"""Trying attacks: what each earned, what it was due, and what it broke."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.attacks.building import digest
from pytest_innovatorbench.authoring.attacks.payloads import READ
from pytest_innovatorbench.authoring.attacks.stock import Stock, stock_of
from pytest_innovatorbench.authoring.findings import NotCheckedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_innovatorbench.authoring.attacks.attack import Attack, Draft
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.authoring.trials import Trial

BAND = 5.0  # points that the baseline submission may have
_LEEWAY = 3.0
_CRASHED = "crashed the evaluator"
# Where evaluating takes more seconds, or the submission has more bytes: so many attacks of each kind.
_SLOW = ((15.0, 20_000_000, 2), (1.5, 5_000_000, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """An attack and what came of it.

    Attributes:
        attack: The attack.
        trial: Its evaluation.
        due: The most points that what is in it deserves.
        weakness: What it shows to be wrong with the evaluator, in one line; ``""`` if nothing.
        line: Where in ``evaluation.py`` it crashed, if it did there.
        place: Where it crashed, the same for crashes of the same cause.
    """

    attack: Attack
    trial: Trial
    due: float
    weakness: str = ""
    line: int | None = None
    place: str = ""


class Measure:
    """What submissions to one task deserve.

    Args:
        subject: The task.
        stock: What its attacks are made from.
    """

    def __init__(self, subject: Subject, stock: Stock) -> None:
        self._folder = subject.scratch / "attacks" / "measured"
        self._floors: dict[str, float] = {}
        self._size = sum(map(len, stock.reference.values()))
        self._judged = subject.task.judge is not None
        self.reference, self.seconds = self._measured(subject, stock.reference)
        self.baseline = self._measured(subject, stock.baseline)[0] if stock.baseline else 0.0

    def due(self, subject: Subject, stock: Stock, draft: Draft) -> float:
        """Return the most points that a draft may earn.

        Nothing of worth: the baseline's band, and whatever the reference's other files earn without the
        spoilt one. A share of the reference's records: what a complete and correct share is worth by the
        F1 score, which of the usual measures is the kindest to incomplete answers.
        """
        nothing = _band(self.baseline or 0.0)
        if draft.of and len(stock.reference) > 1:
            nothing = max(nothing, _band(self._floor(subject, stock, draft.of)))
        if not draft.share:
            return nothing
        part = 2 * draft.share / (1 + draft.share)
        return max(nothing, (self.reference or 0.0) * part + _LEEWAY)

    @property
    def most(self) -> int | None:
        """How many attacks of each kind there is time for, or money where a model judges; None for all."""
        for seconds, size, count in _SLOW:
            if self._judged or self.seconds > seconds or self._size > size:
                return count
        return None

    def _floor(self, subject: Subject, stock: Stock, path: str) -> float:
        """Return what the reference's other files earn beside the baseline's file."""
        if path not in self._floors:
            files = {name: data for name, data in stock.reference.items() if name != path}
            if path in stock.baseline:
                files[path] = stock.baseline[path]
            self._floors[path] = self._measured(subject, files)[0] or 0.0
        return self._floors[path]

    def _measured(self, subject: Subject, files: Mapping[str, bytes]) -> tuple[float | None, float]:
        folder = self._folder / digest(files)
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        evaluation = subject.trials.evaluate(folder).evaluation
        shutil.rmtree(folder)
        return evaluation.score, evaluation.seconds


def _band(points: float) -> float:
    """Return the most that is no more than so many points, which are too many where they exceed the band."""
    return BAND if points <= BAND else points + BAND


_MEASURES: WeakKeyDictionary[Subject, Measure] = WeakKeyDictionary()


def measure_of(subject: Subject) -> Measure:
    """Return what submissions to a task deserve, measured once.

    Raises:
        NotCheckedError: The reference submission has no score.
    """
    if subject not in _MEASURES:
        _MEASURES[subject] = Measure(subject, stock_of(subject))
    if _MEASURES[subject].reference is None:
        raise NotCheckedError("the reference submission has no score to compare with")
    return _MEASURES[subject]


def attempt(subject: Subject, attacks: Sequence[Attack]) -> list[Attempted]:
    """Evaluate attacks at once, and tell what each came to, in their order.

    Raises:
        NotCheckedError: The machine cannot evaluate, or the reference submission has no score.
    """
    measure, stock = measure_of(subject), stock_of(subject)
    ready = [attack for attack in attacks if attack.folder is not None]
    trials = subject.trials.evaluate_all(attack.folder for attack in ready if attack.folder is not None)
    attempted = [
        _conclude(subject, stock, measure, attack, trial) for attack, trial in zip(ready, trials, strict=True)
    ]
    return list(_grouped(attempted))


def _conclude(subject: Subject, stock: Stock, measure: Measure, attack: Attack, trial: Trial) -> Attempted:
    draft, evaluation = attack.draft, trial.evaluation
    if draft is None:
        raise ValueError(f"{attack.name} was not built from a draft")
    if evaluation.fault == "machine":
        raise NotCheckedError(f"an evaluation failed: {evaluation.error}")
    due = measure.due(subject, stock, draft)
    weakness = _weakness(stock, attack, draft, trial, due)
    line, place = _place(trial) if _CRASHED in weakness else (None, "")
    return Attempted(attack=attack, trial=trial, due=due, weakness=weakness, line=line, place=place)


def earned(trial: Trial) -> float:
    """Return the points that a submission is paid; none for one that counts as a violation."""
    violated = trial.submission.violation or trial.evaluation.violation
    return 0.0 if violated else trial.evaluation.score or 0.0


def _weakness(stock: Stock, attack: Attack, draft: Draft, trial: Trial, due: float) -> str:
    evaluation = trial.evaluation
    heard = f"{evaluation.detail} {evaluation.message} {evaluation.metrics}"
    if draft.token and draft.token in heard and not stock.submits_code:
        read = " and read the references" if draft.token + READ in heard else ""
        return f"{attack.name} ran code in the evaluator{read}"
    if evaluation.fault is not None:
        return f"{attack.name} {_CRASHED}: {evaluation.error}"
    if draft.finish is not None and not trial.submission.refused_count:
        return f"{attack.name} was taken into the submission"
    points = earned(trial)
    if points > due:
        return f"{attack.name} earned {points:.1f} points, of which it deserves at most {due:.1f}"
    return ""


def _place(trial: Trial) -> tuple[int | None, str]:
    """Return the line of the evaluator that failed, and what tells its failure from others."""
    evaluation = trial.evaluation
    frames = re.findall(r'/task/evaluation\.py", line (\d+)', evaluation.detail)
    return (int(frames[-1]) if frames else None), f"{evaluation.error} {frames[-1:]}"


def _grouped(attempted: Sequence[Attempted]) -> Iterator[Attempted]:
    """Keep of those that count as one the one that earned least, unless one crashed."""
    groups: dict[str, list[Attempted]] = {}
    for number, one in enumerate(attempted):
        together = one.attack.draft.together if one.attack.draft else ""
        groups.setdefault(together or f"{number}", []).append(one)
    for group in groups.values():
        crashed = [one for one in group if one.trial.evaluation.fault is not None]
        yield (crashed or sorted(group, key=lambda one: earned(one.trial)))[0]
