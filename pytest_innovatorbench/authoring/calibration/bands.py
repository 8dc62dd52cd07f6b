"""The scores that baselines and references have to have."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_innovatorbench.evaluation.contract.scoring import REFERENCE_RANGE

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A range of scores, both ends included.

    Attributes:
        low: Least score in it.
        high: Highest score in it.
    """

    low: float
    high: float

    def holds(self, score: float) -> bool:
        """Tell whether a score lies in it; what arithmetic rounds away does not count."""
        return self.low - _ROUNDING <= score <= self.high + _ROUNDING

    def __str__(self) -> str:
        return f"{self.low:g}-{self.high:g}"


BASELINE_BAND = Band(low=0.0, high=5.0)
REFERENCE_BAND = Band(low=REFERENCE_RANGE[0], high=REFERENCE_RANGE[1])
WHOLE_SCALE = Band(low=0.0, high=100.0)
