"""An attempt before and after it ran."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_innovatorbench.errors import Fault


class Status(StrEnum):
    """How an attempt ended; the four are kept apart everywhere."""

    SCORED = "scored"
    UNSCOREABLE = "unscoreable"
    VIOLATION = "violation"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What an attempt came to. Scores are net of the hint penalty, 0-100.

    Attributes:
        attempt: Unique id within the run, such as ``loss_noisy_labels-oracle-0``.
        task: Task id.
        domain: The task's domain, such as ``LD``.
        agent: Agent as it was asked for, with its model.
        seed: Seed given to the agent.
        status: One of the four ways to end.
        fault: Whose fault it is, where the attempt is unscoreable.
        ending: What ended the agent: ``finished``, ``evals``, ``steps``, ``time``, ``disk``, ``lost``,
            ``crashed``, ``interrupted``, ``machine`` or ``unprepared``.
        first: Score of the first evaluated submission.
        best: Highest score.
        final: Score of the last submission, or ``None`` if it could not be scored.
        baseline: Score the task's baseline submission has, for charts.
        reference: Score the task's reference has, for charts.
        curve: ``(seconds since the start, net score)`` of each scored evaluation, in order.
        evals: Evaluations the agent spent, without the guaranteed final one.
        max_evals: Evaluations it was allowed.
        hints: Hints it viewed.
        penalty: Points taken off for them.
        tokens: Tokens that its model read and wrote.
        cost: US dollars that they took, as far as their prices are known.
        seconds: Working time, in seconds.
        started: Start in UTC, ISO 8601.
        run_dir: Folder of the attempt's record.
        error: One line on what went wrong, if anything did.
    """

    attempt: str
    task: str
    domain: str
    agent: str
    seed: int
    status: Status
    fault: Fault | None = None
    ending: str = "finished"
    first: float | None = None
    best: float | None = None
    final: float | None = None
    baseline: float = 0.0
    reference: float = 80.0
    curve: tuple[tuple[float, float], ...] = ()
    evals: int = 0
    max_evals: int = 3
    hints: int = 0
    penalty: float = 0.0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    started: str = ""
    run_dir: Path = Path()
    error: str | None = None
