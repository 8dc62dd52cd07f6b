"""Where submissions fall on the scale, as inline SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND
from pytest_innovatorbench.reports.markup import Markup, element, joined
from pytest_innovatorbench.reports.text import cut_middle, score_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.authoring.calibration.bands import Band
    from pytest_innovatorbench.authoring.calibration.survey import Row

# Everything in user units, one unit being a CSS pixel at full width.
_WIDTH, _LEFT, _RIGHT = 960, 300, 60
_PLOT = _WIDTH - _LEFT - _RIGHT
_ROW, _TOP, _DOT = 22, 46, 4.5


def scale_chart(rows: Sequence[Row]) -> Markup:
    """Return a chart with a line from 0 to 100 for each submission that has a score."""
    scored = [row for row in rows if row.score is not None]
    bottom = _TOP + _ROW * len(scored)
    return element(
        "svg",
        element("title", "Scores", id="scale-title"),
        element("desc", _description(scored), id="scale-desc"),
        _band("baseline", BASELINE_BAND, bottom),
        _band("reference", REFERENCE_BAND, bottom),
        *(_tick(tick, bottom) for tick in range(0, 101, 20)),
        *(_row(row, _TOP + _ROW * index) for index, row in enumerate(scored)),
        viewBox=f"0 0 {_WIDTH} {bottom + 4}",
        role="img",
        class_="bars",
        aria_labelledby="scale-title scale-desc",
    )


def _description(rows: Sequence[Row]) -> str:
    bands = f"A dot for each of {len(rows)} submissions on a scale from 0 to 100, with the bands"
    return f"{bands} {BASELINE_BAND} for the baseline and {REFERENCE_BAND} for the reference."


def _x(score: float) -> float:
    return _LEFT + _PLOT * min(max(score, 0.0), 100.0) / 100


def _band(name: str, band: Band, bottom: int) -> Markup:
    left, right = _x(band.low), _x(band.high)
    return joined(
        element(
            "rect",
            element("title", f"{name} {band}"),
            x=left,
            y=_TOP - 6,
            width=right - left,
            height=bottom - _TOP + 6,
            class_="band",
        ),
        element("text", name, x=(left + right) / 2, y=12, text_anchor="middle", class_="label"),
    )


def _tick(tick: int, bottom: int) -> Markup:
    return joined(
        element("line", x1=_x(tick), x2=_x(tick), y1=_TOP - 6, y2=bottom, class_="grid"),
        element("text", str(tick), x=_x(tick), y=_TOP - 12, class_="tick", text_anchor="middle"),
    )


def _row(row: Row, top: int) -> Markup:
    middle = top + _ROW // 2
    score = row.score or 0.0
    return joined(
        element(
            "text", cut_middle(row.name, 44), element("title", row.name), x=0, y=middle + 4, class_="label"
        ),
        element("line", x1=_LEFT, x2=_LEFT + _PLOT, y1=middle, y2=middle, class_="grid"),
        _mark(row, _x(score), middle),
        element("text", score_text(score), x=_WIDTH - _RIGHT + 14, y=middle + 4, class_="value"),
    )


def _mark(row: Row, x: float, y: float) -> Markup:
    """Return a dot, or a cross where a submission is off: colour alone does not tell everybody."""
    title = element("title", f"{row.name}: {score_text(row.score)}, {row.verdict}")
    if row.is_fine:
        return element("circle", title, cx=x, cy=y, r=_DOT, class_="fine")
    left, right, top, bottom = x - _DOT, x + _DOT, y - _DOT, y + _DOT
    cross = f"M{left:.4g} {top:.4g}L{right:.4g} {bottom:.4g}M{left:.4g} {bottom:.4g}L{right:.4g} {top:.4g}"
    return element("path", title, d=cross, class_="off")
