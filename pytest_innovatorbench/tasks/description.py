"""Reading ``task_description.md``: its sections and the limits it states."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s{0,3}(?P<mark>`{3,}|~{3,})")
_SECTIONS = ("motivation", "task", "data", "constraint", "evaluation", "environment", "scripts")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?)\b"


def sections(text: str) -> dict[str, str]:
    """Split a description at its headings.

    Headings in fenced code are text. Names are lower case and singular, so that upstream's
    "Constraints" and "Evaluations" are found as well.

    Args:
        text: The Markdown text.

    Returns:
        Section name -> body, for the sections a task description is made of.
    """
    found: dict[str, list[str]] = {}
    body: list[str] | None = None
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark["mark"]
        elif mark and mark["mark"][0] == fence[0] and len(mark["mark"]) >= len(fence):
            fence = ""
        heading = None if fence or mark else _HEADING.match(line)
        name = _section_name(heading["title"]) if heading else None
        if name:
            body = found.setdefault(name, [])
        elif body is not None:
            body.append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def stated_limits(parts: Mapping[str, str]) -> dict[str, float]:
    """Find the limits that a description's Constraint section states.

    Args:
        parts: What :func:`sections` gave.

    Returns:
        Those found of ``working_seconds``, ``training_seconds`` and ``evaluation_seconds``, in seconds.
    """
    text = parts.get("constraint", "")
    limits = {}
    for kind, words in (("working", "work"), ("training", "train"), ("evaluation", "evaluat|inference|test")):
        for line in text.splitlines():
            duration = re.search(_DURATION, line, re.IGNORECASE)
            if duration and re.search(rf"\b(?:{words})", line, re.IGNORECASE):
                limits[f"{kind}_seconds"] = float(duration["number"]) * _seconds(duration["unit"])
                break
    return limits


def _section_name(title: str) -> str | None:
    words = re.sub(r"[^a-z ]", " ", title.lower()).split()
    for word in words:
        for name in _SECTIONS:
            if word in {name, name + "s"}:
                return name
    return None


def _seconds(unit: str) -> float:
    return _UNITS[unit[0].lower()]
