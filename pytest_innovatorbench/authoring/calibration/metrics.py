"""What the evaluator measures of baseline and reference, beside what the author states."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.calibration.samples import Samples
    from pytest_innovatorbench.tasks.model import Metric

LEAST_GAP = 0.05
# Of the distance between baseline and reference. Authors state the anchors of their curves: those of the
# baseline are set a little above what it reaches, and all are rounded.
STATED_TOLERANCE = 0.25
_NOT_WORDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric as it is stated and as the evaluator returns it under its name.

    Attributes:
        metric: What ``task.yaml`` states.
        baseline: Measured of the baseline; ``None`` where the evaluator returns no such number.
        reference: Measured of the reference.
    """

    metric: Metric
    baseline: float | None
    reference: float | None

    @property
    def is_measured(self) -> bool:
        """Whether the evaluator returns it for both submissions."""
        return self.baseline is not None and self.reference is not None

    @property
    def is_unknown(self) -> bool:
        """Whether the evaluator returns it for neither submission."""
        return self.baseline is None and self.reference is None

    @property
    def ends(self) -> tuple[float, float]:
        """Baseline and reference: measured if both are, else stated."""
        if self.baseline is not None and self.reference is not None:
            return self.baseline, self.reference
        return self.metric.baseline, self.metric.reference

    @property
    def gap(self) -> float:
        """How much better the reference is, as a share of the larger of the two; below 0 if it is worse."""
        baseline, reference = self.ends
        largest = max(abs(baseline), abs(reference))
        better = reference - baseline if self.metric.direction == "maximize" else baseline - reference
        return better / largest if largest else 0.0

    def differences(self) -> Iterator[tuple[str, float, float]]:
        """Yield which value, stated and measured, for each of the two that clearly differ."""
        allowed = STATED_TOLERANCE * abs(self.metric.reference - self.metric.baseline)
        for which, stated, measured in (
            ("baseline", self.metric.baseline, self.baseline),
            ("reference", self.metric.reference, self.reference),
        ):
            if measured is not None and abs(measured - stated) > allowed:
                yield which, stated, measured


def measure(samples: Samples) -> Sequence[Measured]:
    """Return the metrics that ``task.yaml`` states, with what the evaluator returns for the samples."""
    baseline = samples.baseline and samples.trial(samples.baseline).evaluation.metrics
    reference = samples.reference and samples.trial(samples.reference).evaluation.metrics
    return [
        Measured(
            metric=metric,
            baseline=find_value(metric.name, baseline or {}),
            reference=find_value(metric.name, reference or {}),
        )
        for metric in samples.task.metrics
    ]


def find_value(name: str, results: Mapping[str, Any]) -> float | None:
    """Return the number that an evaluator's results have under a metric's name, however it is spelt.

    Args:
        name: The metric.
        results: ``metric_0`` ... -> what each ``run_i`` returned.
    """
    for result in results.values():
        for holder in (result, result.get("test_set_result") if isinstance(result, dict) else None):
            for key, value in holder.items() if isinstance(holder, dict) else ():
                if _plain(str(key)) == _plain(name) and _is_number(value):
                    return float(value)
    return None


def _plain(name: str) -> str:
    return _NOT_WORDS.sub("_", name.lower()).strip("_")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
