"""Rules on leaks: nothing that is worth points is given away."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import (
    leaks_data,
    leaks_history,
    leaks_metrics,
    leaks_secrets,
    leaks_text,
    leaks_unread,
)
from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = (
    *leaks_data.RULES,
    *leaks_text.RULES,
    *leaks_history.RULES,
    *leaks_secrets.RULES,
    *leaks_metrics.RULES,
    *leaks_unread.RULES,
)
