"""Rules on calibration: what baseline, reference and all between them score."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import (
    calibration_agents,
    calibration_metrics,
    calibration_order,
    calibration_scores,
)
from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *calibration_scores.RULES,
            *calibration_metrics.RULES,
            *calibration_order.RULES,
            *calibration_agents.RULES,
        ),
        key=lambda rule: rule.code,
    )
)
