"""The evaluations that rules on evaluators share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.calibration.samples import holds_files
from pytest_innovatorbench.authoring.findings import NotCheckedError

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.authoring.trials import Trial, Trials
    from pytest_innovatorbench.evaluation.model import Evaluation, Submission

MOST_IN_MEMORY = 64 * 2**20
# What the evaluator sees of submissions up to this size lies in memory anyway.
_SMALL = 2**20
_FEW = 1_000
_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are private and have names of their own


class EvaluatorTrials:
    """Evaluations of the reference, the baseline and nothing, each done once.

    Args:
        trials: What evaluates.
        samples: Submissions of the author, the best first.
        empty: Empty folder.
    """

    def __init__(self, trials: Trials, samples: Sequence[Path], empty: Path) -> None:
        self.samples = samples
        self._trials = trials
        self._empty = empty

    @cached_property
    def all(self) -> tuple[Evaluation, ...]:
        """What came of each sample, and of nothing at the end.

        Raises:
            NotCheckedError: They cannot be evaluated on this machine.
        """
        trials = self._trials.of_all([*self.samples, self._empty])
        return tuple(_checked(trial) for trial in trials)

    @property
    def first(self) -> Evaluation:
        """What came of the reference, or else the baseline, or else nothing."""
        return self.all[0]

    @property
    def empty(self) -> Evaluation:
        """What came of empty outputs."""
        return self.all[-1]

    @cached_property
    def again(self) -> Evaluation:
        """What came of the first submission when it was evaluated once more."""
        return _checked(self._trials.evaluate(self._first_folder))

    @property
    def has_one_order(self) -> bool:
        """Whether the first submission has no two files."""
        return self._frozen.files < 2  # noqa: PLR2004 - two can be swapped

    @property
    def can_be_reordered(self) -> bool:
        """Whether the files of the first submission can be listed in the opposite order here."""
        return not self.has_one_order and self._frozen.size <= MOST_IN_MEMORY and keeps_order()

    @cached_property
    def forwards(self) -> Evaluation:
        """What came of the first submission in memory, where folders list files by when they were made."""
        if self._frozen.size <= _SMALL and self._frozen.files <= _FEW:
            return self.first
        with _memory() as place:
            return _checked(self._trials.evaluate(self._first_folder, place=place))

    @cached_property
    def backwards(self) -> Evaluation:
        """What came of it there with its files made in the opposite order."""
        with _memory() as place:
            return _checked(self._trials.evaluate(self._first_folder, place=place, is_reversed=True))

    @property
    def _frozen(self) -> Submission:
        return self._trials.of(self._first_folder).submission

    @property
    def _first_folder(self) -> Path:
        return [*self.samples, self._empty][0]


_known: WeakKeyDictionary[Subject, EvaluatorTrials] = WeakKeyDictionary()


def trials_of(subject: Subject) -> EvaluatorTrials:
    """Return the evaluations of a task, the same for all rules that ask.

    Raises:
        NotCheckedError: The task cannot be loaded.
    """
    if subject not in _known:
        task = subject.task
        samples = [folder for folder in (task.expected_outputs, task.baselines) if holds_files(folder)]
        empty = subject.scratch / "empty"
        empty.mkdir(exist_ok=True)
        _known[subject] = EvaluatorTrials(subject.trials, samples, empty)
    return _known[subject]


@cache
def keeps_order() -> bool:
    """Tell whether folders in memory list files by when they were made, as others do on other machines."""
    if not os.access(_MEMORY, os.W_OK):
        return False
    orders = []
    for names in ("abc", "cba"):
        with _memory() as folder:
            for name in names:
                (folder / name).touch()
            orders.append(os.listdir(folder))  # noqa: PTH208 - the order is what this is about
    return orders[0] == orders[1][::-1]


@contextmanager
def _memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"evaluation-{os.getpid()}-", dir=_MEMORY) as folder:
        yield Path(folder)


def _checked(trial: Trial) -> Evaluation:
    if trial.evaluation.fault == "machine":
        raise NotCheckedError(f"nothing could be evaluated here: {trial.evaluation.error}")
    return trial.evaluation
