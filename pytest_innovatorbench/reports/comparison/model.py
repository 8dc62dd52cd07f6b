"""Agents of one or several runs side by side: means, and bootstrap intervals over seeds."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.document import report_document
from pytest_innovatorbench.reports.summary import grouped, is_counted, note_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_innovatorbench.runs.model import AttemptResult

AVERAGE = "weighted average"
RESAMPLES = 2000
_SHARE = 0.95
_FEWEST = 2  # seeds that tell anything of how scores vary


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean of final scores: over the seeds of each task, then over the tasks.

    Attributes:
        mean: The mean, or ``None`` where nothing was scored.
        low: Lower end of its 95 % interval, or ``None`` where a task has fewer than two seeds.
        high: Upper end.
        attempts: Attempts that it goes over.
        tasks: Tasks that it goes over.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    attempts: int = 0
    tasks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """An agent with its figures.

    Attributes:
        label: What it is called here.
        figures: By row; a row at which it made no attempt is not there.
        note: What its figures leave out, or ``""``.
    """

    label: str
    figures: Mapping[str, Figure]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Agents side by side.

    Attributes:
        tasks: Rows for single tasks, by domain.
        means: Rows for domains, and the last one for all.
        contenders: The agents, the best first.
    """

    tasks: tuple[str, ...]
    means: tuple[str, ...]
    contenders: tuple[Contender, ...]


def compare(runs: Iterable[tuple[str, Iterable[AttemptResult]]]) -> Comparison:
    """Compare the agents of runs.

    Attempts of an agent in several runs are seeds of one agent, unless a task and seed occur twice:
    then something else changed, and it is an agent for each run.

    Args:
        runs: Names and attempts.
    """
    document = report_document(_labelled([(name, list(results)) for name, results in runs]))
    results = document.results
    places = sorted({(result.domain, result.task) for result in results})
    order = {task: index for index, (_, task) in enumerate(places)}
    domains = dict.fromkeys(domain for domain, _ in places)
    contenders = [
        Contender(label=agent.agent, figures=_figures(attempts), note=note_text(agent))
        for agent in document.agents
        for attempts in ([result for result in results if result.agent == agent.agent],)
    ]
    return Comparison(
        tasks=tuple(sorted(order, key=lambda task: order[task])),
        means=(*(f"mean {domain}" for domain in domains), AVERAGE),
        contenders=tuple(sorted(contenders, key=_rank)),
    )


def interval(tasks: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Return the 95 % percentile bootstrap interval of a mean over tasks of means over seeds.

    Tasks stay as they are and their seeds are drawn anew, always in the same way.

    Args:
        tasks: The scores of each task.
    """
    if not tasks or min(map(len, tasks)) < _FEWEST:
        return None
    draw = random.Random(0)  # noqa: S311 - statistics, the same every time
    means = sorted(
        sum(sum(draw.choices(seeds, k=len(seeds))) / len(seeds) for seeds in tasks) / len(tasks)
        for _ in range(RESAMPLES)
    )
    outside = round(RESAMPLES * (1 - _SHARE) / 2)
    return means[outside], means[-1 - outside]


def _labelled(runs: list[tuple[str, list[AttemptResult]]]) -> list[AttemptResult]:
    made = Counter((one.agent, one.task, one.seed) for _, results in runs for one in results)
    again = {agent for (agent, _, _), number in made.items() if number > 1}
    return [
        replace(one, agent=f"{one.agent} in {name}") if one.agent in again else one
        for name, results in runs
        for one in results
    ]


def _figures(attempts: Sequence[AttemptResult]) -> dict[str, Figure]:
    by_task = grouped(attempts, lambda result: result.task)
    by_domain = grouped(attempts, lambda result: result.domain)
    return {
        **{task: _figure(seeds) for task, seeds in by_task.items()},
        **{f"mean {domain}": _figure(found) for domain, found in by_domain.items()},
        AVERAGE: _figure(attempts),
    }


def _figure(attempts: Sequence[AttemptResult]) -> Figure:
    counted = [result for result in attempts if is_counted(result)]
    tasks = [
        [result.final for result in seeds if result.final is not None]
        for seeds in grouped(counted, lambda result: result.task).values()
    ]
    if not tasks:
        return Figure(mean=None)
    low, high = interval(tasks) or (None, None)
    mean = sum(sum(seeds) / len(seeds) for seeds in tasks) / len(tasks)
    return Figure(mean=mean, low=low, high=high, attempts=len(counted), tasks=len(tasks))


def _rank(contender: Contender) -> tuple[float, str]:
    mean = contender.figures[AVERAGE].mean
    return (float("inf") if mean is None else -mean, contender.label)
