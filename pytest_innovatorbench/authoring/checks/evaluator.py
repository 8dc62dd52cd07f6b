"""Rules on evaluators."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import evaluator_code, evaluator_repeats, evaluator_runs
from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (*evaluator_runs.RULES, *evaluator_code.RULES, *evaluator_repeats.RULES),
        key=lambda rule: rule.code,
    )
)
