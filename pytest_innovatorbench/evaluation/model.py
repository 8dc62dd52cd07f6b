"""What evaluation gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How large a submission may be.

    Attributes:
        files: Most regular files.
        total: Most bytes over all files.
    """

    files: int = 10_000
    total: int = 10 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something in the outputs that was not taken into the submission.

    Attributes:
        path: Its path below the outputs, made printable.
        reason: Why, in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A frozen copy of what an agent left in its outputs.

    Attributes:
        archive: A tar file with regular files and folders only; the same outputs give the same bytes.
        digest: ``sha256:`` and the hash of the archive.
        files: Number of files taken.
        size: Bytes over all files.
        refused: What was left out, the first 100.
        refused_count: How many entries were left out.
        violation: What in it shows an attempt to cheat, such as a link out of the workspace.
    """

    archive: Path
    digest: str
    files: int
    size: int
    refused: tuple[Refusal, ...] = ()
    refused_count: int = 0
    violation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The outcome of evaluating one submission.

    Attributes:
        score: Sum over the metrics clamped to 0-100, or ``None`` where there is a fault.
        unclamped: The sum as the evaluator gave it.
        metrics: ``metric_0`` ... -> what the evaluator returned for each ``run_i``, as plain JSON values.
        message: The evaluator's own words for the agent: ``message`` and ``error`` of its results.
        fault: Whose fault it is that there is no score.
        error: One line on the fault, fit for the agent and the report: no path, no traceback.
        detail: Traceback and output tail, for the record alone.
        violation: What the evaluator calls cheating in this submission.
        seconds: Wall time of the evaluator process.
    """

    score: float | None
    unclamped: float | None
    metrics: Mapping[str, Any]
    message: str
    fault: Fault | None = None
    error: str | None = None
    detail: str = ""
    violation: str | None = None
    seconds: float = 0.0
