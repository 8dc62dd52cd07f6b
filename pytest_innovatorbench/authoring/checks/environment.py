"""Rules on environments and tests."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import (
    environment_conda,
    environment_requirements,
    environment_tests,
)
from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (*environment_requirements.RULES, *environment_conda.RULES, *environment_tests.RULES),
        key=lambda rule: rule.code,
    )
)
