from __future__ import annotations

from time import perf_counter

import pytest

from pytest_innovatorbench.reports.document import ReportDocument, report_document
from pytest_innovatorbench.reports.table import summary_lines
from pytest_innovatorbench.reports.text import display_width
from pytest_innovatorbench.runs.model import Status
from tests.unit.reports.samples import MakeResult


def test_the_whole_summary(document: ReportDocument) -> None:
    assert (
        "\n".join(summary_lines(document))
        == """\
task         dom first best final evals hint  time status

baseline
task_2       LD    0.0  1.0   1.0   2/3   no 31.0s SCORED
mean LD            0.0  1.0   1.0                  1 of 1 task
weighted average   0.0  1.0   1.0                  1 of 1 task

oracle
task_10      DF   40.0 80.0  70.0   2/3   no 31.0s SCORED
task_2       LD   40.0 80.0  60.0   2/3  -10 31.0s SCORED
task_3       LD   40.0 80.0     -   2/3   no 31.0s UNSCOREABLE (evaluator)
task_4       LD      - 80.0     -   2/3   no 31.0s UNSCOREABLE (machine)
task_5       LD   40.0 80.0  99.0   2/3   no 31.0s VIOLATION
task_6       LD   40.0 80.0   5.0   2/3   no 31.0s INTERRUPTED
task_7       LD   40.0 80.0  20.0   2/3   no 31.0s SCORED (agent crashed)
mean DF           40.0 80.0  70.0                  1 of 1 task
mean LD           40.0 80.0  40.0                  2 of 6 tasks
weighted average  40.0 80.0  50.0                  3 of 7 tasks
means go over 3 of 7 attempts; not counted: 1 interrupted, 1 unscoreable
  (evaluator), 1 unscoreable (machine), 1 violation

task_3-oracle-0: UNSCOREABLE (evaluator): the evaluator returned NaN
task_5-oracle-0: VIOLATION: a link out of the workspace
task_7-oracle-0: SCORED (agent crashed): the agent ended with exit status 1"""
    )


def test_no_attempts_say_so() -> None:
    assert summary_lines(report_document([])) == ["no attempts were made"]


def test_seeds_have_a_column_only_where_they_differ(result: MakeResult) -> None:
    one = summary_lines(report_document([result(seed=7), result("two", seed=7)]))
    assert "seed" not in one[0]
    several = summary_lines(report_document([result(seed=7), result(seed=11)]))
    assert several[0].split()[:3] == ["task", "seed", "dom"]
    assert several[3].split()[:3] == ["sort_it", "7", "LD"]
    assert several[4].split()[:3] == ["sort_it", "11", "LD"]


@pytest.mark.parametrize("width", [80, 100, 200])
def test_lines_fit_the_width(document: ReportDocument, width: int) -> None:
    assert max(map(display_width, summary_lines(document, width=width))) <= width


def test_the_published_layout_fits_80_columns_at_its_widest(result: MakeResult) -> None:
    attempt = result(
        "a_task_with_a_name_too_long_for_any_table",
        status=Status.UNSCOREABLE,
        fault="evaluator",
        hints=1,
        penalty=10.0,
        seconds=59 * 60 + 59,
    )
    lines = summary_lines(report_document([attempt, result("loss_noisy_labels")]))
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("loss_noisy_labels LD") for line in lines)
    assert any(line.startswith("a_task_...y_table LD") for line in lines)


def test_a_narrow_terminal_keeps_the_figures(result: MakeResult) -> None:
    lines = summary_lines(report_document([result("loss_noisy_labels")]), width=20)
    row = next(line for line in lines if "SCORED" in line)
    assert row.split() == ["loss_...bels", "LD", "40.0", "80.0", "60.0", "2/3", "no", "31.0s", "SCORED"]


def test_wide_characters_keep_the_columns(result: MakeResult) -> None:
    lines = summary_lines(report_document([result("漢字"), result("plain_task")]), width=100)
    rows = [line for line in lines if "SCORED" in line]
    assert len({display_width(row) for row in rows}) == 1


def test_hostile_text_reaches_no_terminal(hostile: ReportDocument) -> None:
    lines = summary_lines(hostile)
    assert all(line.isprintable() for line in lines)
    assert r"\x1b[31m" in "".join(lines)


def test_very_many_attempts_leave_only_totals_and_what_was_not_scored(result: MakeResult) -> None:
    attempts = [result(f"task_{task}", seed=seed) for task in range(100) for seed in range(100)]
    attempts[5] = result("task_0", seed=5, status=Status.VIOLATION, error="a link out of the workspace")
    started = perf_counter()
    lines = summary_lines(report_document(attempts))
    assert perf_counter() - started < 5
    assert lines[2:] == [
        "oracle",
        "task_0     5  LD    40.0  80.0   60.0    2/3    no  31.0s  VIOLATION",
        "mean LD             40.0  80.0   60.0                      100 of 100 tasks",
        "weighted average    40.0  80.0   60.0                      100 of 100 tasks",
        "means go over 9,999 of 10,000 attempts; not counted: 1 violation",
        "",
        "9,999 attempts left out here: see the records of the run or a JSON report",
        "  (json:PATH)",
        "",
        "task_0-oracle-5: VIOLATION: a link out of the workspace",
    ]
