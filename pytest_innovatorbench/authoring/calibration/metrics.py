"""What the evaluator measures of baseline and reference, beside what the author states."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.tasks.model import Metric

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.calibration.samples import Sample, Samples

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
    baseline, reference = _results(samples, samples.baseline), _results(samples, samples.reference)
    return [
        Measured(
            metric=metric,
            baseline=find_value(metric.name, baseline),
            reference=find_value(metric.name, reference),
        )
        for metric in samples.task.metrics
    ]


def discover(samples: Samples) -> Sequence[Measured]:
    """Return what the evaluator measures beside the score, for tasks that state no metrics.

    What the reference has more of counts as better.
    """
    baseline, reference = _results(samples, samples.baseline), _results(samples, samples.reference)
    return [
        Measured(
            metric=Metric(
                name=name, baseline=low, reference=high, direction="maximize" if high > low else "minimize"
            ),
            baseline=low,
            reference=high,
        )
        for name, high in _numbers(reference)
        if (low := find_value(name, baseline)) is not None and low != high
    ]


def _results(samples: Samples, sample: Sample | None) -> Mapping[str, Any]:
    return {} if sample is None else samples.trial(sample).evaluation.metrics


def _numbers(results: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
    holders = [result for result in results.values() if isinstance(result, dict)]
    pairs = [(name, value) for holder in holders for name, value in holder.items()]
    return [(name, float(value)) for name, value in pairs if name != "score" and _is_number(value)]


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
