"""One rule and one task as a test item."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_innovatorbench.authoring.model import Checked
from pytest_innovatorbench.authoring.validation import check, examined, in_turn
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.plugin.items import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_innovatorbench.authoring.findings import Finding, Options
    from pytest_innovatorbench.authoring.model import Rule
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.tasks.benchmark import Benchmark

CHECKED = pytest.StashKey[Checked]()

_WORST_FIRST = ("error", "warning", "note")
_LONGEST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A run of pytest that checks tasks.

    Attributes:
        benchmark: Where the tasks are.
        task_ids: The tasks that were selected.
        rules: What they are checked by.
        options: How thoroughly.
    """

    benchmark: Benchmark
    task_ids: frozenset[str]
    rules: Sequence[Rule]
    options: Options


class BrokenRuleError(Exception):
    """A task breaks a rule; the text says where and what to do."""


class RuleFile(pytest.File):
    """The file that stands for a task; its items are the rules.

    The task is examined from the first of its items to the last: what one evaluates is there for the next.
    """

    def __init__(self, *, validation: Validation, task_id: str, **rest: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**rest)
        self._validation = validation
        self._task_id = task_id
        self._stack = ExitStack()
        self._subject: Subject | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item per rule."""
        domain = self._validation.benchmark.domain(self._task_id)
        for rule in in_turn(self._validation.rules):
            name = f"{self._task_id}[{printable(rule.code)}]"
            # As text, which pytest takes apart: it has to equal what --lf reads back as text.
            nodeid = f"{self.nodeid}::{name}"
            item: RuleItem = RuleItem.from_parent(self, name=name, nodeid=nodeid, file=self, rule=rule)
            item.add_marker(
                pytest.mark.ibench(id=self._task_id, domain=domain, code=rule.code, cost=rule.cost)
            )
            yield item

    def setup(self) -> None:
        """Begin to examine the task."""
        validation = self._validation
        self._subject = self._stack.enter_context(
            examined(
                validation.benchmark.root,
                self._task_id,
                validation.options,
                codes=[rule.code for rule in validation.rules],
            )
        )

    def teardown(self) -> None:
        """Remove the temporary files of the examination."""
        self._subject = None
        self._stack.close()

    def check(self, rule: Rule) -> Checked:
        """Check the task by a rule."""
        assert self._subject is not None  # noqa: S101 - pytest sets files up before their items
        return check(rule, self._subject)


class RuleItem(pytest.Item):
    """A rule that has to hold for a task."""

    def __init__(self, *, file: RuleFile, rule: Rule, **rest: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**rest)
        self._file = file
        self._rule = rule

    def runtest(self) -> None:
        """Check the task; what is waived counts as expected to fail, what is not checked as skipped."""
        checked = self._file.check(self._rule)
        self.stash[CHECKED] = checked
        self.user_properties[:] = _properties(checked)
        if checked.skipped:
            pytest.skip(reason_of(checked))
        if checked.waived:
            pytest.xfail(f"waived: {one_line(checked.waived)}")  # nothing happens here with --runxfail
        if any(finding.severity == "error" for finding in checked.findings):
            raise BrokenRuleError("\n".join(lines(checked)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - pytest's own
        """Return the findings as lines, a traceback only for our own bugs."""
        if isinstance(excinfo.value, BrokenRuleError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the item comes from; pytest cannot do without a line."""
        return self.path, 0, self.name


def lines(checked: Checked) -> Iterator[str]:
    """Yield a line for what the rule asks, then one for each finding, with what to do below it."""
    yield f"{one_line(checked.rule.code)} {one_line(checked.rule.name)}: {one_line(checked.rule.summary)}"
    for finding in worst_first(checked.findings):
        yield f"{place(finding)}: {finding.severity}: {one_line(finding.message, _LONGEST)}"
        yield f"    {one_line(finding.remedy, _LONGEST)}"


def place(finding: Finding) -> str:
    """Return a finding's file, with the line if there is one."""
    file = one_line(finding.file)
    return file if finding.line is None else f"{file}:{finding.line}"


def reason_of(checked: Checked) -> str:
    """Return why a rule was not checked, with the names that options have here."""
    return one_line(checked.skipped or "").replace("(--", "(--ibench-")


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with errors before warnings before notes."""
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity or "error"))


def _properties(checked: Checked) -> list[tuple[str, object]]:
    """Return what JUnit and other reports show of a rule; plain values only."""
    found = [("finding", f"{place(f)}: {f.severity}: {one_line(f.message)}") for f in checked.findings]
    waived = [("waived", one_line(checked.waived))] if checked.waived else []
    return [("rule", checked.rule.code), ("name", checked.rule.name), *waived, *found]
