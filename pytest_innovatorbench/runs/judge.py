"""The judge of one attempt: freezes its outputs, keeps them, has them evaluated."""

from __future__ import annotations

import os
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.evaluation.evaluator import evaluate
from pytest_innovatorbench.evaluation.model import Caps
from pytest_innovatorbench.evaluation.submission import freeze
from pytest_innovatorbench.evaluation.target import EvaluationTarget
from pytest_innovatorbench.researchgym.gym import Verdict
from pytest_innovatorbench.runs.furnishing import evaluators_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_innovatorbench.evaluation.model import Evaluation, Submission
    from pytest_innovatorbench.researchgym.computers.base import Computer
    from pytest_innovatorbench.sandbox.model import Sandbox
    from pytest_innovatorbench.sandbox.trees import Entry
    from pytest_innovatorbench.tasks.model import Task

OUTPUTS = "data/outputs"
# Threads that read many small files at once are in each other's way, and in that of evaluations.
_turns = threading.BoundedSemaphore(os.cpu_count() or 1)


class SubmissionJudge:
    """Freezes and evaluates the outputs of an attempt.

    Args:
        target: What evaluates.
        computer: Where the outputs lie.
        sandbox: Confines the evaluator.
        folder: The attempt's record; submissions are kept below.
        caps: How large a submission may be.
        cancelled: Set when nobody waits for a verdict any more.
    """

    def __init__(
        self,
        *,
        target: EvaluationTarget,
        computer: Computer,
        sandbox: Sandbox,
        folder: Path,
        cancelled: threading.Event,
        caps: Caps,
    ) -> None:
        self._target = target
        self._computer = computer
        self._sandbox = sandbox
        self._folder = folder
        self._cancelled = cancelled
        self._caps = caps
        # An attempt that goes on has submissions already, which are kept as they are.
        self._count = max(_numbers(folder / "submissions"), default=0)

    def __call__(self) -> Verdict:
        """Freeze and evaluate the outputs as they are now.

        Returns:
            The verdict; a disk that is full and an evaluator that fails are faults in it.
        """
        self._count += 1
        archive = self._folder / "submissions" / f"{self._count:03}.tar"
        try:
            archive.parent.mkdir(exist_ok=True)
            with _turns:
                submission = freeze(self._outputs(), archive, self._caps)
        except OSError as error:
            return _fault(f"the outputs could not be kept: {error.strerror}", self._count, str(error))
        evaluation = evaluate(
            self._target,
            submission,
            sandbox=self._sandbox,
            scratch=self._folder,
            cancelled=self._cancelled,
        )
        return _verdict(evaluation, submission, self._count, self._computer.workspace_note)

    def _outputs(self) -> Iterator[Entry]:
        """Return what lies in the outputs, or in the place the authoring guide also names for them."""
        for below in (OUTPUTS, f"{self._target.task_id}/{OUTPUTS}"):
            entries = self._computer.entries(below)
            first = next(entries, None)
            if first is not None:
                yield first
                yield from entries
                return


def _numbers(submissions: Path) -> Iterator[int]:
    return (int(file.stem) for file in submissions.glob("*.tar") if file.stem.isdecimal())


def evaluation_target(task: Task, say: Callable[[str], None] = lambda _: None) -> EvaluationTarget:
    """Return what a task's submissions are evaluated with.

    Raises:
        EnvironmentBuildError: The evaluator's packages could not be installed.
    """
    environment = evaluators_environment(task, say)
    return EvaluationTarget(
        task_id=task.id,
        evaluations=task.evaluations.parent,
        gym=task.gym,
        python=environment.python,
        binds=environment.binds,
        site_packages=(environment.site_packages,) if environment.site_packages else (),
        time_limit=task.limits.evaluation_seconds,
        memory=int(task.limits.evaluation_memory_gb * 2**30),
        judge=task.judge is not None,
        judge_environment=task.judge or (),
    )


def _fault(error: str, number: int, detail: str) -> Verdict:
    event = {"number": number, "score": None, "fault": "machine", "error": error, "detail": detail}
    return Verdict(score=None, message="", error=error, event=event)


def _verdict(evaluation: Evaluation, submission: Submission, number: int, workspace: str | None) -> Verdict:
    return Verdict(
        score=evaluation.score,
        message=evaluation.message,
        error=evaluation.error,
        metrics=evaluation.metrics,
        event={
            "number": number,
            "score": evaluation.score,
            "unclamped": evaluation.unclamped,
            "message": evaluation.message,
            "fault": evaluation.fault,
            "error": evaluation.error,
            "detail": evaluation.detail,
            "violation": evaluation.violation or submission.violation,
            "seconds": round(evaluation.seconds, 6),
            "metrics": dict(evaluation.metrics),
            "submission": _submission(submission),
            **({"workspace": workspace} if workspace else {}),
        },
    )


def _submission(submission: Submission) -> dict[str, Any]:
    return {**asdict(submission), "archive": f"{submission.archive.parent.name}/{submission.archive.name}"}
