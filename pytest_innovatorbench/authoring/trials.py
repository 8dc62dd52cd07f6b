"""Evaluating submissions to a task under examination, in the sandbox of every other evaluation."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.waiting import results
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.evaluation.evaluator import INTERRUPTED, evaluate
from pytest_innovatorbench.evaluation.model import Caps
from pytest_innovatorbench.evaluation.submission import freeze
from pytest_innovatorbench.runs.judge import evaluation_target
from pytest_innovatorbench.sandbox import open_sandbox
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_innovatorbench.evaluation.model import Evaluation, Submission
    from pytest_innovatorbench.evaluation.target import EvaluationTarget
    from pytest_innovatorbench.runs.stop import Stop
    from pytest_innovatorbench.sandbox.model import Sandbox
    from pytest_innovatorbench.sandbox.trees import Entry
    from pytest_innovatorbench.tasks.model import Task


class StoppedError(BaseException):
    """Nobody wants to know any more what comes of a task; no rule is to catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A submission and what its evaluation came to.

    Attributes:
        submission: What was taken of the outputs, and what was refused.
        evaluation: The score, or whose fault it is that there is none.
    """

    submission: Submission
    evaluation: Evaluation


class Trials:
    """Evaluates folders of outputs as if an agent had left them.

    Args:
        task: The task.
        sandbox: Name of the sandbox.
        scratch: Existing private folder for temporary files.
        stop: Ends evaluations when nobody wants them any more.
    """

    def __init__(self, task: Task, *, sandbox: str, scratch: Path, stop: Stop) -> None:
        self._task = task
        self._stop = stop
        self._sandbox_name = sandbox
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._known: dict[Path, Trial] = {}

    def of(self, outputs: Path) -> Trial:
        """Return what came of a folder that does not change, evaluated once however many rules ask.

        Raises:
            NotCheckedError: See `evaluate`.
        """
        if outputs not in self._known:
            self._known[outputs] = self.evaluate(outputs)
        return self._known[outputs]

    def of_all(self, folders: Iterable[Path]) -> list[Trial]:
        """Do as `of` for several folders, those that are new at once."""
        wanted = list(folders)
        new = [folder for folder in dict.fromkeys(wanted) if folder not in self._known]
        self._known.update(zip(new, self.evaluate_all(new), strict=True))
        return [self._known[folder] for folder in wanted]

    def evaluate(self, outputs: Path, *, place: Path | None = None, is_reversed: bool = False) -> Trial:
        """Freeze a folder, which is treated as hostile, and evaluate it.

        Args:
            outputs: The folder.
            place: Existing folder for the copy that the evaluator sees, unless it is a small one.
            is_reversed: Whether the files of that copy are made from the last name to the first.

        Raises:
            NotCheckedError: The machine has no sandbox, or the evaluator's packages cannot be installed.
            StoppedError: Nobody wants to know any more.
        """
        archive = self._scratch / f"submission-{next(self._numbers)}.tar"
        entries = walk_layers([outputs], "")
        submission = freeze(_reverse(entries) if is_reversed else entries, archive, Caps())
        evaluation = evaluate(
            self._target,
            submission,
            sandbox=self._sandbox,
            scratch=place or self._scratch,
            cancelled=self._stop.now,
        )
        archive.unlink()
        if evaluation.error == INTERRUPTED and self._stop.now.is_set():
            raise StoppedError
        return Trial(submission=submission, evaluation=evaluation)

    def evaluate_all(self, folders: Iterable[Path]) -> list[Trial]:
        """Evaluate folders at once, as many as there are cores, and return the trials in their order."""
        _ = self._target, self._sandbox  # not in several threads at once
        return list(results(self.evaluate, folders, os.cpu_count(), self._stop.insist))

    @property
    def _target(self) -> EvaluationTarget:
        if isinstance(self._target_or_reason, str):
            raise NotCheckedError(self._target_or_reason)
        return self._target_or_reason

    @cached_property
    def _target_or_reason(self) -> EvaluationTarget | str:
        """What evaluates, or why nothing does: packages that cannot be installed are tried for once."""
        try:
            return evaluation_target(self._task)
        except UserError as error:
            return str(error)

    @cached_property
    def _sandbox(self) -> Sandbox:
        try:
            return open_sandbox(self._sandbox_name)
        except UserError as error:
            raise NotCheckedError(str(error)) from error


def _reverse(entries: Iterable[Entry]) -> list[Entry]:
    """Return a tree with each folder's names from the last to the first, folders before their content."""
    paths = {entry: entry.path.split("/") for entry in entries}
    names = sorted({name for parts in paths.values() for name in parts}, reverse=True)
    rank = {name: number for number, name in enumerate(names)}
    return sorted(paths, key=lambda entry: [rank[name] for name in paths[entry]])
