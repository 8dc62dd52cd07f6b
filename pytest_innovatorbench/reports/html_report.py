"""The HTML report: one file that needs nothing else, neither a script nor the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.charts import bar_chart, curve_chart
from pytest_innovatorbench.reports.markup import Markup, element, joined
from pytest_innovatorbench.reports.page import render_page
from pytest_innovatorbench.reports.summary import denominator_text, grouped, is_counted, note_text
from pytest_innovatorbench.reports.text import (
    NOTHING,
    count_text,
    duration_text,
    hint_text,
    score_text,
    status_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_innovatorbench.reports.document import JsonValue, ReportDocument
    from pytest_innovatorbench.reports.summary import AgentSummary, Mean
    from pytest_innovatorbench.runs.model import AttemptResult

CHART_LIMIT = 600
"""Most bars and most curves; the table has a row for every attempt."""

_COLOURS = 6
_HEADINGS = ("Task", "Domain", "Agent", "Seed", "First", "Best", "Final", "Evals", "Hint", "Time", "Status")
_FIGURES = {"Seed", "First", "Best", "Final", "Evals", "Time"}


def render_html(document: ReportDocument) -> str:
    """Return the report as one self-contained HTML page for light and dark screens."""
    colours = {agent.agent: index % _COLOURS for index, agent in enumerate(document.agents)}
    return render_page("InnovatorBench report", _header(document), *_sections(document, colours))


def _header(document: ReportDocument) -> Markup:
    tasks = len({result.task for result in document.results})
    counts = ", ".join(
        (
            count_text(len(document.agents), "agent"),
            count_text(tasks, "task"),
            count_text(len(document.results), "attempt"),
        )
    )
    versions = " · ".join(f"{name} {version}" for name, version in document.harness.items())
    return element(
        "header",
        element("h1", "InnovatorBench report"),
        element("p", counts, class_="lead"),
        element("p", f"{document.created} · {versions}", class_="quiet"),
        element("p", f"Records: {document.run_dir}", class_="quiet") if document.run_dir else None,
    )


def _sections(document: ReportDocument, colours: Mapping[str, int]) -> Iterable[Markup]:
    if not document.results:
        yield element("p", "No attempts were made.")
        return
    tasks = list(grouped(document.results, lambda result: (result.domain, result.task)).values())
    charted = tasks[: max(CHART_LIMIT // len(colours), 1)]
    by_task = [result for attempts in tasks for result in attempts]
    yield _section("Means", _means(document.agents, colours), *_notes(document.agents))
    yield _section(
        "Final scores",
        _scrolling(bar_chart(charted, colours)),
        _undrawn(len(tasks) - len(charted), "task"),
    )
    yield _section("Attempts", _scrolling(_attempts(document.results, colours)))
    yield _section(
        "Scores over time",
        _curves(by_task[:CHART_LIMIT], colours),
        _undrawn(len(by_task) - CHART_LIMIT, "attempt"),
    )
    if document.settings:
        yield _section("Settings", _settings(document))


def _section(heading: str, *children: Markup | None) -> Markup:
    return element("section", element("h2", heading), *children)


def _scrolling(child: Markup) -> Markup:
    # Focusable, so that the keyboard can scroll it too.
    return element("div", child, class_="scroll", tabindex="0")


def _undrawn(missing: int, noun: str) -> Markup | None:
    if missing <= 0:
        return None
    return element("p", f"{count_text(missing, noun)} not drawn: see the table.", class_="quiet")


def _means(agents: Sequence[AgentSummary], colours: Mapping[str, int]) -> Markup:
    domains = sorted({part.domain for agent in agents for part in agent.domains})
    headings = ("Agent", "Weighted average", "Best", "First", *domains)
    rows = [_mean_row(agent, domains, colours[agent.agent]) for agent in agents]
    caption = "Means of the final scores; best and first are averaged in the same way."
    return _scrolling(
        element(
            "table",
            element("caption", caption),
            _table_head(headings, figures=set(headings[1:])),
            element("tbody", *rows),
            class_="means",
        )
    )


def _mean_row(agent: AgentSummary, domains: Iterable[str], colour: int) -> Markup:
    finals = {part.domain: part.scores.final for part in agent.domains}
    average = agent.average
    return element(
        "tr",
        element("th", _swatch(colour), agent.agent, scope="row", class_="agent"),
        _mean_cell(average.final, class_="figure main"),
        _mean_cell(average.best),
        _mean_cell(average.first),
        *(_mean_cell(finals.get(domain)) for domain in domains),
    )


def _mean_cell(mean: Mean | None, class_: str = "figure") -> Markup:
    if mean is None:
        return element("td", NOTHING, class_=class_)
    return element("td", score_text(mean.value), element("small", denominator_text(mean)), class_=class_)


def _swatch(colour: int) -> Markup:
    return element("span", class_=f"swatch agent-{colour}")


def _notes(agents: Iterable[AgentSummary]) -> Iterable[Markup]:
    for agent in agents:
        if agent.uncounted:
            yield element("p", element("b", agent.agent), f": {note_text(agent)}", class_="note")


def _attempts(results: Sequence[AttemptResult], colours: Mapping[str, int]) -> Markup:
    rows = [_attempt_row(result, colours[result.agent]) for result in results]
    caption = "Scores in brackets are shown, but enter no mean."
    return element(
        "table",
        None if all(map(is_counted, results)) else element("caption", caption),
        _table_head(_HEADINGS, figures=_FIGURES),
        element("tbody", *rows),
        class_="attempts",
    )


def _table_head(headings: Iterable[str], *, figures: set[str]) -> Markup:
    cells = [
        element("th", heading, scope="col", class_="figure" if heading in figures else None)
        for heading in headings
    ]
    return element("thead", element("tr", *cells))


def _attempt_row(result: AttemptResult, colour: int) -> Markup:
    return element(
        "tr",
        element("th", result.task, scope="row"),
        element("td", result.domain),
        element("td", _swatch(colour), result.agent, class_="agent"),
        element("td", str(result.seed), class_="figure"),
        _score_cell(result, result.first),
        _score_cell(result, result.best),
        _score_cell(result, result.final, class_="figure main"),
        element("td", f"{result.evals}/{result.max_evals}", class_="figure"),
        element("td", _hint(result), class_="hint"),
        element("td", duration_text(result.seconds), class_="figure"),
        element("td", _status(result), _error(result)),
    )


def _score_cell(result: AttemptResult, score: float | None, class_: str = "figure") -> Markup:
    text = score_text(score)
    return element("td", text if score is None or is_counted(result) else f"({text})", class_=class_)


def _hint(result: AttemptResult) -> str:
    return f"yes, {hint_text(result)}" if result.hints and result.penalty else hint_text(result)


def _status(result: AttemptResult) -> Markup:
    return element("span", status_text(result), class_=f"status {result.status}")


def _error(result: AttemptResult) -> Markup | None:
    return element("div", result.error, class_="error") if result.error else None


def _curves(results: Iterable[AttemptResult], colours: Mapping[str, int]) -> Markup:
    return element(
        "div",
        *(_curve(result, number, colours[result.agent]) for number, result in enumerate(results, 1)),
        class_="curves",
    )


def _curve(result: AttemptResult, number: int, colour: int) -> Markup:
    outcome = score_text(result.final) if is_counted(result) else status_text(result).lower()
    return element(
        "figure",
        element(
            "figcaption",
            element("b", result.task),
            element("span", f"{result.agent}, seed {result.seed}: {outcome}"),
        ),
        curve_chart(result, number, colour),
    )


def _settings(document: ReportDocument) -> Markup:
    rows = [
        joined(element("dt", name), element("dd", _setting_text(value)))
        for name, value in sorted(document.settings.items())
    ]
    return element("dl", *rows)


def _setting_text(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_setting_text, value)) or NOTHING
    return NOTHING if value is None else str(value)
