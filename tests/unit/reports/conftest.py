from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_innovatorbench.reports.document import report_document
from pytest_innovatorbench.runs.model import AttemptResult, Status
from tests.unit.reports.samples import HOSTILE, MakeResult

if TYPE_CHECKING:
    from pytest_innovatorbench.reports.document import ReportDocument


@pytest.fixture
def result() -> MakeResult:
    def make(task: str = "sort_it", agent: str = "oracle", seed: int = 0, **fields: Any) -> AttemptResult:
        plain = AttemptResult(
            attempt=f"{task}-{agent}-{seed}",
            task=task,
            domain="LD",
            agent=agent,
            seed=seed,
            status=Status.SCORED,
            first=40.0,
            best=80.0,
            final=60.0,
            curve=((10.0, 40.0), (20.0, 80.0), (30.0, 60.0)),
            evals=2,
            seconds=31.0,
            started="2026-01-02T03:04:05+00:00",
            run_dir=Path("/runs/one"),
        )
        return replace(plain, **fields)

    return make


@pytest.fixture
def mixed(result: MakeResult) -> list[AttemptResult]:
    """One attempt for every way to end, and one by an agent that crashed."""
    return [
        result("task_10", domain="DF", final=70.0),
        result("task_2", hints=1, penalty=10.0),
        result(
            "task_3",
            status=Status.UNSCOREABLE,
            fault="evaluator",
            final=None,
            error="the evaluator returned NaN",
        ),
        result("task_4", status=Status.UNSCOREABLE, fault="machine", final=None, first=None, curve=()),
        result("task_5", status=Status.VIOLATION, final=99.0, error="a link out of the workspace"),
        result("task_6", status=Status.INTERRUPTED, final=5.0, ending="interrupted"),
        result("task_7", ending="crashed", final=20.0, error="the agent ended with exit status 1"),
        result("task_2", "baseline", first=0.0, best=1.0, final=1.0),
    ]


@pytest.fixture
def document(mixed: list[AttemptResult]) -> ReportDocument:
    return report_document(
        mixed,
        {"agent": ["oracle", "baseline"], "max_evals": 3},
        run_dir=Path("/runs"),
        harness={"pytest-innovatorbench": "0.1.0", "pytest": "9.0.0"},
        created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


@pytest.fixture
def hostile(result: MakeResult) -> ReportDocument:
    """A report in which everything that others may write is hostile."""
    attempt = result(
        HOSTILE,
        HOSTILE,
        domain=HOSTILE,
        ending=HOSTILE,
        error=HOSTILE,
        first=float("nan"),
        best=float("inf"),
        final=float("nan"),
        baseline=float("nan"),
        reference=float("-inf"),
        curve=((float("nan"), 1.0), (1.0, float("inf")), (2.0, 50.0)),
        seconds=float("nan"),
        penalty=float("nan"),
        hints=1,
        started=HOSTILE,
        run_dir=Path(HOSTILE),
    )
    return report_document([attempt, replace(attempt, seed=1, final=50.0)], {HOSTILE: {HOSTILE: HOSTILE}})
