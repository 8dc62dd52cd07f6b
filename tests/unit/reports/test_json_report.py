from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_innovatorbench.reports.document import ReportDocument, report_document
from pytest_innovatorbench.reports.json_report import read_schema, render_json, report_value
from tests.unit.reports.samples import MakeResult

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "report-format.md"


def validate(value: object) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(read_schema(), format_checker=checker).validate(value)


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def read_strictly(text: str) -> Any:
    return json.loads(text, parse_constant=refuse_constant)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(read_schema())


def test_real_output_is_valid(document: ReportDocument) -> None:
    value = read_strictly(render_json(document))
    validate(value)
    assert value == report_value(document)


def test_hostile_and_empty_output_is_valid(hostile: ReportDocument) -> None:
    validate(read_strictly(render_json(hostile)))
    empty = read_strictly(render_json(report_document([])))
    validate(empty)
    assert (empty["attempts"], empty["agents"], empty["run_dir"]) == ([], [], None)


def test_an_attempt_has_these_keys_and_null_where_there_is_none(result: MakeResult) -> None:
    (attempt,) = read_strictly(render_json(report_document([result()])))["attempts"]
    assert attempt == {
        "attempt": "sort_it-oracle-0",
        "task": "sort_it",
        "domain": "LD",
        "agent": "oracle",
        "seed": 0,
        "status": "scored",
        "fault": None,
        "ending": "finished",
        "first": 40.0,
        "best": 80.0,
        "final": 60.0,
        "baseline": 0.0,
        "reference": 80.0,
        "curve": [[10.0, 40.0], [20.0, 80.0], [30.0, 60.0]],
        "evals": 2,
        "max_evals": 3,
        "hints": 0,
        "penalty": 0.0,
        "tokens": 0,
        "cost": 0.0,
        "seconds": 31.0,
        "started": "2026-01-02T03:04:05+00:00",
        "run_dir": "/runs/one",
        "error": None,
    }
    (bare,) = report_document([result(started="", run_dir=Path())]).results
    (attempt,) = read_strictly(render_json(report_document([bare])))["attempts"]
    assert (attempt["started"], attempt["run_dir"]) == (None, None)


def test_agents_have_the_means_with_their_denominators(document: ReportDocument) -> None:
    baseline, oracle = read_strictly(render_json(document))["agents"]
    assert baseline["weighted_average"]["final"] == {"value": 1.0, "counted": 1, "of": 1}
    assert (oracle["agent"], oracle["attempts"], oracle["counted"]) == ("oracle", 7, 3)
    assert oracle["weighted_average"]["final"] == {"value": 50.0, "counted": 3, "of": 7}
    assert [part["domain"] for part in oracle["domains"]] == ["DF", "LD"]
    assert oracle["domains"][1]["final"] == {"value": 40.0, "counted": 2, "of": 6}
    assert oracle["uncounted"] == [
        {"status": "interrupted", "fault": None, "attempts": 1},
        {"status": "unscoreable", "fault": "evaluator", "attempts": 1},
        {"status": "unscoreable", "fault": "machine", "attempts": 1},
        {"status": "violation", "fault": None, "attempts": 1},
    ]


def test_the_head_names_the_format(document: ReportDocument) -> None:
    value = report_value(document)
    assert (value["format"], value["version"]) == ("innovatorbench-report", 1)
    assert value["created"] == "2026-01-02T03:04:05+00:00"
    assert value["harness"] == {"pytest-innovatorbench": "0.1.0", "pytest": "9.0.0"}
    assert value["settings"] == {"agent": ["oracle", "baseline"], "max_evals": 3}
    assert value["run_dir"] == "/runs"


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("status", "passed"),
        ("fault", "agent"),
        ("final", 101),
        ("final", "76.4"),
        ("seed", 0.5),
        ("evals", -1),
        ("curve", [[1.0]]),
        ("error", 1),
    ],
)
def test_the_schema_refuses_wrong_values(document: ReportDocument, key: str, wrong: object) -> None:
    value = read_strictly(render_json(document))
    value["attempts"][0][key] = wrong
    with pytest.raises(jsonschema.ValidationError):
        validate(value)


def test_the_schema_names_every_key_that_is_written(document: ReportDocument) -> None:
    value = read_strictly(render_json(document))
    schema: Any = read_schema()
    attempt, agent = schema["$defs"]["attempt"], schema["$defs"]["agent"]
    assert set(value) == set(schema["properties"]) == set(schema["required"])
    assert set(value["attempts"][0]) == set(attempt["properties"]) == set(attempt["required"])
    assert set(value["agents"][0]) == set(agent["properties"]) == set(agent["required"])


def test_the_documented_example_is_valid_and_has_every_key(document: ReportDocument) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    value = read_strictly(example)
    validate(value)
    real = read_strictly(render_json(document))
    assert set(value) == set(real)
    assert set(value["attempts"][0]) == set(real["attempts"][0])
    assert set(value["agents"][0]) == set(real["agents"][0])


def test_the_documentation_names_every_key(document: ReportDocument) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    real = read_strictly(render_json(document))
    keys = {*real, *real["attempts"][0], *real["agents"][0], *real["agents"][1]["uncounted"][0]}
    assert {key for key in keys if f"`{key}`" not in text} == set()
