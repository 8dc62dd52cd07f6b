from __future__ import annotations

import math

import pytest

from pytest_innovatorbench.authoring.calibration.metrics import Measured
from pytest_innovatorbench.authoring.calibration.proposals import propose
from pytest_innovatorbench.tasks.model import Metric


def measured(baseline: float, reference: float, ceiling: float | None = None) -> Measured:
    metric = Metric(
        name="m",
        baseline=baseline,
        reference=reference,
        direction="maximize" if reference > baseline else "minimize",
        ceiling=ceiling,
        weight=None,
    )
    return Measured(metric=metric, baseline=baseline, reference=reference)


@pytest.mark.parametrize(
    ("baseline", "reference", "ceiling", "code"),
    [
        (0.6012, 0.9187, None, "ScoreCurve(baseline=0.605, reference=0.92, ceiling=0.9595)"),
        (0.6012, 0.9187, 0.98, "ScoreCurve(baseline=0.605, reference=0.92, ceiling=0.98)"),
        (0.7808, 0.102, 0.05, "ScoreCurve(baseline=0.78, reference=0.1, ceiling=0.05)"),
        (0.5, 1.0, None, "ScoreCurve(baseline=0.5, reference=1.0)"),
    ],
)
def test_anchors_are_round_and_near_what_was_measured(
    baseline: float, reference: float, ceiling: float | None, code: str
) -> None:
    proposal = propose(measured(baseline, reference, ceiling))
    assert proposal.code == code
    assert proposal.baseline == 0


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("scale", [1e-6, 0.01, 1, 37.5, 1e9])
@pytest.mark.parametrize("start", [-3.3, 0.0, 0.61, 12.345])
def test_both_fall_into_their_bands_whatever_the_scale(direction: int, scale: float, start: float) -> None:
    for step in range(1, 40):
        distance = scale * (1 + 0.137 * step)
        proposal = propose(measured(start * scale, start * scale + direction * distance))
        assert proposal.curve is not None
        assert proposal.baseline == pytest.approx(0, abs=1e-6)
        assert 70 <= proposal.reference <= 80 + 1e-6
        assert math.isfinite(proposal.curve(start * scale + 2 * direction * distance))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (0.51, "baseline 0.5 and reference 0.51 are 2.0% apart; no curve helps below 5%, so make the task"),
        (0.5, "the reference (0.5) is no better than the baseline (0.5)"),
    ],
)
def test_no_curve_helps_where_there_is_no_gap(reference: float, reason: str) -> None:
    proposal = propose(measured(0.5, reference))
    assert (proposal.curve, proposal.code) == (None, "")
    assert proposal.reason.startswith(reason)
