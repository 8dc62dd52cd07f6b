"""From results to pytest's reports, the summary and the report files.

The summary is made from pytest's reports alone, which is what makes it right with xdist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.plugin.items import RESULT, AttemptItem, NotPassedError, printable
from pytest_innovatorbench.reports.document import report_document
from pytest_innovatorbench.reports.table import summary_lines
from pytest_innovatorbench.reports.writer import parse_target, write_report
from pytest_innovatorbench.runs.model import AttemptResult, Status
from pytest_innovatorbench.runs.plan import settings_record
from pytest_innovatorbench.runs.records import read_results, result_from_dict, result_to_dict

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.reports.document import ReportDocument

Key: TypeAlias = tuple[str, str, int]

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
        self._results: dict[Key, AttemptResult] = {}
        self._planned: dict[Key, str] = {}
        self._skipped: set[str] = set()
        self._trouble: list[str] = []
        self._not_run = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the result of an attempt on its report, as plain values that xdist can send."""
        report = yield
        if isinstance(item, AttemptItem) and call.when in {"call", "teardown"} and RESULT in item.stash:
            result = item.stash[RESULT]
            setattr(report, _ATTRIBUTE, result_to_dict(result))
            if call.when == "call":  # the body may have run ahead, so that the call itself took no time
                report.duration = max(report.duration, result.seconds)
            elif call.excinfo is not None and isinstance(call.excinfo.value, NotPassedError):
                report.longrepr = str(call.excinfo.value)  # pytest asks items only about failed calls
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """Say SCORED 76.4 where pytest says PASSED, and so on."""
        values = getattr(report, _ATTRIBUTE, None)
        if values is None or report.outcome not in {"passed", "failed"}:
            return None
        result = result_from_dict(values)
        if result.status is Status.UNSCOREABLE:
            told = ("error", "E", f"UNSCOREABLE ({result.fault})")
            return told if report.when == "teardown" else ("", "", "")
        return _status(report, result) if report.when == "call" else None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the attempts that are to be made."""
        self._plan(item.nodeid for item in session.items if isinstance(item, AttemptItem))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note the attempts that are to be made, where only the workers of xdist collect."""
        self._plan(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the last result of each item; one that is run again replaces the first."""
        values = getattr(report, _ATTRIBUTE, None)
        if report.skipped:
            self._skipped.add(report.nodeid)
        if values is not None and report.when == "call":
            result = result_from_dict(values)
            self._results[_key(result)] = result

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Write the reports that were asked for; one that cannot be written fails the run."""
        if session.config.option.collectonly or hasattr(session.config, "workerinput"):
            return (yield)
        self._complete()
        self._write_reports(session)
        return (yield)

    def _plan(self, ids: Iterable[str]) -> None:
        for nodeid in ids:
            key = self._key_of(nodeid)
            if key is not None:
                self._planned[key] = nodeid

    def _key_of(self, nodeid: str) -> Key | None:
        """Read task, agent and seed from the id of an item, which is all that xdist tells."""
        task, _, rest = nodeid.rpartition("::")[2].partition("[")
        agent, _, seed = rest.removesuffix("]").rpartition("-")
        known = task in self._run.task_ids and agent in map(printable, self._run.agents)
        return (task, agent, int(seed)) if known and seed.isdecimal() else None

    def _complete(self) -> None:
        """Add attempts that nobody reported: those whose workers were interrupted, and those never begun.

        Left out, they would be in no denominator, and part of a run would look like a whole one.
        """
        missing = [key for key, nodeid in self._planned.items() if nodeid not in self._skipped]
        missing = [key for key in missing if key not in self._results]
        if not missing:
            return
        recorded = {_key(result): result for result in self._records()}
        for key in missing:
            self._results[key] = recorded.get(key) or self._never_begun(key)
        self._not_run = sum(key not in recorded for key in missing)

    def _records(self) -> Iterable[AttemptResult]:
        try:
            return list(read_results(self._run.settings.run_folder))
        except (UserError, OSError):
            return []

    def _never_begun(self, key: Key) -> AttemptResult:
        task, agent, seed = key
        return AttemptResult(
            attempt=f"{task}-{agent}-{seed}",
            task=task,
            domain=self._run.benchmark.domain(task),
            agent=agent,
            seed=seed,
            status=Status.INTERRUPTED,
            ending="not_run",
            max_evals=0,
            error="the run ended before the attempt began",
        )

    def _write_reports(self, session: pytest.Session) -> None:
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
        if self._not_run:
            told = f"not run: {self._not_run} of {len(self._planned)} attempts"
            terminalreporter.write_line(told, yellow=True)
        if self._run.settings.resumes:
            terminalreporter.write_line(self._resumed_text())
        terminalreporter.write_line(f"records: {self._run.settings.run_folder}")
        for text in self._trouble:
            terminalreporter.write_line(f"report not written: {text}", red=True)

    def _resumed_text(self) -> str:
        over = {_key(before.result) for before in self._run.earlier.values() if before.is_over}
        left = len(self._planned.keys() - over)
        if not left:
            return f"nothing to resume: all {len(self._planned)} attempts have their results"
        return f"resumed: {left} of {len(self._planned)} attempts; the others have their results"

    def _document(self) -> ReportDocument:
        settings = self._run.settings
        return report_document(self._results.values(), settings_record(settings), run_dir=settings.run_folder)


def _key(result: AttemptResult) -> Key:
    return result.task, printable(result.agent), result.seed


def _status(report: pytest.TestReport, result: AttemptResult) -> tuple[str, str, Any]:
    score = "" if result.final is None else f" {result.final:.1f}"
    if result.status is Status.SCORED:
        word = f"SCORED{score}" + (" (crashed)" if result.ending == "crashed" else "")
        return ("passed", ".", word) if report.passed else ("failed", "F", f"{word} (below the limit)")
    if result.status is Status.VIOLATION:
        return "failed", "V", f"VIOLATION{score}"
    return "failed", "I", f"INTERRUPTED{score}"
