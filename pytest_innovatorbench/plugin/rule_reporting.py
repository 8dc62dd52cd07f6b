"""From what came of rules to pytest's reports, and a section of the summary.

The section is made from pytest's reports alone, which is what makes it right with xdist.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.plugin.rule_items import CHECKED, RuleItem, place, reason_of, worst_first

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pytest_innovatorbench.authoring.model import Checked

_ATTRIBUTE = "ibench_rule"
_LONGEST = 1_000


class RuleReporting:
    """Puts what came of rules on pytest's reports, and shows what lets a test pass."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put it there as plain values, which xdist can send."""
        report = yield
        if isinstance(item, RuleItem) and call.when == "call" and CHECKED in item.stash:
            checked = item.stash[CHECKED]
            setattr(report, _ATTRIBUTE, _plain(checked))
            if checked.skipped and report.skipped:  # pytest would name the line of ours that skips
                report.longrepr = (item.location[0], 1, reason_of(checked))
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """Say WAIVED where pytest says XFAIL, and mark what passes with a warning."""
        told = getattr(report, _ATTRIBUTE, None)
        if told is None or report.when != "call":
            return None
        if told["waived"] and report.skipped:
            return "xfailed", "x", ("WAIVED", {"yellow": True})
        if report.passed and _counts(told)["warning"]:
            return "passed", "w", ("PASSED (warning)", {"yellow": True})
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what is told of each rule; one that is checked again replaces the first."""
        told = getattr(report, _ATTRIBUTE, None)
        if told is not None and report.when == "call":
            self._told[report.nodeid] = told

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show warnings, notes and what is waived, and count the rules of each task."""
        if not self._told:
            return
        terminalreporter.write_sep("=", "innovatorbench")
        in_order = [self._told[nodeid] for nodeid in sorted(self._told)]  # workers report as they please
        for told in in_order:
            for line in _shown(told):
                terminalreporter.write_line(line)
        for task in dict.fromkeys(told["task"] for told in in_order):
            terminalreporter.write_line(self._count(task))

    def _count(self, task: str) -> str:
        of_task = [told for told in self._told.values() if told["task"] == task]
        broken = sum(bool(_counts(told)["error"]) and not told["waived"] for told in of_task)
        warned = sum(bool(_counts(told)["warning"]) and not told["waived"] for told in of_task)
        waived = sum(bool(told["waived"]) for told in of_task)
        skipped = sum(told["skipped"] is not None for told in of_task)
        counts = {"broken": broken, "with warnings": warned, "waived": waived, "not checked": skipped}
        said = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
        rules = f"{len(of_task)} rule" + ("s" if len(of_task) > 1 else "")
        return f"{one_line(task)}: {rules}" + (f", {said}" if said else ", all hold")


def _plain(checked: Checked) -> dict[str, Any]:
    return {
        "task": checked.task_id,
        "code": checked.rule.code,
        "findings": [asdict(finding) for finding in worst_first(checked.findings)],
        "waived": checked.waived,
        "skipped": checked.skipped,
    }


def _counts(told: dict[str, Any]) -> dict[str, int]:
    severities = [finding["severity"] for finding in told["findings"]]
    return {severity: severities.count(severity) for severity in ("error", "warning", "note")}


def _shown(told: dict[str, Any]) -> Iterator[str]:
    """Yield lines for what no failure shows."""
    if not told["waived"] and _counts(told)["error"]:
        return
    reason = f" (waived: {one_line(told['waived'])})" if told["waived"] else ""
    for values in told["findings"]:
        finding = Finding(**values)
        said = one_line(finding.message, _LONGEST)
        yield f"{place(finding)}: {finding.severity} {one_line(told['code'])}: {said}{reason}"
