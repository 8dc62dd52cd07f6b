from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from evaluations.base.scoring import ScoreCurve, Trapezoid, format_points, product, weighted_sum
from pytest_innovatorbench.evaluation.contract import scoring

CURVES = [
    ScoreCurve(baseline=0.2, reference=0.6),
    ScoreCurve(baseline=0.2, reference=0.6, ceiling=1.0),
    ScoreCurve(baseline=3.0, reference=1.5, ceiling=0.25, reference_points=70, bonus=10),
    ScoreCurve(baseline=-4.0, reference=-2.0, ceiling=0.0, reference_points=75, bonus=0),
]
VALUES = [step / 50 for step in range(-300, 301)]


@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_curve_passes_through_its_anchors(curve: ScoreCurve) -> None:
    assert curve(curve.baseline) == 0
    assert curve(curve.reference) == pytest.approx(curve.reference_points)
    halfway = (curve.baseline + curve.reference) / 2
    assert curve(halfway) == pytest.approx(curve.reference_points / 2)
    if curve.ceiling is not None:
        assert curve(curve.ceiling) == pytest.approx(curve.reference_points + curve.bonus)
        halfway = (curve.reference + curve.ceiling) / 2
        assert curve(halfway) == pytest.approx(curve.reference_points + curve.bonus / 2)


@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_curve_is_monotone_and_bounded(curve: ScoreCurve) -> None:
    values = VALUES if curve.reference > curve.baseline else VALUES[::-1]
    points = [curve(value) for value in values]
    assert points == sorted(points)
    most = curve.reference_points + (0 if curve.ceiling is None else curve.bonus)
    assert points[0] == 0
    assert points[-1] == pytest.approx(most)
    assert most <= 100


@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_curve_takes_infinities_but_not_nan(curve: ScoreCurve) -> None:
    best = math.inf if curve.reference > curve.baseline else -math.inf
    assert curve(-best) == 0
    assert curve(best) == max(curve(value) for value in VALUES)
    with pytest.raises(ValueError, match=r"^the metric is not a number \(NaN\)$"):
        curve(math.nan)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": 0.0}, "baseline and reference are both 0.0"),
        ({"reference": math.nan}, "reference is nan, not a finite number"),
        ({"baseline": math.inf}, "baseline is inf, not a finite number"),
        ({"ceiling": 1.0}, "ceiling 1.0 is not beyond the reference 1.0"),
        ({"ceiling": -2.0}, "ceiling -2.0 is not beyond the reference 1.0"),
        ({"reference_points": 69.9}, "reference_points is 69.9, not within 70 to 80"),
        ({"reference_points": 81.0}, "reference_points is 81.0, not within 70 to 80"),
        ({"bonus": 20.5}, "bonus is 20.5, not within 0 to 20"),
        ({"bonus": -1.0}, "bonus is -1.0, not within 0 to 20"),
        ({"bonus": math.nan}, "bonus is nan, not within 0 to 20"),
    ],
)
def test_impossible_curves_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        ScoreCurve(**{"baseline": 0.0, "reference": 1.0} | arguments)


def test_trapezoid_rises_stays_and_falls() -> None:
    band = Trapezoid(0.0, 1.0, 3.0, 7.0)
    assert [band(value) for value in (-9, 0, 0.25, 1, 2, 3, 4, 6, 7, 9)] == pytest.approx(
        [0, 0, 0.25, 1, 1, 1, 0.75, 0.25, 0, 0]
    )
    assert (band(-math.inf), band(math.inf)) == (0, 0)
    with pytest.raises(ValueError, match="not a number"):
        band(math.nan)
    with pytest.raises(ValueError, match=r"^corners are not in ascending order: \(0, 2, 1, 3\)$"):
        Trapezoid(0, 2, 1, 3)
    with pytest.raises(ValueError, match=r"^corner is inf, not a finite number$"):
        Trapezoid(0, 1, 2, math.inf)


