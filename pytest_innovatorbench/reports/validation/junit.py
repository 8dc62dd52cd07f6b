"""Findings as JUnit XML: a suite for each task, a case for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.validation.lines import place_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.model import Checked
    from pytest_innovatorbench.authoring.validation import Examined
    from pytest_innovatorbench.reports.validation.document import Validation

_LONGEST = 5000


def render_junit(validation: Validation) -> str:
    """Return the findings as JUnit XML, as pytest writes it.

    Errors fail a case. What is waived or not checked is skipped with the reason; warnings and notes are
    output of a case that passes.
    """
    suites = Element("testsuites", name="ibench validate")
    for task in validation.tasks:
        _suite(suites, task)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _suite(suites: Element, task: Examined) -> None:
    skipped = sum(_is_skipped(checked) for checked in task.checked)
    suite = SubElement(
        suites,
        "testsuite",
        name=_text(task.task_id),
        errors="0",
        failures=str(sum(bool(checked.errors) for checked in task.checked)),
        skipped=str(skipped),
        tests=str(len(task.checked)),
        time=f"{task.seconds:.3f}",
    )
    for checked in task.checked:
        _case(suite, checked)


def _case(suite: Element, checked: Checked) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=f"validate.{_text(checked.task_id)}",
        name=_text(f"{checked.rule.code} {checked.rule.name}"),
        time=f"{checked.seconds:.3f}",
    )
    if checked.errors:
        failure = SubElement(case, "failure", message=_text(checked.errors[0].message))
        failure.text = _listed(checked.errors)
    elif _is_skipped(checked):
        reason = f"waived: {checked.waived}" if checked.waived else checked.skipped
        SubElement(case, "skipped", type="ibench.skip", message=_text(reason or ""))
    if others := [finding for finding in checked.findings if finding not in checked.errors]:
        SubElement(case, "system-out").text = _listed(others)


def _is_skipped(checked: Checked) -> bool:
    return checked.skipped is not None or bool(checked.waived and checked.findings)


def _listed(findings: Iterable[Finding]) -> str:
    return "\n".join(
        f"{place_text(finding)}: {finding.severity}: {_text(finding.message)}\n    {_text(finding.remedy)}"
        for finding in findings
    )


def _text(text: str) -> str:
    """Return the text without what XML cannot hold."""
    return one_line(text, _LONGEST)
