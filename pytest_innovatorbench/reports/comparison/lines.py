"""A comparison as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.text import NOTHING, count_text, cut_middle, display_width, pad, score_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.reports.comparison.model import Comparison, Contender, Figure

_LEGEND = "final scores: means over seeds and tasks"
_LONGEST_TASK, _LONGEST_AGENT = 40, 32
_GAP = 3


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return a column for each agent and a row for each task and domain."""
    agents = comparison.contenders
    names = (*comparison.tasks, *comparison.means)
    rows = [_row("", [one.label for one in agents])]
    rows += [_row(name, cells_of(comparison, name)) for name in names]
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1 + len(comparison.tasks), "")
    return [*lines, "", legend(comparison), *note_lines(comparison)]


def legend(comparison: Comparison) -> str:
    """Return what the figures are."""
    figures = [figure for one in comparison.contenders for figure in one.figures.values()]
    if any(figure.low is not None for figure in figures):
        return f"{_LEGEND}, with 95 % bootstrap intervals over seeds"
    return f"{_LEGEND}; no intervals, which need two seeds of each task"


def note_lines(comparison: Comparison) -> Iterator[str]:
    """Yield what the figures of each agent go over and leave out."""
    for one in comparison.contenders:
        yield f"{one.label}: {'; '.join(filter(None, (scope_text(one, comparison), one.note)))}"


def cells_of(comparison: Comparison, name: str) -> list[str]:
    """Return a row's figures; an average that misses tasks of others says how many it goes over."""
    figures = [one.figures.get(name) for one in comparison.contenders]
    most = max((figure.tasks for figure in figures if figure is not None), default=0)
    return [f"{figure_text(figure)}{_share(figure, most)}" for figure in figures]


def _share(figure: Figure | None, most: int) -> str:
    return f" of {figure.tasks}/{most} tasks" if figure and 0 < figure.tasks < most else ""


def figure_text(figure: Figure | None) -> str:
    """Return a mean with its interval, such as ``73.9 [72.1, 75.0]``."""
    if figure is None:
        return NOTHING
    if figure.low is None:
        return score_text(figure.mean)
    return f"{score_text(figure.mean)} [{score_text(figure.low)}, {score_text(figure.high)}]"


def scope_text(contender: Contender, comparison: Comparison) -> str:
    """Return what an agent's average goes over, such as ``10 attempts at 2 of 3 tasks``."""
    average = contender.figures[comparison.means[-1]]
    tasks = f"{average.tasks:,} of {count_text(len(comparison.tasks), 'task')}"
    return f"{count_text(average.attempts, 'attempt')} at {tasks}"


def _row(name: str, cells: list[str]) -> list[str]:
    return [cut_middle(name, _LONGEST_TASK), *(cut_middle(cell, _LONGEST_AGENT) for cell in cells)]


def _line(row: list[str], widths: list[int]) -> str:
    cells = [pad(cell, width) for cell, width in zip(row, widths, strict=True)]
    return (" " * _GAP).join(cells).rstrip()
