"""What an attempt came to, from how it ended and what its ledger says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.runs.model import AttemptResult, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_innovatorbench.errors import Fault
    from pytest_innovatorbench.researchgym.ledger import Ledger
    from pytest_innovatorbench.runs.work import Ending

_LONGEST_ERROR = 1_000


def conclude(
    spec: Mapping[str, Any], folder: Path, ending: Ending, ledger: Ledger, seconds: float
) -> AttemptResult:
    """Return the result of an attempt.

    Args:
        spec: What its ``attempt.json`` says.
        folder: Its record.
        ending: How the agent's part ended.
        ledger: What it spent and scored.
        seconds: Its working time.
    """
    scores = [scored.net for scored in ledger.scores]
    fault = ending.fault or ledger.fault
    return AttemptResult(
        **{key: spec[key] for key in ("attempt", "task", "domain", "agent", "seed", "started")},
        status=_status(ending, fault, ledger),
        fault=fault,
        ending=ending.reason,
        first=scores[0] if scores else None,
        best=max(scores, default=None),
        final=ledger.final,
        baseline=spec["baseline"],
        reference=spec["reference"],
        curve=tuple((scored.seconds, scored.net) for scored in ledger.scores),
        evals=ledger.evals,
        max_evals=spec["allowance"]["evals"],
        hints=ledger.hints,
        penalty=ledger.penalty,
        tokens=ledger.tokens,
        cost=round(ledger.cost, 6),
        seconds=round(seconds, 3),
        run_dir=folder,
        error=_error(ending, ledger),
    )


def _status(ending: Ending, fault: Fault | None, ledger: Ledger) -> Status:
    if ending.reason == "interrupted":
        return Status.INTERRUPTED
    if ledger.violation:
        return Status.VIOLATION
    return Status.UNSCOREABLE if fault else Status.SCORED


def _error(ending: Ending, ledger: Ledger) -> str | None:
    said = (ending.error, ledger.error, ledger.violation)
    # It holds what the agent printed and named, and goes to terminals and into XML.
    return one_line("; ".join(dict.fromkeys(part for part in said if part)), _LONGEST_ERROR) or None
