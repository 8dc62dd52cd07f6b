"""The Markdown report: tables as GitHub shows them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.document import left_out_text, rows_shown
from pytest_innovatorbench.reports.summary import denominator_text, note_text
from pytest_innovatorbench.reports.text import (
    duration_text,
    hint_text,
    score_text,
    status_text,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_innovatorbench.reports.document import ReportDocument
    from pytest_innovatorbench.reports.summary import AgentSummary, Mean
    from pytest_innovatorbench.runs.model import AttemptResult

_ACTIVE = re.compile(r"([\\`*\[\]|~#!$])|(:)(?=//)|(?<![^\W_])(_)|(_)(?![^\W_])")
_HEADINGS = ("Task", "Domain", "Agent", "Seed", "First", "Best", "Final", "Evals", "Hint", "Time", "Status")
_FIGURES = {"Seed", "First", "Best", "Final", "Evals", "Time"}


def escape_markdown(text: str) -> str:
    """Return the text so that Markdown shows it as it is, also inside a table cell."""
    plain = html.escape(one_line(text), quote=False)
    escaped = _ACTIVE.sub(lambda match: f"\\{match[0]}", plain)
    # An invisible word joiner keeps GitHub from calling whoever is named after the sign.
    return escaped.replace("@", "@&#8288;")


def render_markdown(document: ReportDocument) -> str:
    """Return the report as GitHub Markdown."""
    if not document.results:
        return "# InnovatorBench report\n\nNo attempts were made.\n"
    shown = rows_shown(document)
    left_out = left_out_text(document, len(shown))
    parts = [
        "# InnovatorBench report",
        _lead(document),
        "## Means of the final scores",
        _means(document.agents),
        *(_note(agent) for agent in document.agents if agent.uncounted),
        "## Attempts",
        *_attempts(shown),
        *([f"{escape_markdown(left_out)}."] if left_out else []),
        *_reasons(shown),
    ]
    return "\n\n".join(parts) + "\n"


def _lead(document: ReportDocument) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in document.harness.items())
    return escape_markdown(f"{document.created}; {versions}")


def _means(agents: Sequence[AgentSummary]) -> str:
    domains = sorted({part.domain for agent in agents for part in agent.domains})
    headings = ["Agent", *domains, "Weighted average", "Average of best", "Counted"]
    rows = [_mean_row(agent, domains) for agent in agents]
    return markdown_table(headings, rows, figures={*domains, "Weighted average", "Average of best"})


def _mean_row(agent: AgentSummary, domains: Iterable[str]) -> list[str]:
    finals = {part.domain: part.scores.final for part in agent.domains}
    return [
        agent.agent,
        *(_mean_text(finals.get(domain)) for domain in domains),
        score_text(agent.average.final.value),
        score_text(agent.average.best.value),
        denominator_text(agent.average.final),
    ]


def _mean_text(mean: Mean | None) -> str:
    if mean is None:
        return ""
    text = score_text(mean.value)
    return text if mean.counted == mean.of else f"{text} ({mean.counted} of {mean.of})"


def _note(agent: AgentSummary) -> str:
    return f"{escape_markdown(agent.agent)}: {note_text(agent)}."


def _attempts(results: Sequence[AttemptResult]) -> list[str]:
    return [markdown_table(_HEADINGS, map(_attempt_row, results), figures=_FIGURES)] if results else []


def _attempt_row(result: AttemptResult) -> list[str]:
    return [
        result.task,
        result.domain,
        result.agent,
        str(result.seed),
        score_text(result.first),
        score_text(result.best),
        score_text(result.final),
        f"{result.evals}/{result.max_evals}",
        hint_text(result),
        duration_text(result.seconds),
        status_text(result),
    ]


def _reasons(results: Iterable[AttemptResult]) -> list[str]:
    lines = [
        f"- {escape_markdown(result.attempt)}: {status_text(result)}: {_code(result.error)}"
        for result in results
        if result.error
    ]
    return ["## What went wrong", "\n".join(lines)] if lines else []


def _code(text: str) -> str:
    """Return the text as a code span, in which nothing is linked, called or interpreted."""
    line = one_line(text)
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}"


def markdown_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, figures: Collection[str] = ()
) -> str:
    """Return a table of texts, each shown as it is; columns of figures are aligned to the right."""
    rule = ["--:" if heading in figures else "---" for heading in headings]
    lines = [_table_line(map(escape_markdown, headings)), _table_line(rule)]
    return "\n".join(lines + [_table_line(map(escape_markdown, row)) for row in rows])


def _table_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
