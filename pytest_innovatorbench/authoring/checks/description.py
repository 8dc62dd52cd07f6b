"""Rules on the description: what the agent is told, and whether it is so."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import (
    description_hint,
    description_limits,
    description_outputs,
    description_sections,
)
from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = (
    *description_sections.RULES,
    *description_limits.RULES,
    *description_outputs.RULES,
    *description_hint.RULES,
)
