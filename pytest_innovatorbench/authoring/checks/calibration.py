"""Rules on calibration."""

from __future__ import annotations

from pytest_innovatorbench.authoring.model import Rule

RULES: tuple[Rule, ...] = ()
