"""Findings as commands that make GitHub annotate the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.validation.document import summary_text

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.model import Checked
    from pytest_innovatorbench.reports.validation.document import Validation

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_LONGEST = 2000


def render_annotations(validation: Validation) -> str:
    """Return a command for each finding, and the summary behind them.

    A finding that is waived is a notice with the reason.
    """
    lines = [_command(checked, finding, validation.folder) for checked, finding in validation.found]
    return "\n".join([*lines, summary_text(validation)]) + "\n"


def _command(checked: Checked, finding: Finding, folder: str) -> str:
    properties = {
        "file": folder + finding.file,
        "line": str(finding.line or ""),
        "title": f"{checked.rule.code} {checked.rule.name}" + (" (waived)" if checked.waived else ""),
    }
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    said = f"waived, as {checked.waived}: {finding.message}" if checked.waived else _told(finding)
    command = "notice" if checked.waived else _COMMANDS[finding.severity or "error"]
    return f"::{command} {listed}::{_data(said)}"


def _told(finding: Finding) -> str:
    return f"{finding.message} ({finding.remedy})" if finding.remedy else finding.message


def _data(text: str) -> str:
    return one_line(text, _LONGEST).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
