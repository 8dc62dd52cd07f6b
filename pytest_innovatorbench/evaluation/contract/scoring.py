"""Score curves: from a metric's value to points, calibrated by a baseline and a reference."""

from __future__ import annotations

import math

FULL = 100.0
MOST_BONUS = 20.0
REFERENCE_RANGE = (70.0, 80.0)


class _Frozen:
    """A value that does not change: what ``dataclass(frozen=True)`` gives, without the time of its import.

    An evaluator starts for every evaluation, and dataclasses took a third of what it needs to start.
    """

    __slots__: tuple[str, ...] = ()

    def _set(self, **values: float | None) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[float | None, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} does not change: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} does not change: cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._values() == self._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[type, tuple[float | None, ...]]:
        return type(self), self._values()


class ScoreCurve(_Frozen):
    """Points for a metric: 0 at the baseline, ``reference_points`` at the reference, linear between.

    Beyond the reference, up to ``bonus`` points more are earned linearly until the ceiling. The direction
    follows from the two anchors: a reference below the baseline means that lower is better.

    Args:
        baseline: Metric of what a lazy agent would submit.
        reference: Metric of the published method.
        ceiling: Metric that earns the whole bonus; without one, the reference earns the most.
        reference_points: Points at the reference, 70-80.
        bonus: Points between reference and ceiling, 0-20.

    Raises:
        ValueError: The anchors are not finite, equal or out of order, or the points out of range.
    """

    __slots__ = ("baseline", "reference", "ceiling", "reference_points", "bonus")  # noqa: RUF023 - as they are given
    baseline: float
    reference: float
    ceiling: float | None
    reference_points: float
    bonus: float

    def __init__(
        self,
        baseline: float,
        reference: float,
        ceiling: float | None = None,
        reference_points: float = 80.0,
        bonus: float = MOST_BONUS,
    ) -> None:
        self._set(
            baseline=baseline,
            reference=reference,
            ceiling=ceiling,
            reference_points=reference_points,
            bonus=bonus,
        )
        _check_finite("baseline", self.baseline)
        _check_finite("reference", self.reference)
        if self.baseline == self.reference:
            raise ValueError(f"baseline and reference are both {self.baseline}")
        _check_range("reference_points", self.reference_points, *REFERENCE_RANGE)
        _check_range("bonus", self.bonus, 0.0, MOST_BONUS)
        if self.ceiling is not None:
            _check_finite("ceiling", self.ceiling)
            if self._progress(self.ceiling) <= 1:
                raise ValueError(f"ceiling {self.ceiling} is not beyond the reference {self.reference}")

    def __call__(self, value: float) -> float:
        """Return the points for a metric's value, 0 to ``reference_points + bonus``.

        Raises:
            ValueError: The value is not a number.
        """
        if math.isnan(value):
            raise ValueError("the metric is not a number (NaN)")
        progress = self._progress(value)
        if progress <= 1:
            return self.reference_points * max(0.0, progress)
        return self.reference_points + self._bonus(value)

    def _progress(self, value: float) -> float:
        """Return how far a value is from the baseline (0) to the reference (1)."""
        return (value - self.baseline) / (self.reference - self.baseline)

    def _bonus(self, value: float) -> float:
        if self.ceiling is None:
            return 0.0
        beyond = (value - self.reference) / (self.ceiling - self.reference)
        return self.bonus * min(1.0, beyond)


class Trapezoid(_Frozen):
    """A band of good values: 0 outside, 1 in the middle, linear on the two slopes.

    Args:
        zero_below: At and below it, 0.
        one_from: From here on, 1.
        one_to: Up to here, 1.
        zero_above: At and above it, 0.

    Raises:
        ValueError: The four are not finite and in ascending order.
    """

    __slots__ = ("zero_below", "one_from", "one_to", "zero_above")  # noqa: RUF023 - as they are given
    zero_below: float
    one_from: float
    one_to: float
    zero_above: float

    def __init__(self, zero_below: float, one_from: float, one_to: float, zero_above: float) -> None:
        self._set(zero_below=zero_below, one_from=one_from, one_to=one_to, zero_above=zero_above)
        corners = (self.zero_below, self.one_from, self.one_to, self.zero_above)
        for corner in corners:
            _check_finite("corner", corner)
        if not self.zero_below < self.one_from <= self.one_to < self.zero_above:
            raise ValueError(f"corners are not in ascending order: {corners}")

    def __call__(self, value: float) -> float:
        """Return a fraction from 0 to 1.

        Raises:
            ValueError: The value is not a number.
        """
        if math.isnan(value):
            raise ValueError("the metric is not a number (NaN)")
        rising = (value - self.zero_below) / (self.one_from - self.zero_below)
        falling = (self.zero_above - value) / (self.zero_above - self.one_to)
        return max(0.0, min(1.0, rising, falling))


def format_points(valid: int, total: int, *, points: float = 10.0) -> float:
    """Return ``points`` times the share of outputs that are valid.

    Points for the form alone lift a useless submission above 0, so keep them small.

    Args:
        valid: Outputs in the right form.
        total: Outputs expected, at least 1.
        points: Points if all are valid, 0-100.

    Raises:
        ValueError: The counts are impossible.
    """
    _check_range("points", points, 0.0, FULL)
    if not 0 <= valid <= total or total < 1:
        raise ValueError(f"{valid} of {total} outputs cannot be valid")
    return points * valid / total


def weighted_sum(*parts: tuple[float, float]) -> float:
    """Return the mean of points under weights.

    Args:
        parts: Pairs of weight and points (0-100); the weights sum to 1.

    Raises:
        ValueError: A weight or points are out of range, or the weights do not sum to 1.
    """
    total = math.fsum(weight for weight, _ in parts)
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        raise ValueError(f"weights sum to {total}, not to 1")
    for weight, points in parts:
        _check_range("weight", weight, 0.0, 1.0)
        _check_range("points", points, 0.0, FULL)
    return min(FULL, math.fsum(weight * points for weight, points in parts))


def product(points: float, *fractions: float) -> float:
    """Return points scaled by fractions, such as those of a ``Trapezoid``.

    Args:
        points: 0-100.
        fractions: Each 0-1.

    Raises:
        ValueError: Something is out of range.
    """
    _check_range("points", points, 0.0, FULL)
    for fraction in fractions:
        _check_range("fraction", fraction, 0.0, 1.0)
    return points * math.prod(fractions)


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, not a finite number")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also true for NaN
        raise ValueError(f"{name} is {value}, not within {low:g} to {high:g}")
