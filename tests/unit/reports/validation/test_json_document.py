from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from pytest_innovatorbench.reports.validation.json_document import render_json
from tests.unit.reports.validation.samples import SHOWN, clean, example, hostile, toy

SCHEMA = json.loads(
    (files("pytest_innovatorbench.reports.validation") / "validation.schema.json").read_text("utf-8")
)


def document(*tasks: Any) -> Any:
    read = json.loads(render_json(example(*tasks)))
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(read)
    return read


def test_document_says_what_was_found_and_what_was_not_checked() -> None:
    read = document(toy(), clean())
    assert (read["format"], read["version"], read["harness"]) == (
        "pytest-innovatorbench validation",
        1,
        "1.0",
    )
    assert read["summary"] == {"errors": 1, "warnings": 1, "notes": 1, "waived": 1, "skipped": 1}
    task = read["tasks"][0]
    assert task["checked"] == ["XX100", "XX101", "XX103"]
    assert task["skipped"] == [{"code": "XX102", "reason": "the task cannot be loaded"}]
    assert task["findings"][0] == {
        "code": "XX100",
        "rule": "a-rule",
        "severity": "error",
        "file": "gym/toy/a b.txt",
        "line": 3,
        "message": "it is bad",
        "remedy": "mend it",
        "waived": None,
    }
    assert task["findings"][2]["waived"] == "we want it so"
    assert [row["score"] for row in task["scores"]] == [0, 66.6]


def test_schema_knows_every_key() -> None:
    read = document(toy())
    for place in (read, read["summary"], read["tasks"][0], read["tasks"][0]["findings"][0]):
        place["more"] = 1
        assert not Draft202012Validator(SCHEMA).is_valid(read)
        del place["more"]


def test_texts_of_strangers_are_one_line_in_ascii() -> None:
    text = render_json(example(hostile()))
    assert text.isascii()
    (task,) = document(hostile())["tasks"]
    assert (task["task"], task["findings"][0]["message"]) == (SHOWN, SHOWN)
