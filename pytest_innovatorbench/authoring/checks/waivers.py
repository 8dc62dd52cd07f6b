"""Rules on waivers: a rule may be set aside, but never in silence, and not for nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject


def _own_code(subject: Subject) -> Iterator[Finding]:
    for code in _waived(subject):
        if code.startswith("IB0"):
            yield _finding(subject, code, f"{code} cannot be waived")


def _unknown_code(subject: Subject) -> Iterator[Finding]:
    if not subject.codes:
        raise NotCheckedError("nobody said which rules there are")
    for code in _waived(subject):
        if code not in subject.codes:
            yield _finding(subject, code, f"there is no rule {code}")


def _for_nothing(subject: Subject) -> Iterator[Finding]:
    codes = [code for code in _waived(subject) if not code.startswith("IB0")]
    if codes and not set(codes) & set(subject.outcomes):
        raise NotCheckedError("no rule that is waived was checked")
    for code in codes:
        if subject.outcomes.get(code) == "clean":
            yield _finding(subject, code, f"{code} is waived, but finds nothing")


def _waived(subject: Subject) -> list[str]:
    waivers = subject.manifest.values.get("waive")
    return [one_line(str(code), 40) for code in waivers] if isinstance(waivers, dict) else []


def _finding(subject: Subject, code: str, message: str) -> Finding:
    file = subject.evaluations / "task.yaml"
    return Finding(message=message, file=subject.shown(file), line=_line(subject.read_text(file) or "", code))


def _line(text: str, code: str) -> int | None:
    place = re.search(rf"\b{re.escape(code)}\b['\"]?\s*:", text)
    return text.count("\n", 0, place.start()) + 1 if place else None


RULES = (
    Rule(
        code="IB001",
        name="waived-waiver",
        summary="The rules on waivers are not waived themselves.",
        why="A waiver is a reason that a reader can weigh. One that hides waivers is none.",
        remedy="remove it from waive in task.yaml",
        check=_own_code,
    ),
    Rule(
        code="IB002",
        name="unknown-waiver",
        summary="Every waiver names a rule that there is.",
        why="A misspelt waiver does nothing, and its reader believes that it does.",
        remedy="take the code from the finding, or install the package that has the rule",
        check=_unknown_code,
    ),
    Rule(
        code="IB003",
        name="waiver-for-nothing",
        summary="Every waiver sets a finding aside.",
        why="One that is left over would hide the same fault when it comes back.",
        remedy="remove it from waive in task.yaml",
        check=_for_nothing,
        looks_back=True,
    ),
)
