"""Findings as Markdown: what a reviewer of a task wants to see."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND
from pytest_innovatorbench.reports.calibration.lines import metric_text
from pytest_innovatorbench.reports.markdown_report import escape_markdown, markdown_table
from pytest_innovatorbench.reports.text import count_text, duration_text, score_text
from pytest_innovatorbench.reports.validation.document import skipped_reasons, summary_text
from pytest_innovatorbench.reports.validation.lines import place_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.authoring.calibration.survey import Row
    from pytest_innovatorbench.authoring.model import Checked
    from pytest_innovatorbench.authoring.validation import Examined
    from pytest_innovatorbench.reports.validation.document import Validation

MOST_LISTED = 100  # findings of a task; hosts cut long comments and summaries off
_FIGURES = {"Line", "Score"}


def render_markdown(validation: Validation) -> str:
    """Return the findings and the calibration of each task as GitHub Markdown."""
    parts = ["# Validation of tasks", f"{escape_markdown(summary_text(validation))}."]
    for task in validation.tasks:
        parts += _task(task)
    return "\n\n".join(parts) + "\n"


def _task(task: Examined) -> Iterator[str]:
    counting = [checked for checked in task.checked if checked.findings and not checked.waived]
    waived = [checked for checked in task.checked if checked.findings and checked.waived]
    yield f"## {escape_markdown(task.task_id)}"
    yield f"{_verdict(task)} in {duration_text(task.seconds)}."
    yield from _findings(counting)
    if waived:
        yield markdown_table(("Waived", "Reason", "Finding"), map(_waived_row, waived))
    if task.scores:
        yield from _calibration(task.scores)
    yield from _skipped(task.checked)


def _verdict(task: Examined) -> str:
    errors = sum(len(checked.errors) for checked in task.checked)
    return f"**{count_text(errors, 'error')}**" if errors else "No errors"


def _findings(found: Sequence[Checked]) -> Iterator[str]:
    rows = [
        (
            f"{checked.rule.code} {checked.rule.name}",
            finding.severity or "",
            place_text(finding),
            finding.message,
            finding.remedy,
        )
        for checked in found
        for finding in checked.findings
    ]
    if rows:
        headings = ("Rule", "Severity", "Where", "What", "Remedy")
        yield markdown_table(headings, islice(rows, MOST_LISTED))
    if len(rows) > MOST_LISTED:
        yield f"{len(rows) - MOST_LISTED:,} more are left out here."


def _waived_row(checked: Checked) -> tuple[str, str, str]:
    more = f" and {len(checked.findings) - 1} more" if len(checked.findings) > 1 else ""
    said = f"{place_text(checked.findings[0])}: {checked.findings[0].message}{more}"
    return f"{checked.rule.code} {checked.rule.name}", checked.waived or "", said


def _calibration(rows: Sequence[Row]) -> Iterator[str]:
    metrics = list(dict.fromkeys(name for row in rows for name in row.metrics))
    yield f"Calibration: the baseline is to score {BASELINE_BAND}, the reference {REFERENCE_BAND}."
    yield markdown_table(
        ("Submission", "Score", *metrics, "Verdict"),
        [_calibration_row(row, metrics) for row in rows],
        figures={*_FIGURES, *metrics},
    )


def _calibration_row(row: Row, metrics: Sequence[str]) -> list[str]:
    verdict = row.verdict if row.is_fine else f"off: {row.verdict}"
    return [
        row.name,
        score_text(row.score),
        *(metric_text(row.metrics.get(name)) for name in metrics),
        verdict,
    ]


def _skipped(checked: Sequence[Checked]) -> Iterator[str]:
    reasons = skipped_reasons(checked)
    if reasons:
        listed = (
            f"- {', '.join(rule.code for rule in rules)}: {escape_markdown(reason)}"
            for reason, rules in reasons.items()
        )
        yield "Not checked:\n\n" + "\n".join(listed)
