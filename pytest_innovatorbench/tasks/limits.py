"""The limits that a description states (to be replaced)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?)\b"


class Stated(NamedTuple):
    """A limit."""

    value: float
    line: int


def find_limits(lines: Iterable[tuple[int, str]]) -> dict[str, Stated]:
    """Find limits in lines."""
    limits: dict[str, Stated] = {}
    for number, line in lines:
        for kind, words in (
            ("working", "work"),
            ("training", "train"),
            ("evaluation", "evaluat|inference|test"),
        ):
            duration = re.search(_DURATION, line, re.IGNORECASE)
            name = f"{kind}_seconds"
            if name not in limits and duration and re.search(rf"\b(?:{words})", line, re.IGNORECASE):
                limits[name] = Stated(float(duration["number"]) * _UNITS[duration["unit"][0].lower()], number)
    return limits
