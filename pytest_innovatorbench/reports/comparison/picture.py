"""A comparison as a PNG picture."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.reports.calibration.picture import figure_class
from pytest_innovatorbench.reports.text import cut_middle

if TYPE_CHECKING:
    from pytest_innovatorbench.reports.comparison.model import Comparison, Contender, Figure

_COLOURS = ("#1f5fa8", "#c2571a", "#1b7a4b", "#7a3fa0", "#b3261e", "#5b6470", "#8a6d00", "#00838f")
_QUIET = "#d8dad6"
_WIDTH, _GROUP, _FRAME = 9.0, 0.16, 1.4  # inches
_SHORT = 24  # characters of a label, of which three stand side by side
_DOTS = 120  # per inch
_MOST_AGENTS, _MOST_ROWS = 20, 60  # a picture of more cannot be read, and fills the memory


def render_comparison_picture(comparison: Comparison) -> bytes:
    """Return means and intervals as PNG, a group of agents for each task and domain.

    Raises:
        UserError: matplotlib is not installed.
    """
    rows = (comparison.means[-1], *comparison.means[:-1], *comparison.tasks)[:_MOST_ROWS]
    contenders = comparison.contenders[:_MOST_AGENTS]
    height = _FRAME + _GROUP * len(rows) * (len(contenders) + 1)
    figure = figure_class()(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    for index, contender in enumerate(contenders):
        _draw(axes, contender, rows, index, len(contenders))
    _finish(axes, rows)
    longest = max(len(_label(contender)) for contender in contenders)
    figure.legend(loc="outside upper left", ncols=3 if longest <= _SHORT else 2, frameon=False)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(file, format="png", dpi=_DOTS)
    return file.getvalue()


def _draw(axes: Any, contender: Contender, rows: tuple[str, ...], index: int, of: int) -> None:  # noqa: ANN401 - matplotlib is not always there
    points = [
        (place + (index + 1) / (of + 1) - 0.5, *_ends(found))
        for place, name in enumerate(rows)
        for found in (contender.figures.get(name),)
        if found is not None and found.mean is not None
    ]
    places = [place for place, *_ in points]
    means = [mean for _, _, mean, _ in points]
    spread = [[mean - low for _, low, mean, _ in points], [high - mean for _, _, mean, high in points]]
    colour = _COLOURS[index % len(_COLOURS)]
    axes.errorbar(means, places, xerr=spread, fmt="o", color=colour, capsize=3, label=_label(contender))


def _label(contender: Contender) -> str:
    # A stranger's: with a dollar it would be a formula, with a line below it would be left out.
    return " " + cut_middle(contender.label, 40).replace("$", r"\$")


def _ends(figure: Figure) -> tuple[float, float, float]:
    """Return the lower end, the mean and the upper end; without an interval, all are the mean."""
    mean = figure.mean or 0.0
    if figure.low is None or figure.high is None:
        return mean, mean, mean
    return min(figure.low, mean), mean, max(figure.high, mean)


def _finish(axes: Any, rows: tuple[str, ...]) -> None:  # noqa: ANN401 - see above
    axes.set_yticks(range(len(rows)), [cut_middle(name, 40) for name in rows], parse_math=False)
    axes.set(xlim=(-2, 102), ylim=(len(rows) - 0.5, -0.5), xlabel="final score")
    axes.grid(color=_QUIET, linewidth=0.6, axis="x")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=8)
