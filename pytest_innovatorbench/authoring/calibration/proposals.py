"""Anchors of score curves that bring baseline and reference into their bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.metrics import LEAST_GAP
from pytest_innovatorbench.evaluation.contract.scoring import ScoreCurve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.calibration.metrics import Measured

# The reference falls a little short of its anchor: there is room for a worse seed, and for a better one.
AIM = (75.0, 79.9)
MOST_ROUNDED = 0.02  # of the distance between the two, taken from the baseline
_FINEST = 6  # decimal places finer than the distance between the two


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A score curve for one metric, or why there is none.

    Attributes:
        name: The metric.
        is_measured: Whether it rests on what the evaluator returns, not only on what is stated.
        curve: The curve, if there is one.
        baseline: Points that it gives to the baseline.
        reference: Points that it gives to the reference.
        reason: Why there is no curve.
    """

    name: str
    is_measured: bool
    curve: ScoreCurve | None = None
    baseline: float = 0.0
    reference: float = 0.0
    reason: str = ""

    @property
    def code(self) -> str:
        """The curve as it is written in an evaluator."""
        if self.curve is None:
            return ""
        ceiling = "" if self.curve.ceiling is None else f", ceiling={self.curve.ceiling!r}"
        return f"ScoreCurve(baseline={self.curve.baseline!r}, reference={self.curve.reference!r}{ceiling})"


def propose(measured: Measured) -> Proposal:
    """Propose a curve for a metric."""
    name, baseline, reference = measured.metric.name, *measured.ends
    if measured.gap < LEAST_GAP:
        return Proposal(name=name, is_measured=measured.is_measured, reason=_gap_reason(measured))
    curve = _curve(baseline, reference, measured.metric.ceiling)
    return Proposal(
        name=name,
        is_measured=measured.is_measured,
        curve=curve,
        baseline=curve(baseline),
        reference=curve(reference),
    )


def _gap_reason(measured: Measured) -> str:
    baseline, reference = measured.ends
    if measured.gap <= 0:
        return f"the reference ({reference:g}) is no better than the baseline ({baseline:g})"
    return (
        f"baseline {baseline:g} and reference {reference:g} are {measured.gap:.1%} apart; "
        f"no curve helps below {LEAST_GAP:.0%}, so make the task harder for the baseline"
    )


def _curve(baseline: float, reference: float, ceiling: float | None) -> ScoreCurve:
    """Return the curve with the roundest anchors that aims right, or with the measured ones."""
    distance, bound = abs(reference - baseline), _bound(baseline, reference)
    if reference == bound:
        return ScoreCurve(baseline, reference)
    for step in _steps(distance):
        low, *highs = _anchors(Decimal(repr(baseline)), Decimal(repr(reference)), step)
        for high in highs if abs(low - baseline) <= MOST_ROUNDED * distance else ():
            within = bound is None or abs(high - baseline) <= abs(bound - baseline)
            if within and AIM[0] <= ScoreCurve(low, high)(reference) <= AIM[1]:
                return ScoreCurve(low, high, _ceiling(low, high, ceiling, step))
    return ScoreCurve(baseline, reference)


def _bound(baseline: float, reference: float) -> float | None:
    """Return what a metric most likely cannot exceed: 1 for shares that rise, 0 for errors that fall."""
    if reference < baseline:
        return 0.0 if reference >= 0 else None
    return 1.0 if baseline >= 0 and reference <= 1 else None


def _steps(distance: float) -> Iterator[Decimal]:
    """Yield round steps, from one as large as the distance to fine ones."""
    largest = math.floor(math.log10(distance))
    for exponent in range(largest, largest - _FINEST, -1):
        for digit in (5, 2, 1):
            yield Decimal(digit).scaleb(exponent)


def _anchors(baseline: Decimal, reference: Decimal, step: Decimal) -> tuple[float, float, float]:
    """Round the baseline towards the reference, so that it scores 0, and the reference twice away from it."""
    if reference > baseline:
        low, high = _up(baseline, step), _up(reference, step)
        return float(low), float(high), float(high + step)
    low, high = -_up(-baseline, step), -_up(-reference, step)
    return float(low), float(high), float(high - step)


def _up(value: Decimal, step: Decimal) -> Decimal:
    return math.ceil(value / step) * step


def _ceiling(low: float, high: float, stated: float | None, step: Decimal) -> float | None:
    """Return the stated ceiling where it still lies beyond the reference, else one an eighth farther."""
    if stated is not None and (stated - high) * (high - low) > 0:
        return stated
    farther, bound = high + (high - low) / 8, _bound(low, high)
    if bound is not None and abs(farther - high) > abs(bound - high) / 2:
        farther = (high + bound) / 2
    fine = step / 10
    rounded = float(round(Decimal(repr(farther)) / fine) * fine)
    return rounded if (rounded - high) * (high - low) > 0 else None
