"""From results to pytest's reports, the summary and the report files.

The summary is made from pytest's reports alone, which is what makes it right with xdist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.plugin.items import RESULT, AttemptItem
from pytest_innovatorbench.reports.document import report_document
from pytest_innovatorbench.reports.table import summary_lines
from pytest_innovatorbench.reports.writer import parse_target, write_report
from pytest_innovatorbench.runs.model import Status
from pytest_innovatorbench.runs.plan import settings_record
from pytest_innovatorbench.runs.records import result_from_dict, result_to_dict

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.reports.document import ReportDocument
    from pytest_innovatorbench.runs.model import AttemptResult

_ATTRIBUTE = "ibench"


class Reporting:
    """Puts results on pytest's reports and summarises them.

    Args:
        config: pytest's.
        run: The run.
    """

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._config = config
        self._run = run
        self._results: dict[str, AttemptResult] = {}
        self._trouble: list[str] = []
        self._planned = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the result of an attempt on its report, as plain values that xdist can send."""
        report = yield
        if isinstance(item, AttemptItem) and call.when == "call" and RESULT in item.stash:
            result = item.stash[RESULT]
            setattr(report, _ATTRIBUTE, result_to_dict(result))
            # The body may have run ahead, so that the call itself took no time.
            report.duration = max(report.duration, result.seconds)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """Say SCORED 76.4 where pytest says PASSED, and so on."""
        values = getattr(report, _ATTRIBUTE, None)
        if values is None or report.when != "call" or report.outcome not in {"passed", "failed"}:
            return None
        return _status(report, result_from_dict(values))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the attempts that are to be made."""
        self._planned = sum(isinstance(item, AttemptItem) for item in session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the last result of each item; one that is run again replaces the first."""
        values = getattr(report, _ATTRIBUTE, None)
        if values is not None and report.when == "call":
            self._results[report.nodeid] = result_from_dict(values)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports that were asked for; one that cannot be written fails the run."""
        if session.config.option.collectonly or hasattr(session.config, "workerinput"):
            return
        results = list(self._results.values())
        self._config.hook.pytest_ibench_run_finished(
            results=results, run_folder=self._run.settings.run_folder
        )
        for text in self._run.settings.reports:
            try:
                write_report(parse_target(text), self._document())
            except UserError as error:
                self._trouble.append(str(error))
                session.exitstatus = session.exitstatus or pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table of scores."""
        if not self._results and not self._trouble:
            return
        terminalreporter.write_sep("=", "innovatorbench")
        for line in summary_lines(self._document(), width=terminalreporter._tw.fullwidth):  # noqa: SLF001 - no public way to the width
            terminalreporter.write_line(line)
        terminalreporter.write_line("")
        missing = self._planned - len(self._results)
        if missing > 0:
            terminalreporter.write_line(f"not run: {missing} of {self._planned} attempts", yellow=True)
        terminalreporter.write_line(f"records: {self._run.settings.run_folder}")
        for text in self._trouble:
            terminalreporter.write_line(f"report not written: {text}", red=True)

    def _document(self) -> ReportDocument:
        settings = self._run.settings
        return report_document(self._results.values(), settings_record(settings), run_dir=settings.run_folder)


def _status(report: pytest.TestReport, result: AttemptResult) -> tuple[str, str, Any]:
    score = "" if result.final is None else f" {result.final:.1f}"
    if result.status is Status.SCORED:
        word = f"SCORED{score}" + (" (crashed)" if result.ending == "crashed" else "")
        return ("passed", ".", word) if report.passed else ("failed", "F", f"{word} (below the limit)")
    if result.status is Status.UNSCOREABLE:
        return "error", "E", f"UNSCOREABLE ({result.fault})"
    if result.status is Status.VIOLATION:
        return "failed", "V", f"VIOLATION{score}"
    return "failed", "I", f"INTERRUPTED{score}"
