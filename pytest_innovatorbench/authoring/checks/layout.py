"""Rules on layout: what lies where, and what must not lie there."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import layout_contents, layout_names, layout_places
from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = (
    *sorted((*layout_places.RULES, *layout_names.RULES, *layout_contents.RULES), key=lambda rule: rule.code),
)
