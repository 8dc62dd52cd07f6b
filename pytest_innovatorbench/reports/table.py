"""The terminal summary: a row per attempt, then the means of each agent."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.document import left_out_text, rows_shown
from pytest_innovatorbench.reports.summary import denominator_text, note_text
from pytest_innovatorbench.reports.text import (
    cut_middle,
    display_width,
    duration_text,
    hint_text,
    pad,
    score_text,
    status_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_innovatorbench.reports.document import ReportDocument
    from pytest_innovatorbench.reports.summary import AgentSummary, Scores
    from pytest_innovatorbench.runs.model import AttemptResult

_NARROWEST_TASK = 12
_NUMERIC = ("first", "best", "final", "evals", "hint", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table, as text per column; columns it does not name stay empty.

    Attributes:
        name: Text of the first column, which is cut where there is no room.
        cells: Text of the other columns, by heading.
        tail: Text after the last column of figures; it has no width to keep.
    """

    name: str
    cells: dict[str, str]
    tail: str = ""


def summary_lines(document: ReportDocument, *, width: int = 80) -> list[str]:
    """Return the summary of a run, as plain lines without colour.

    Args:
        document: What there is to report.
        width: Cells that a line should fit in; fewer than the figures need are exceeded.
    """
    if not document.results:
        return ["no attempts were made"]
    shown = rows_shown(document)
    headings = _headings(document.results)
    blocks = [(agent, _agent_rows(agent, shown)) for agent in document.agents]
    header = Row(name="task", cells={heading: heading for heading in headings}, tail="status")
    rows = [header, *(row for _, block in blocks for row in block)]
    form = _Form.fitting(rows, headings, width)
    lines = [form.line(header)]
    for agent, block in blocks:
        lines += ["", agent.agent, *map(form.line, block), *_wrapped(note_text(agent), width)]
    left_out = _wrapped(left_out_text(document, len(shown)), width)
    return lines + _apart(left_out) + _apart(_reasons(shown, width))


def _apart(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []


def _headings(results: Sequence[AttemptResult]) -> tuple[str, ...]:
    has_seeds = any(result.seed != results[0].seed for result in results)
    return ("seed", "dom", *_NUMERIC) if has_seeds else ("dom", *_NUMERIC)


def _agent_rows(agent: AgentSummary, shown: Iterable[AttemptResult]) -> list[Row]:
    rows = [_attempt_row(result) for result in shown if result.agent == agent.agent]
    rows += [_mean_row(f"mean {part.domain}", part.scores) for part in agent.domains]
    return [*rows, _mean_row("weighted average", agent.average)]


def _attempt_row(result: AttemptResult) -> Row:
    cells = {
        "seed": str(result.seed),
        "dom": result.domain,
        "first": score_text(result.first),
        "best": score_text(result.best),
        "final": score_text(result.final),
        "evals": f"{result.evals}/{result.max_evals}",
        "hint": hint_text(result),
        "time": duration_text(result.seconds),
    }
    return Row(name=result.task, cells=cells, tail=status_text(result))


def _mean_row(name: str, scores: Scores) -> Row:
    cells = {
        "first": score_text(scores.first.value),
        "best": score_text(scores.best.value),
        "final": score_text(scores.final.value),
    }
    return Row(name=name, cells=cells, tail=denominator_text(scores.final))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """The widths of a table: of the name, of each column in order, and of the gaps between them."""

    name: int
    columns: dict[str, int]
    gap: int

    @classmethod
    def fitting(cls, rows: Sequence[Row], headings: Iterable[str], width: int) -> _Form:
        columns = {
            heading: max(display_width(row.cells.get(heading, "")) for row in rows) for heading in headings
        }
        figures = sum(columns.values()) + max(display_width(row.tail) for row in rows)
        # Narrow gaps come before cut names, since a cut name may no longer tell two tasks apart.
        for gap in (2, 1):
            wanted = max(display_width(row.name) - _span(row, columns, gap) for row in rows)
            room = width - figures - gap * (len(columns) + 1)
            if wanted <= room:
                break
        return cls(name=max(min(wanted, room), min(wanted, _NARROWEST_TASK)), columns=columns, gap=gap)

    def line(self, row: Row) -> str:
        width = self.name + _span(row, self.columns, self.gap)
        cells = [
            pad(row.cells.get(heading, ""), cells, right=heading != "dom")
            for heading, cells in list(self.columns.items())[len(_empty(row, self.columns)) :]
        ]
        return (" " * self.gap).join([pad(cut_middle(row.name, width), width), *cells, row.tail]).rstrip()


def _reasons(shown: Iterable[AttemptResult], width: int) -> list[str]:
    return [
        line
        for result in shown
        if result.error
        for line in _wrapped(f"{result.attempt}: {status_text(result)}: {result.error}", width)
    ]


def _span(row: Row, columns: dict[str, int], gap: int) -> int:
    """Return the cells beside its own column that the name of a row may run on over."""
    return sum(columns[heading] + gap for heading in _empty(row, columns))


def _empty(row: Row, columns: Iterable[str]) -> list[str]:
    return list(takewhile(lambda heading: heading not in row.cells, columns))


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 40), subsequent_indent="  ", break_on_hyphens=False)
