"""Evaluating a kept submission again: grading depends on nothing else."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import RecordError
from pytest_innovatorbench.evaluation.digest import digest
from pytest_innovatorbench.evaluation.evaluator import evaluate
from pytest_innovatorbench.evaluation.model import Submission
from pytest_innovatorbench.runs.judge import evaluation_target
from pytest_innovatorbench.sandbox import open_sandbox

if TYPE_CHECKING:
    from pytest_innovatorbench.tasks.model import Task


def regrade(archive: Path, task: Task, sandbox: str) -> dict[str, Any]:
    """Evaluate a kept submission.

    Args:
        archive: The tar file of the submission.
        task: The task it was made for.
        sandbox: Name of the sandbox.

    Returns:
        The verdict, with what it was graded with, as plain JSON values.

    Raises:
        RecordError: The archive cannot be read.
    """
    submission = read_submission(archive)
    target = evaluation_target(task)
    with tempfile.TemporaryDirectory(prefix="ibench-") as scratch:
        evaluation = evaluate(target, submission, sandbox=open_sandbox(sandbox), scratch=Path(scratch))
    return {
        "task": task.id,
        "submission": submission.digest,
        "evaluator": digest(target),
        "score": evaluation.score,
        "unclamped": evaluation.unclamped,
        "metrics": dict(evaluation.metrics),
        "fault": evaluation.fault,
        "error": evaluation.error,
        "detail": evaluation.detail,
        "violation": evaluation.violation,
    }


def read_submission(archive: Path) -> Submission:
    """Read what a kept submission holds.

    Raises:
        RecordError: It cannot be read.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            sizes = [member.size for member in tar if member.isfile()]
        with archive.open("rb") as data:
            hashed = hashlib.file_digest(data, "sha256").hexdigest()
    except (OSError, tarfile.TarError) as error:
        raise RecordError(f"{archive} is no kept submission: {error}", remedy="give NNN.tar") from error
    return Submission(archive=archive, digest=f"sha256:{hashed}", files=len(sizes), size=sum(sizes))
