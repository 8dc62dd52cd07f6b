"""Where submissions fall on the scale, as a PNG picture."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.text import cut_middle, score_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.authoring.calibration.survey import Row, Survey

_GOOD, _BAD, _QUIET, _INK = "#1b7a4b", "#b3261e", "#d8dad6", "#1d1f24"
_WIDTH, _ROW, _FRAME = 9.0, 0.3, 1.1  # inches
_DOTS = 120  # per inch
_MOST_ROWS = 200  # a picture of more cannot be read, and fills the memory


def render_picture(survey: Survey) -> bytes:
    """Return a survey as PNG.

    Raises:
        UserError: matplotlib is not installed.
    """
    make = figure_class()
    rows = [row for row in survey.rows if row.score is not None][:_MOST_ROWS]
    figure = make(figsize=(_WIDTH, _FRAME + _ROW * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    _draw(axes, rows)
    # Names are a stranger's: none is a formula, and none can spoil the picture by what fonts lack.
    title = one_line(f"Calibration of {survey.task_id}", 100)
    axes.set_title(title, loc="left", pad=24, weight="bold", parse_math=False)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(file, format="png", dpi=_DOTS)
    return file.getvalue()


def need_matplotlib() -> None:
    """See that a picture can be drawn, before anything is done that takes long.

    Raises:
        UserError: matplotlib is not installed.
    """
    figure_class()


def figure_class() -> Any:  # noqa: ANN401 - matplotlib is not always there
    """Return matplotlib's class of figures.

    Raises:
        UserError: It is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - half a second
    except ImportError:
        raise UserError(
            "a picture needs matplotlib", remedy="pip install 'pytest-innovatorbench[plot]'"
        ) from None
    return Figure


def _draw(axes: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 - see above
    for name, band in (("baseline", BASELINE_BAND), ("reference", REFERENCE_BAND)):
        axes.axvspan(band.low, band.high, color=_GOOD, alpha=0.15, linewidth=0)
        axes.annotate(
            name,
            ((band.low + band.high) / 2, 1),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
        )
    places = range(len(rows))
    for is_fine, colour, mark in ((True, _GOOD, "o"), (False, _BAD, "X")):
        marked = [(row.score, place) for place, row in enumerate(rows) if row.is_fine == is_fine]
        scores, heights = [score for score, _ in marked], [place for _, place in marked]
        axes.scatter(scores, heights, color=colour, marker=mark, zorder=3, clip_on=False)
    labels = [cut_middle(one_line(row.name), 48) for row in rows]
    axes.set_yticks(list(places), labels, parse_math=False)
    for place, row in zip(places, rows, strict=True):
        axes.annotate(
            score_text(row.score), (102, place), va="center_baseline", annotation_clip=False, color=_INK
        )
    axes.set(xlim=(0, 100), ylim=(max(1, len(rows)) - 0.5, -0.5), xlabel="score")
    axes.grid(color=_QUIET, linewidth=0.6)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=8)
