"""What the rules on leaks say of a task that tests have broken."""

from __future__ import annotations

from pytest_innovatorbench.authoring.checks import leaks
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.validation import check
from tests.unit.authoring.good import Good


def found(good: Good) -> dict[str, list[Finding]]:
    """Return what the rules on leaks find, by code, in one examination."""
    subject = good.subject()
    results = [check(rule, subject) for rule in leaks.RULES]
    assert not [result.skipped for result in results if result.skipped]
    return {result.rule.code: list(result.findings) for result in results if result.findings}


def only(good: Good, code: str) -> Finding:
    """Return the one finding there is."""
    findings = found(good)
    assert list(findings) == [code], findings
    assert len(findings[code]) == 1, findings
    return findings[code][0]
