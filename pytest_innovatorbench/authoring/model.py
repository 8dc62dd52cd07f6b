"""Rules for tasks, and what comes of checking them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_innovatorbench.authoring.findings import Finding, Severity
from pytest_innovatorbench.authoring.subject import Subject

# What a rule costs, and so which option leaves it out.
Cost: TypeAlias = Literal["reading", "evaluations", "attacks", "environment"]
Check: TypeAlias = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Something that has to hold for every task.

    Attributes:
        code: Stable code, such as ``"IB401"``; the digit of hundreds stands for the group.
        name: A few words with hyphens, such as ``"reference-score"``.
        summary: What has to hold, in one line.
        why: Why it has to, in a sentence or two.
        remedy: What to do about a finding, in one line.
        check: Yields what is wrong with a task.
        severity: How bad a finding is.
        cost: What checking takes.
        looks_back: Whether it looks at what came of the other rules, and so is checked after them.
    """

    code: str
    name: str
    summary: str
    why: str
    remedy: str
    check: Check
    severity: Severity = "error"
    cost: Cost = "reading"
    looks_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of checking one task by one rule.

    Attributes:
        rule: The rule.
        task_id: The task.
        findings: What is wrong, each with file, remedy and severity filled in.
        waived: The author's reason why the findings do not count, if there is one.
        skipped: Why the rule was not checked, if it was not.
        seconds: How long it took.
    """

    rule: Rule
    task_id: str
    findings: tuple[Finding, ...] = ()
    waived: str | None = None
    skipped: str | None = None
    seconds: float = 0.0

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that count as errors."""
        return () if self.waived else tuple(f for f in self.findings if f.severity == "error")
