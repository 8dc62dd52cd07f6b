from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.document import ReportDocument, report_document
from pytest_innovatorbench.reports.html_report import CHART_LIMIT, render_html
from tests.unit.reports.samples import HOSTILE, MakeResult, read_xml

# What could load something, run something or lead somewhere.
ACTIVE_ELEMENTS = {"script", "link", "img", "image", "iframe", "object", "embed", "a", "form", "base", "use"}
ACTIVE_ATTRIBUTES = {"src", "href", "action", "srcset", "data", "style"}


def parsed(document: ReportDocument) -> ET.Element:
    """Return the page, which is well-formed XML too, so that nothing in it is left open."""
    page = render_html(document)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    return read_xml(page.removeprefix("<!DOCTYPE html>\n"))


def text_of(found: ET.Element) -> str:
    return "".join(found.itertext())


def assert_self_contained(root: ET.Element) -> None:
    assert {found.tag for found in root.iter()} & ACTIVE_ELEMENTS == set()
    names = {name for found in root.iter() for name in found.attrib}
    assert names & ACTIVE_ATTRIBUTES == set()
    assert [name for name in names if name.startswith("on")] == []
    style = root.findtext("head/style") or ""
    assert re.findall(r"url\(|@import|expression", style) == []


def test_the_page_needs_nothing_else(document: ReportDocument) -> None:
    root = parsed(document)
    assert_self_contained(root)
    policy = next(meta for meta in root.iter("meta") if meta.get("http-equiv"))
    assert policy.get("http-equiv") == "Content-Security-Policy"
    assert (policy.get("content") or "").startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_hostile_text_is_shown_and_does_nothing(hostile: ReportDocument) -> None:
    root = parsed(hostile)
    assert_self_contained(root)
    assert one_line(HOSTILE) in text_of(root)
    assert "<script>" not in render_html(hostile)


def test_the_tables_hold_every_attempt_and_mean(document: ReportDocument) -> None:
    means, attempts = parsed(document).iter("table")
    assert len(attempts.findall("tbody/tr")) == 8
    rows = [" ".join(text_of(cell) for cell in row) for row in means.findall("tbody/tr")]
    assert rows[1] == (
        "oracle 50.03 of 7 tasks 80.03 of 7 tasks 40.03 of 7 tasks 70.01 of 1 task 40.02 of 6 tasks"
    )
    violation = next(row for row in attempts.findall("tbody/tr") if "VIOLATION" in text_of(row))
    assert [text_of(cell) for cell in violation] == [
        "task_5",
        "LD",
        "oracle",
        "0",
        "(40.0)",
        "(80.0)",
        "(99.0)",
        "2/3",
        "no",
        "31.0s",
        "VIOLATIONa link out of the workspace",
    ]


def test_what_enters_no_mean_is_said(document: ReportDocument) -> None:
    assert (
        "oracle: means go over 3 of 7 attempts; not counted: 1 interrupted, 1 unscoreable (evaluator), "
        "1 unscoreable (machine), 1 violation"
    ) in text_of(parsed(document))


def test_headers_have_a_scope_and_ids_are_unique(document: ReportDocument) -> None:
    root = parsed(document)
    assert {header.get("scope") for header in root.iter("th")} == {"row", "col"}
    ids = Counter(found.get("id") for found in root.iter() if found.get("id"))
    assert ids
    assert set(ids.values()) == {1}


def test_each_chart_is_described(document: ReportDocument) -> None:
    charts = list(parsed(document).iter("svg"))
    assert len(charts) == 1 + 8
    for chart in charts:
        named = [found.get("id") for found in chart if found.tag in {"title", "desc"}]
        assert named == (chart.get("aria-labelledby") or "").split()


def test_the_page_has_colours_for_light_and_dark(document: ReportDocument) -> None:
    style = parsed(document).findtext("head/style") or ""
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", style))
    light, dark = style.split("prefers-color-scheme: dark", 1)
    assert {name for name in used if f"{name}:" not in light} == set()
    assert {name for name in used if f"{name}:" not in dark} == set()


def test_every_class_that_is_used_for_agents_has_a_colour(result: MakeResult) -> None:
    root = parsed(report_document(result(agent=f"agent_{number}") for number in range(20)))
    used = {
        name
        for found in root.iter()
        for name in (found.get("class") or "").split()
        if name.startswith("agent-")
    }
    style = root.findtext("head/style") or ""
    assert len(used) == 6
    assert {name for name in used if f".{name} {{" not in style} == set()


def test_no_attempts_say_so() -> None:
    assert "No attempts were made." in text_of(parsed(report_document([])))


def test_settings_are_shown(document: ReportDocument) -> None:
    settings = [text_of(found) for found in parsed(document).iter("dd")]
    assert settings == ["oracle, baseline", "3"]


@pytest.mark.parametrize("agents", [1, 3])
def test_very_many_attempts_are_all_in_the_table_and_say_what_is_not_drawn(
    result: MakeResult, agents: int
) -> None:
    attempts = [result(f"task_{task}", f"agent_{agent}") for task in range(700) for agent in range(agents)]
    root = parsed(report_document(attempts))
    _, table = root.iter("table")
    assert len(table.findall("tbody/tr")) == 700 * agents
    shown = text_of(root)
    assert f"{700 - CHART_LIMIT // agents} tasks not drawn: see the table." in shown
    assert f"{700 * agents - CHART_LIMIT:,} attempts not drawn: see the table." in shown
    drawn = {text_of(span).split(",")[0] for span in root.iter("span") if ", seed" in text_of(span)}
    assert len(drawn) == agents
