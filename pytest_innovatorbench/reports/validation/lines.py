"""Findings as plain lines for a terminal, by task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.validation.document import skipped_reasons, summary_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.model import Checked, Rule
    from pytest_innovatorbench.authoring.validation import Examined
    from pytest_innovatorbench.reports.validation.document import Validation

_LONGEST = 1000


def render_text(validation: Validation, *, verbose: bool = False) -> str:
    """Return the findings as lines.

    Args:
        validation: What there is to show.
        verbose: Whether to list the rules that were not checked, and why.
    """
    lines = [line for task in validation.tasks for line in _task(task, verbose=verbose)]
    if validation.counts["skipped"] and not verbose:
        return "\n".join([*lines, f"{summary_text(validation)} (-v says which, and why)"]) + "\n"
    return "\n".join([*lines, summary_text(validation)]) + "\n"


def place_text(finding: Finding) -> str:
    """Return the file of a finding, with the line where there is one."""
    file = one_line(finding.file, _LONGEST)
    return f"{file}:{finding.line}" if finding.line else file


def _task(task: Examined, *, verbose: bool) -> Iterator[str]:
    lines = [line for checked in task.checked for line in _found(checked)]
    if verbose:
        lines += _skipped(task.checked)
    if lines:
        yield one_line(task.task_id)
        yield from lines
        yield ""


def _found(checked: Checked) -> Iterator[str]:
    if checked.waived and checked.findings:
        yield f"  {checked.rule.code} {one_line(checked.rule.name)} is waived: {one_line(checked.waived)}"
    for finding in checked.findings:
        label = "waived" if checked.waived else finding.severity
        yield f"  {place_text(finding)}: {checked.rule.code} {label}: {one_line(finding.message, _LONGEST)}"
        if finding.remedy and not checked.waived:
            yield f"      {one_line(finding.remedy, _LONGEST)}"


def _skipped(checked: Iterable[Checked]) -> Iterator[str]:
    for reason, rules in skipped_reasons(list(checked)).items():
        yield f"  not checked: {_codes(rules)}: {one_line(reason, _LONGEST)}"


def _codes(rules: Iterable[Rule]) -> str:
    return ", ".join(rule.code for rule in rules)
