"""A survey as plain lines for a terminal: a table, and where each submission falls on the scale."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.text import (
    NOTHING,
    cut_end,
    cut_middle,
    display_width,
    duration_text,
    pad,
    score_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_innovatorbench.authoring.calibration.proposals import Proposal
    from pytest_innovatorbench.authoring.calibration.survey import Row, Survey

_WIDEST_NAME = 40
_NARROWEST = 24
_WIDEST_SCALE = 101  # a cell for each point
_LONGEST_METRIC = 16


def survey_lines(survey: Survey, *, width: int = 100) -> list[str]:
    """Return a survey without colour.

    Args:
        survey: What there is to show.
        width: Cells that a line should fit in.
    """
    proposals = proposal_lines(survey)
    return [
        *_table(survey, width),
        "",
        *_scale(survey.rows, width),
        *_apart(_reasons(survey.rows, width)),
        *_apart(line for text in proposals for line in _wrapped(text, width)),
        "",
        verdict_line(survey),
    ]


def verdict_line(survey: Survey) -> str:
    """Return whether the task is calibrated, in one line."""
    off = sum(not row.is_fine for row in survey.rows)
    return f"{survey.task_id}: " + (f"{off} of {len(survey.rows)} are off" if off else "in band")


def proposal_lines(survey: Survey) -> list[str]:
    """Return the proposed score curves, one line each."""
    lines = [_proposal(proposal) for proposal in survey.proposals]
    if len(lines) > 1:
        lines.append("The points are those of one metric; the score is what the evaluator makes of all.")
    return lines


def metric_text(value: float | None) -> str:
    """Return a metric's value in four digits, ``-`` where there is none."""
    return NOTHING if value is None else f"{value:.4g}"


def has_cut(rows: Iterable[Row]) -> bool:
    """Tell whether an evaluator gave more than 100 or less than 0."""
    return any(_is_cut(row) for row in rows)


def _is_cut(row: Row) -> bool:
    return row.unclamped is not None and row.score is not None and row.unclamped != row.score


def unclamped_text(row: Row) -> str:
    """Return what the evaluator gave where it was cut, else nothing."""
    return score_text(row.unclamped) if _is_cut(row) else ""


def _proposal(proposal: Proposal) -> str:
    name = one_line(proposal.name, 80)
    if proposal.curve is None:
        return f"no curve for {name}: {proposal.reason}"
    source = "measured" if proposal.is_measured else "stated in task.yaml, as the evaluator returns none"
    return (
        f"proposed for {name}: {proposal.code} - baseline {score_text(proposal.baseline)}, "
        f"reference {score_text(proposal.reference)} ({source})"
    )


def _table(survey: Survey, width: int) -> list[str]:
    is_cut = has_cut(survey.rows)
    metrics = [cut_end(one_line(name), _LONGEST_METRIC) for name in survey.metrics]
    header = ["submission", "score", *(["uncut"] if is_cut else []), *metrics, "time", "verdict"]
    rows = [header, *(_cells(row, survey.metrics, is_cut=is_cut) for row in survey.rows)]
    widths = [max(display_width(row[place]) for row in rows) for place in range(len(header))]
    lines = []
    for row in rows:
        cells = [pad(cell, widths[place], right=place > 0) for place, cell in enumerate(row[:-1], 0)]
        room = width - sum(widths[:-1]) - 2 * len(cells)
        lines.append("  ".join([*cells, cut_end(row[-1], max(room, _NARROWEST))]).rstrip())
    return lines


def _cells(row: Row, metrics: Sequence[str], *, is_cut: bool) -> list[str]:
    return [
        cut_middle(row.name, _WIDEST_NAME),
        score_text(row.score),
        *([unclamped_text(row)] if is_cut else []),
        *(metric_text(row.metrics.get(name)) for name in metrics),
        NOTHING if row.seconds is None else duration_text(row.seconds),
        row.verdict,
    ]


def _scale(rows: Sequence[Row], width: int) -> list[str]:
    """Draw each score as an ``o`` between 0 and 100, with ``=`` for the two bands."""
    shown = [row for row in rows if row.score is not None]
    names = max((display_width(cut_middle(row.name, _WIDEST_NAME)) for row in shown), default=0)
    cells = max(_NARROWEST, min(_WIDEST_SCALE, width - names - 4))
    header = pad("", names) + "  " + _ticks(cells)
    return [header, *(_drawn(row, names, cells) for row in shown)]


def _drawn(row: Row, names: int, cells: int) -> str:
    marks = ["=" if _in_bands(cell, cells) else "." for cell in range(cells)]
    marks[_cell(row.score or 0.0, cells)] = "o" if row.is_fine else "X"
    return f"{pad(cut_middle(row.name, _WIDEST_NAME), names)} |{''.join(marks)}|"


def _in_bands(cell: int, cells: int) -> bool:
    return any(
        _cell(band.low, cells) <= cell <= _cell(band.high, cells) for band in (BASELINE_BAND, REFERENCE_BAND)
    )


def _cell(score: float, cells: int) -> int:
    return round(min(max(score, 0.0), 100.0) / 100 * (cells - 1))


def _ticks(cells: int) -> str:
    line = [" "] * (cells + 3)
    for tick in (0, 20, 40, 60, 80, 100):
        for offset, character in enumerate(str(tick)):
            line[_cell(tick, cells) + offset] = character
    return "".join(line).rstrip()


def _reasons(rows: Iterable[Row], width: int) -> list[str]:
    return [line for row in rows if not row.is_fine for line in _wrapped(f"{row.name}: {row.verdict}", width)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 40), subsequent_indent="  ", break_on_hyphens=False)


def _apart(lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    return ["", *listed] if listed else []
