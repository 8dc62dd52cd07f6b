"""Findings as SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.model import Checked, Rule
    from pytest_innovatorbench.reports.validation.document import Validation

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LONGEST = 5000


def render_sarif(validation: Validation) -> str:
    """Return the findings as a SARIF log with one run."""
    places = {rule.code: index for index, rule in enumerate(validation.rules)}
    run = {
        "tool": {
            "driver": {
                "name": "ibench validate",
                "version": validation.harness,
                "rules": [_rule(rule) for rule in validation.rules],
            }
        },
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": _notifications(validation)}
        ],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(checked, finding, places[checked.rule.code], validation.folder)
            for checked, finding in validation.found
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": _message(rule.summary),
        "fullDescription": _message(rule.why),
        "help": _message(rule.remedy),
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(checked: Checked, finding: Finding, place: int, folder: str) -> dict[str, Any]:
    said = f"{finding.message} ({finding.remedy})" if finding.remedy else finding.message
    result: dict[str, Any] = {
        "ruleId": checked.rule.code,
        "ruleIndex": place,
        "level": finding.severity,
        "message": _message(said),
        "locations": [{"physicalLocation": _location(finding, folder)}],
        "partialFingerprints": {"finding/v1": _fingerprint(checked, finding)},
    }
    if checked.waived:
        result["suppressions"] = [{"kind": "external", "justification": one_line(checked.waived, _LONGEST)}]
    return result


def _location(finding: Finding, folder: str) -> dict[str, Any]:
    uri = quote((folder + finding.file).encode("utf-8", "surrogateescape"))
    location: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    return location


def _fingerprint(checked: Checked, finding: Finding) -> str:
    """Return what stays the same when lines move and figures change."""
    said = re.sub(r"\d+", "0", finding.message)
    text = json.dumps([checked.rule.code, checked.task_id, finding.file, said])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _notifications(validation: Validation) -> list[dict[str, Any]]:
    return [
        {
            "level": "note",
            "message": _message(f"{checked.task_id}: {checked.rule.code} was not checked: {checked.skipped}"),
            "associatedRule": {"id": checked.rule.code},
        }
        for checked in validation.checked
        if checked.skipped is not None
    ]


def _message(text: str) -> dict[str, str]:
    return {"text": one_line(text, _LONGEST)}
