"""Means over attempts.

The rules, the same in every report:

- Only scored attempts enter a mean. An unscoreable attempt has no score to enter. The score of a
  violation is shown in its row and enters nothing. The score of an interrupted attempt is shown in
  its row too and enters nothing, since the agent did not have its full time.
- An attempt whose agent crashed is scored on what it left behind and does enter.
- A task's value is the mean over its counted seeds. A domain's mean and the weighted average are
  plain means over task values, so that a domain weighs as much as it has tasks.
- Every mean states over how many tasks it goes and how many there are; what does not enter is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pytest_innovatorbench.reports.text import count_text
from pytest_innovatorbench.runs.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_innovatorbench.errors import Fault
    from pytest_innovatorbench.runs.model import AttemptResult

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over tasks.

    Attributes:
        value: The mean, or ``None`` where no task has a value.
        counted: Tasks that it goes over.
        of: Tasks that there are.
    """

    value: float | None
    counted: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The means of the three scores that an attempt has."""

    first: Mean
    best: Mean
    final: Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSummary:
    """The means over the tasks of one domain."""

    domain: str
    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """Attempts of one kind that enter no mean.

    Attributes:
        status: How they ended; ``scored`` stands for attempts without a usable final score.
        fault: Whose fault it is, where they are unscoreable.
        attempts: How many there are.
    """

    status: Status
    fault: Fault | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSummary:
    """What all attempts of one agent came to.

    Attributes:
        agent: The agent as it was asked for.
        attempts: Attempts it made.
        counted: Attempts that enter the means.
        average: The weighted average: plain means over all tasks.
        domains: The means of each domain, by name.
        uncounted: The attempts that enter no mean, by kind.
        tokens: Tokens that its models read and wrote in all attempts.
        cost: US dollars that they took, as far as their prices are known.
    """

    agent: str
    attempts: int
    counted: int
    average: Scores
    domains: tuple[DomainSummary, ...]
    uncounted: tuple[Uncounted, ...]
    tokens: int = 0
    cost: float = 0.0


def is_counted(result: AttemptResult) -> bool:
    """Return whether the attempt enters the means."""
    return result.status is Status.SCORED and result.final is not None


def summarise(results: Iterable[AttemptResult]) -> tuple[AgentSummary, ...]:
    """Return a summary for each agent, in the order in which they first appear."""
    by_agent = grouped(results, lambda result: result.agent)
    return tuple(_summarise_agent(agent, attempts) for agent, attempts in by_agent.items())


def task_mean(results: Sequence[AttemptResult]) -> float | None:
    """Return the mean final score over the counted attempts at one task."""
    return _mean([result.final for result in results if is_counted(result)])


def denominator_text(mean: Mean) -> str:
    """Return what a mean goes over, such as ``3 of 4 tasks``."""
    return f"{mean.counted:,} of {count_text(mean.of, 'task')}"


def note_text(agent: AgentSummary) -> str:
    """Return what an agent's means leave out and what its models took, or ``""`` if there is neither."""
    notes = []
    if agent.uncounted:
        notes.append(f"means go over {agent.counted:,} of {count_text(agent.attempts, 'attempt')}")
        notes.append(f"not counted: {_uncounted_text(agent.uncounted)}")
    if agent.tokens:
        cost = f", {agent.cost:,.2f} US dollars" if agent.cost else ""
        notes.append(f"models took {agent.tokens:,} tokens{cost}")
    return "; ".join(notes)


def _uncounted_text(kinds: Iterable[Uncounted]) -> str:
    """Return what enters no mean, such as ``1 unscoreable (evaluator), 2 violation``."""
    return ", ".join(f"{kind.attempts:,} {_kind_text(kind)}" for kind in kinds)


def _kind_text(kind: Uncounted) -> str:
    if kind.status is Status.SCORED:
        return "without a final score"
    if kind.status is Status.VIOLATION and kind.attempts != 1:
        return "violations"
    return f"{kind.status} ({kind.fault})" if kind.fault else str(kind.status)


def _summarise_agent(agent: str, attempts: list[AttemptResult]) -> AgentSummary:
    domains = grouped(attempts, lambda result: result.domain)
    return AgentSummary(
        agent=agent,
        attempts=len(attempts),
        counted=sum(map(is_counted, attempts)),
        average=_scores(attempts),
        domains=tuple(
            DomainSummary(domain=domain, scores=_scores(domains[domain])) for domain in sorted(domains)
        ),
        uncounted=_uncounted(attempts),
        tokens=sum(result.tokens for result in attempts),
        cost=round(sum(result.cost for result in attempts), 6),
    )


def _scores(results: Iterable[AttemptResult]) -> Scores:
    tasks = list(grouped(results, lambda result: (result.domain, result.task)).values())
    return Scores(
        first=_mean_over_tasks(tasks, lambda result: result.first),
        best=_mean_over_tasks(tasks, lambda result: result.best),
        final=_mean_over_tasks(tasks, lambda result: result.final),
    )


def _mean_over_tasks(
    tasks: list[list[AttemptResult]], score: Callable[[AttemptResult], float | None]
) -> Mean:
    per_task = [_mean([score(result) for result in seeds if is_counted(result)]) for seeds in tasks]
    return Mean(
        value=_mean(per_task),
        counted=sum(value is not None for value in per_task),
        of=len(per_task),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _uncounted(results: Iterable[AttemptResult]) -> tuple[Uncounted, ...]:
    kinds = Counter((result.status, result.fault) for result in results if not is_counted(result))
    return tuple(
        Uncounted(status=status, fault=fault, attempts=number)
        for (status, fault), number in sorted(kinds.items(), key=lambda kind: (kind[0][0], kind[0][1] or ""))
    )


def grouped(
    results: Iterable[AttemptResult], key: Callable[[AttemptResult], Key]
) -> dict[Key, list[AttemptResult]]:
    """Return the attempts by key, keys and attempts in the order in which they come."""
    groups: dict[Key, list[AttemptResult]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return groups