def test_format_points_are_a_share() -> None:
    assert format_points(3, 4) == pytest.approx(7.5)
    assert format_points(0, 4, points=5) == 0
    with pytest.raises(ValueError, match=r"^5 of 4 outputs cannot be valid$"):
        format_points(5, 4)
    with pytest.raises(ValueError, match=r"^0 of 0 outputs cannot be valid$"):
        format_points(0, 0)


def test_weighted_sum_needs_weights_that_sum_to_one() -> None:
    assert weighted_sum((0.7, 80), (0.2, 50), (0.1, 0)) == pytest.approx(66)
    assert weighted_sum(*[(0.1, 100)] * 10) == 100
    with pytest.raises(ValueError, match=r"^weights sum to 0\.9, not to 1$"):
        weighted_sum((0.5, 80), (0.4, 50))
    with pytest.raises(ValueError, match=r"^weight is 1\.5, not within 0 to 1$"):
        weighted_sum((1.5, 80), (-0.5, 50))
    with pytest.raises(ValueError, match=r"^points is nan, not within 0 to 100$"):
        weighted_sum((1, math.nan))


def test_product_scales_points_by_fractions() -> None:
    assert product(80, 0.5, 0.25) == pytest.approx(10)
    assert product(80) == 80
    with pytest.raises(ValueError, match=r"^fraction is 1\.1, not within 0 to 1$"):
        product(80, 1.1)
    with pytest.raises(ValueError, match=r"^points is 101, not within 0 to 100$"):
        product(101)


def test_the_published_formula_of_task_19() -> None:
    anchors = {"geometry": (62.5, 66.7), "maxflow": (25.0, 66.3), "connectivity": (96.1, 98.4)}
    for baseline, reference in anchors.values():
        curve = ScoreCurve(baseline=baseline, reference=reference, ceiling=100, reference_points=70)

        def published(accuracy: float, low: float = baseline, high: float = reference) -> float:
            if accuracy < low:
                return 10
            if accuracy < high:
                return 10 + 70 * (accuracy - low) / (high - low)
            return 10 + 70 + 20 * (accuracy - high) / (100 - high)

        for accuracy in range(101):
            assert format_points(8, 8) + curve(accuracy) == pytest.approx(published(accuracy))


@pytest.mark.parametrize(
    ("accuracy", "entropy", "published"),
    [
        (0.572, 0.184, 37.39),
        (0.530, 0.0878, 16.66),
        (0.526, 0.0861, 13.56),
        (0.512, 0.0942, 8.21),
        (0.508, 0.0881, 4.50),
        (0.572, 0.0627, 3.85),
    ],
)
def test_the_published_scores_of_task_14(accuracy: float, entropy: float, published: float) -> None:
    curve = ScoreCurve(baseline=0.50, reference=0.60)
    band = Trapezoid(0.06, 0.11, 0.16, 0.21)
    # That task gives 100 points at its reference, not 80.
    assert product(curve(accuracy) * 100 / 80, band(entropy)) == pytest.approx(published, abs=0.06)


def test_curves_and_bands_are_values_that_do_not_change() -> None:
    curve, band = ScoreCurve(0.5, 0.9, ceiling=1.0), Trapezoid(0, 1, 2, 3)
    assert repr(curve) == (
        "ScoreCurve(baseline=0.5, reference=0.9, ceiling=1.0, reference_points=80.0, bonus=20.0)"
    )
    assert (curve, hash(curve)) == (ScoreCurve(0.5, 0.9, 1.0), hash(ScoreCurve(0.5, 0.9, 1.0)))
    assert curve != ScoreCurve(0.5, 0.9)
    assert curve != band
    for value, name in ((curve, "reference"), (band, "one_to"), (curve, "other")):
        with pytest.raises(AttributeError, match=f"does not change: cannot set {name}"):
            setattr(value, name, 1.0)
        with pytest.raises(AttributeError, match=f"does not change: cannot delete {name}"):
            delattr(value, name)
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value  # noqa: S301 - our own


def test_an_evaluator_does_not_pay_for_dataclasses() -> None:
    code = "import sys, scoring; print('dataclasses' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(Path(scoring.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "False\n"
