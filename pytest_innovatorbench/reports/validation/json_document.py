"""Findings as JSON for programs; ``validation.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.calibration.survey import Row
    from pytest_innovatorbench.authoring.model import Checked
    from pytest_innovatorbench.authoring.validation import Examined
    from pytest_innovatorbench.reports.validation.document import Validation

FORMAT = "pytest-innovatorbench validation"
VERSION = 1
_LONGEST = 5000
_DIGITS = 6


def render_json(validation: Validation) -> str:
    """Return the findings as a JSON document."""
    counts = validation.counts
    document = {
        "format": FORMAT,
        "version": VERSION,
        "harness": validation.harness,
        "seconds": round(validation.seconds, 3),
        "summary": {
            "errors": counts["error"],
            "warnings": counts["warning"],
            "notes": counts["note"],
            "waived": counts["waived"],
            "skipped": counts["skipped"],
        },
        "tasks": [_task(task) for task in validation.tasks],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _task(task: Examined) -> dict[str, Any]:
    return {
        "task": _text(task.task_id),
        "seconds": round(task.seconds, 3),
        "checked": [checked.rule.code for checked in task.checked if checked.skipped is None],
        "skipped": [
            {"code": checked.rule.code, "reason": _text(checked.skipped)}
            for checked in task.checked
            if checked.skipped is not None
        ],
        "findings": [finding for checked in task.checked for finding in _findings(checked)],
        "scores": [_score(row) for row in task.scores],
    }


def _findings(checked: Checked) -> Iterator[dict[str, Any]]:
    for finding in checked.findings:
        yield {
            "code": checked.rule.code,
            "rule": checked.rule.name,
            "severity": finding.severity,
            "file": _text(finding.file),
            "line": finding.line,
            "message": _text(finding.message),
            "remedy": _text(finding.remedy),
            "waived": _text(checked.waived) if checked.waived else None,
        }


def _score(row: Row) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "score": _rounded(row.score),
        "unclamped": _rounded(row.unclamped),
        "metrics": {_text(name): value for name, value in row.metrics.items()},
        "verdict": row.verdict,
        "is_fine": row.is_fine,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, _DIGITS)


def _text(text: str) -> str:
    return one_line(text, _LONGEST)
