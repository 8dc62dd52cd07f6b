"""docs/task-yaml.md describes every key of the schema, and its example is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from pytest_innovatorbench.tasks.manifest import read_manifest, schema
from pytest_innovatorbench.tasks.model import Resources, TaskLimits

TEXT = (Path(__file__).parents[3] / "docs" / "task-yaml.md").read_text("utf-8")
EXAMPLE = TEXT.split("```yaml\n")[1].split("```")[0]
# `paper` and `environment` are described by the row of the whole.
GROUPED = {"paper.title": "`title`", "paper.url": "`url`", "paper.repository": "`repository`"}


def keys(part: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted names of the schema's keys that hold a value."""
    for name, rule in part.get("properties", {}).items():
        path = f"{prefix}{name}"
        below = list(keys(rule, f"{path}.")) + list(keys(rule.get("items", {}), f"{path}[]."))
        yield from below or [path]


def rows() -> dict[str, str]:
    """The rows of the table of keys, by key."""
    found = {}
    for line in TEXT.splitlines():
        first, *rest = line.removeprefix("|").split("|")
        for key in re.findall(r"`([^`]+)`", first) if rest else ():
            found[key] = line
    return found


def test_every_key_has_its_row() -> None:
    described = rows()
    for key in keys(schema()):
        row = described[key.split(".")[0]] if key in GROUPED else described[key]
        assert GROUPED.get(key, key) in row


def test_no_row_describes_a_key_that_is_not_there() -> None:
    known = {*keys(schema()), *(key.split(".")[0] for key in GROUPED), "metrics"}
    assert rows().keys() <= known


def test_defaults_are_those_of_the_code() -> None:
    described = rows()
    defaults = {f"limits.{key}": value for key, value in asdict(TaskLimits()).items()}
    defaults |= {f"resources.{key}": value for key, value in asdict(Resources()).items() if key != "roles"}
    for key, value in defaults.items():
        told = described[key].rsplit("|", 2)[1].strip()
        assert told.endswith("no cap" if value is None else f"{value:g}"), key


def test_allowed_values_are_named() -> None:
    described = rows()
    for name in ("domain", "network"):
        for value in schema()["properties"][name]["enum"]:
            assert f"`{value}`" in described[name]


def test_example_is_valid_and_shows_every_key(tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(EXAMPLE)
    values, problems = read_manifest(file, "task.yaml")
    assert problems == []
    assert values == yaml.safe_load(EXAMPLE)
    assert {*schema()["properties"]} - {*values} == {"judge"}


def test_example_of_roles_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(TEXT.split("```yaml\n")[2].split("```")[0])
    values, problems = read_manifest(file, "task.yaml")
    assert problems == []
    rule = schema()["properties"]["resources"]["properties"]["roles"]["additionalProperties"]
    assert {*values["resources"]["roles"]["train"]} | {"computers"} == {*rule["properties"]}
