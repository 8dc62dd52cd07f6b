"""Score curves: from a metric's value to points, calibrated by a baseline and a reference."""

from pytest_innovatorbench.evaluation.contract.scoring import (
    ScoreCurve,
    Trapezoid,
    format_points,
    product,
    weighted_sum,
)

__all__ = ["ScoreCurve", "Trapezoid", "format_points", "product", "weighted_sum"]
