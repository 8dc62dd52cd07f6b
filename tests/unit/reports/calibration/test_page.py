from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from pytest_innovatorbench.reports.calibration.chart import scale_chart
from pytest_innovatorbench.reports.calibration.page import render_calibration
from tests.unit.reports.calibration.samples import HOSTILE, PROPOSAL, ROWS, example


class Tags(HTMLParser):
    """Collects tags and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_page_has_chart_proposal_and_table_and_needs_nothing_else() -> None:
    page = Tags(render_calibration(example(*ROWS, proposals=(PROPOSAL,))))
    assert page.tags.count("svg") == page.tags.count("table") == 1
    assert not page.addresses
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert {"Scores", "Proposed score curves", "Submissions", "Uncut", "toy: 1 of 4 are off"} <= set(
        page.text
    )
    assert "Proposed score curves" not in Tags(render_calibration(example(*ROWS))).text


def test_chart_has_a_dot_for_what_is_fine_and_a_cross_for_what_is_off() -> None:
    svg = ET.fromstring(scale_chart(ROWS))  # noqa: S314 - our own
    dots, crosses = svg.findall("circle"), svg.findall("path")
    assert [dot.get("class") for dot in dots] == ["fine", "fine"]
    assert [cross.get("class") for cross in crosses] == ["off"]
    assert [float(dot.get("cx") or 0) for dot in dots] == [300, 540]
    assert crosses[0].findtext("title") == "reference: 100.0, above 80"
    assert HOSTILE.strip() in {title.text for title in svg.iter("title")}
