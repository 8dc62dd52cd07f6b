"""A survey with everything that reports have to show."""

from __future__ import annotations

from pytest_innovatorbench.authoring.calibration.proposals import Proposal
from pytest_innovatorbench.authoring.calibration.survey import Row, Survey
from pytest_innovatorbench.evaluation.contract.scoring import ScoreCurve

HOSTILE = "intermediate $x^{2$ \\x1b[31m <b>&' " + "long " * 20
PROPOSAL = Proposal(
    name="rmse", is_measured=True, curve=ScoreCurve(0.78, 0.1, 0.05), baseline=0.0, reference=79.76
)
ROWS = (
    Row(
        kind="baseline",
        name="baseline",
        score=0.0,
        metrics={"rmse": 0.7808},
        seconds=0.1,
        verdict="in band",
        is_fine=True,
    ),
    Row(kind="intermediate", name=HOSTILE, score=40.0, seconds=0.1, verdict="rises", is_fine=True),
    Row(
        kind="reference",
        name="reference",
        score=100.0,
        unclamped=104.25,
        metrics={"rmse": 0.102},
        seconds=61.0,
        verdict="above 80",
        is_fine=False,
    ),
    Row(kind="attack", name="IB616 of the task", verdict="not tried: nothing to make it from", is_fine=True),
)


def example(*rows: Row, proposals: tuple[Proposal, ...] = ()) -> Survey:
    return Survey(task_id="toy", metrics=["rmse"], rows=rows, proposals=proposals)
