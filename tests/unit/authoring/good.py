"""A good task, which tests break in one place."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pytest_innovatorbench.authoring.findings import Finding, Options
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, find
from pytest_innovatorbench.authoring.subject import Subject
from pytest_innovatorbench.authoring.validation import check, examined

TASK = "toy"


@dataclass(frozen=True, slots=True)
class Good:
    """A benchmark with one good task, in a folder that is the test's own.

    Attributes:
        root: The benchmark.
        open_things: Closed after the test.
    """

    root: Path
    open_things: ExitStack

    @property
    def evaluations(self) -> Path:
        return self.root / "evaluations" / TASK

    @property
    def gym(self) -> Path:
        return self.root / "gym" / TASK

    @property
    def description(self) -> Path:
        return self.gym / "task" / "task_description.md"

    def edit(self, file: Path, old: str, new: str) -> None:
        """Replace a text that has to be there."""
        text = file.read_text("utf-8")
        assert old in text, f"{old!r} is not in {file.name}"
        file.write_text(text.replace(old, new), "utf-8")

    def subject(self, options: Options | None = None) -> Subject:
        """Return the task as rules see it, as it is now."""
        return self.open_things.enter_context(examined(self.root, TASK, options or Options()))

    def findings(self, rule: Rule | str, options: Options | None = None) -> tuple[Finding, ...]:
        """Return what a rule finds; fail where it is not checked."""
        rule = find(rule, BUILTIN_RULES) if isinstance(rule, str) else rule
        checked = check(rule, self.subject(options or Options(attack=True, environment=True)))
        assert checked.skipped is None, checked.skipped
        return checked.findings

    def skipped(self, rule: Rule | str, options: Options | None = None) -> str | None:
        """Return why a rule is not checked."""
        rule = find(rule, BUILTIN_RULES) if isinstance(rule, str) else rule
        return check(rule, self.subject(options or Options(attack=True, environment=True))).skipped
