"""Names of tasks that a stranger chose, so that a line of a format might be taken for another."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_innovatorbench.hostile import one_line
from tests.unit.authoring.good import TASK, Good
from tests.unit.cli.program import ibench

NAMES = (
    "::error::forged",
    "a\n::error::forged",
    "a\r::warning file=x::forged",
    "##[error]forged",
    "a ##vso[task.complete]",
    "a\x1b[31m\x1b]0;title\x07",
    "a,b=c",
    "a:b",
    "100%0Aforged",
    "%0A::error::forged",
    "a\x85b\u2028c",
    "\u202egnp",
    "half\udc80",
    "<b>|`*_~[x](y)&]]>",
    "# @all",
    "\"'",
    "-dash",
    "back\\slash",
    " blank",
)
KINDS = ("text", "json", "github", "sarif", "junit", "md")
RULES = "IB103,IB104,IB703"  # one of each is found of every such task, in three folders
COMMAND = re.compile(r"^::error file=([^:,]+)(?:,line=\d+)?,title=IB\d{3} [a-z-]+::.*$")


@pytest.fixture
def formats(good: Good, tmp_path: Path) -> dict[str, str]:
    """What each format has on tasks with such names."""
    for name in NAMES:
        for folder in (good.evaluations, good.gym):
            shutil.copytree(folder, folder.with_name(name))
    for folder in (good.evaluations, good.gym):
        shutil.rmtree(folder)
    outputs = [f"--format={kind}:{tmp_path}/{kind}" for kind in KINDS]
    shown = ibench("validate", "--root", good.root, f"--select={RULES}", *outputs, cwd=good.root)
    assert (shown.returncode, shown.stdout, shown.stderr) == (1, "", "")
    return {kind: (tmp_path / kind).read_bytes().decode("utf-8") for kind in KINDS}


def found(formats: dict[str, str]) -> list[dict[str, Any]]:
    return [finding for task in json.loads(formats["json"])["tasks"] for finding in task["findings"]]


def unescaped(text: str) -> str:
    for code, character in (("%2C", ","), ("%3A", ":"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_no_format_has_a_line_that_is_not_its_own(formats: dict[str, str]) -> None:
    for kind, text in formats.items():
        lines = text.split("\n")
        assert all(line.isprintable() for line in lines), kind
        assert not any(re.search(r"##\w*\[", line) for line in lines), kind
        if kind != "github":
            assert not any(line.lstrip().startswith("::") for line in lines), kind


def test_json_has_every_task_and_finding(formats: dict[str, str]) -> None:
    document = json.loads(formats["json"])
    assert sorted(task["task"] for task in document["tasks"]) == sorted(map(one_line, NAMES))
    assert len(found(formats)) == document["summary"]["errors"] == 2 * len(NAMES)


def test_text_has_a_heading_for_each_task_and_findings_below(formats: dict[str, str]) -> None:
    *lines, summary, end = formats["text"].split("\n")
    assert (end, summary.split(":")[0]) == ("", f"{len(NAMES)} tasks")
    headings = [line for line in lines if line and not line.startswith("  ")]
    assert sorted(headings) == sorted(map(one_line, NAMES))
    findings = [line for line in lines if line.startswith("  ") and not line.startswith("      ")]
    assert len(findings) == len(found(formats))


def test_github_has_a_command_for_each_finding_of_the_file_that_it_is_in(formats: dict[str, str]) -> None:
    *commands, summary, end = formats["github"].split("\n")
    assert (end, summary.split(":")[0]) == ("", f"{len(NAMES)} tasks")
    matches = [COMMAND.match(command) for command in commands]
    assert all(matches), commands
    files = [unescaped(match[1]) for match in matches if match]
    assert sorted(files) == sorted(finding["file"] for finding in found(formats))


def test_sarif_has_a_result_for_each_finding_of_the_file_that_it_is_in(formats: dict[str, str]) -> None:
    (run,) = json.loads(formats["sarif"])["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    uris = [place["artifactLocation"]["uri"] for place in places]
    assert len(uris) == len(found(formats))
    assert all(re.fullmatch(r"(evaluations|tests)/[A-Za-z0-9_.~%/-]+", uri) for uri in uris), uris


def test_junit_has_a_suite_for_each_task_and_a_case_for_each_rule(formats: dict[str, str]) -> None:
    suites = ET.fromstring(formats["junit"]).findall("testsuite")  # noqa: S314 - our own file
    assert sorted(str(suite.get("name")) for suite in suites) == sorted(map(one_line, NAMES))
    assert {len(suite.findall("testcase")) for suite in suites} == {len(RULES.split(","))}
    assert {len(suite.findall("testcase/failure")) for suite in suites} == {2}


def test_markdown_has_a_heading_for_each_task_and_a_row_for_each_finding(formats: dict[str, str]) -> None:
    lines = formats["md"].split("\n")
    assert sum(line.startswith("## ") for line in lines) == len(NAMES)
    assert sum(line.startswith("#") for line in lines) == len(NAMES) + 1
    rows = [line for line in lines if line.startswith("| IB")]
    assert len(rows) == len(found(formats))
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert not re.search(r"<(?!br)|@all", formats["md"])


def test_an_unknown_task_is_one_line_beside_such_names(good: Good) -> None:
    for name in NAMES:
        (good.root / "gym" / name).mkdir()
    shown = ibench("validate", "nosuch", "--root", good.root)
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert shown.stderr.startswith("ibench: unknown task 'nosuch': known: all, ")
    assert shown.stderr.strip().isprintable()
    assert "##[" not in shown.stderr
    assert TASK in shown.stderr
