"""A survey as one HTML file that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.calibration.chart import scale_chart
from pytest_innovatorbench.reports.calibration.lines import (
    has_cut,
    metric_text,
    proposal_lines,
    unclamped_text,
    verdict_line,
)
from pytest_innovatorbench.reports.markup import Markup, element
from pytest_innovatorbench.reports.page import render_page
from pytest_innovatorbench.reports.text import NOTHING, duration_text, score_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.authoring.calibration.survey import Row, Survey

_STYLE = (
    "svg .band { fill: var(--good); opacity: .16; } svg .fine { fill: var(--good); } "
    "svg .off { stroke: var(--bad); stroke-width: 2.5; } "
    "td.fine { color: var(--good); } td.off { color: var(--bad); }"
)


def render_calibration(survey: Survey) -> str:
    """Return a survey as a page for light and dark screens."""
    title = f"Calibration of {one_line(survey.task_id)}"
    header = element("header", element("h1", title), element("p", verdict_line(survey), class_="lead"))
    return render_page(
        title,
        header,
        _section("Scores", _scrolling(scale_chart(survey.rows))),
        _proposals(survey),
        _section("Submissions", _scrolling(_table(survey))),
        style=_STYLE,
    )


def _section(heading: str, *children: Markup | None) -> Markup:
    return element("section", element("h2", heading), *children)


def _scrolling(child: Markup) -> Markup:
    # Focusable, so that the keyboard can scroll it too.
    return element("div", child, class_="scroll", tabindex="0")


def _proposals(survey: Survey) -> Markup | None:
    if not survey.proposals:
        return None
    return _section("Proposed score curves", *(element("p", line) for line in proposal_lines(survey)))


def _table(survey: Survey) -> Markup:
    is_cut = has_cut(survey.rows)
    figures = ["Score", *(["Uncut"] if is_cut else []), *survey.metrics, "Time"]
    heads = [element("th", "Submission", scope="col")]
    heads += [element("th", figure, scope="col", class_="figure") for figure in figures]
    heads.append(element("th", "Verdict", scope="col"))
    rows = [_row(row, survey.metrics, is_cut=is_cut) for row in survey.rows]
    return element("table", element("thead", element("tr", *heads)), element("tbody", *rows))


def _row(row: Row, metrics: Sequence[str], *, is_cut: bool) -> Markup:
    figures = [
        *([unclamped_text(row)] if is_cut else []),
        *(metric_text(row.metrics.get(name)) for name in metrics),
        NOTHING if row.seconds is None else duration_text(row.seconds),
    ]
    return element(
        "tr",
        element("th", row.name, scope="row"),
        element("td", score_text(row.score), class_="figure main"),
        *(element("td", figure, class_="figure") for figure in figures),
        element("td", row.verdict, class_=_class(row)),
    )


def _class(row: Row) -> str | None:
    if not row.is_fine:
        return "off"
    return None if row.score is None else "fine"  # what was not tried is neither
