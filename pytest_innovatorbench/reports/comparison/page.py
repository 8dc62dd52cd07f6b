"""A comparison as one HTML file that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.comparison.lines import cells_of, figure_text, legend, note_lines
from pytest_innovatorbench.reports.comparison.model import AVERAGE
from pytest_innovatorbench.reports.markup import Markup, element, joined
from pytest_innovatorbench.reports.page import render_page
from pytest_innovatorbench.reports.text import cut_middle

if TYPE_CHECKING:
    from pytest_innovatorbench.reports.comparison.model import Comparison, Contender, Figure

_STYLE = "svg .range { stroke: var(--good); stroke-width: 2.5; } svg .mean { fill: var(--good); }"
# Everything in user units, one unit being a CSS pixel at full width.
_WIDTH, _LEFT, _RIGHT = 960, 300, 150
_PLOT = _WIDTH - _LEFT - _RIGHT
_ROW, _TOP, _DOT = 24, 30, 4.5


def render_comparison(comparison: Comparison) -> str:
    """Return a comparison as a page for light and dark screens."""
    title = "Agents side by side"
    return render_page(
        title,
        element("header", element("h1", title), element("p", legend(comparison), class_="lead")),
        _section("Weighted average", _chart(comparison.contenders)),
        _section("Tasks and domains", _table(comparison)),
        element("section", *(element("p", line) for line in note_lines(comparison))),
        style=_STYLE,
    )


def _section(heading: str, child: Markup) -> Markup:
    # Focusable, so that the keyboard can scroll it too.
    return element("section", element("h2", heading), element("div", child, class_="scroll", tabindex="0"))


def _table(comparison: Comparison) -> Markup:
    labels = [one.label for one in comparison.contenders]
    heads = [element("th", "Task", scope="col")]
    heads += [element("th", label, scope="col", class_="figure") for label in labels]
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            *(element("td", cell, class_="figure") for cell in cells_of(comparison, name)),
        )
        for name in (*comparison.tasks, *comparison.means)
    ]
    return element("table", element("thead", element("tr", *heads)), element("tbody", *rows))


def _chart(contenders: tuple[Contender, ...]) -> Markup:
    bottom = _TOP + _ROW * len(contenders)
    return element(
        "svg",
        element("title", "Weighted average of each agent", id="average-title"),
        *(_tick(tick, bottom) for tick in range(0, 101, 20)),
        *(_bar(one.label, one.figures[AVERAGE], _TOP + _ROW * index) for index, one in enumerate(contenders)),
        viewBox=f"0 0 {_WIDTH} {bottom + 4}",
        role="img",
        class_="bars",
        aria_labelledby="average-title",
    )


def _x(score: float) -> float:
    return _LEFT + _PLOT * min(max(score, 0.0), 100.0) / 100


def _tick(tick: int, bottom: int) -> Markup:
    return joined(
        element("line", x1=_x(tick), x2=_x(tick), y1=_TOP - 6, y2=bottom, class_="grid"),
        element("text", str(tick), x=_x(tick), y=_TOP - 12, class_="tick", text_anchor="middle"),
    )


def _bar(label: str, figure: Figure, top: int) -> Markup:
    middle = top + _ROW // 2
    marks = (
        []
        if figure.mean is None
        else [element("circle", cx=_x(figure.mean), cy=middle, r=_DOT, class_="mean")]
    )
    if figure.low is not None and figure.high is not None:
        left, right = _x(figure.low), _x(figure.high)
        marks.append(element("line", x1=left, x2=right, y1=middle, y2=middle, class_="range"))
    return joined(
        element("text", cut_middle(label, 44), element("title", label), x=0, y=middle + 4, class_="label"),
        *marks,
        element("text", figure_text(figure), x=_WIDTH - _RIGHT + 14, y=middle + 4, class_="value"),
    )
