"""Rules on what is written in the code of an evaluator, which is read and never run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks import evaluator_calls, evaluator_paths
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.subject import Subject

MOST_SHOWN = 20


def _relative_paths(subject: Subject) -> Iterator[Finding]:
    yield from _first(evaluator_paths.absolute_paths(subject))


def _no_heavy_work(subject: Subject) -> Iterator[Finding]:
    yield from _first(evaluator_calls.heavy_work(subject))


def _no_network(subject: Subject) -> Iterator[Finding]:
    yield from _first(evaluator_calls.network(subject))


def _first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.file, finding.line or 0))[:MOST_SHOWN]


RULES = (
    Rule(
        code="IB304",
        name="relative-paths",
        summary="The evaluator names no folder of one machine, nor anybody's home.",
        why="Evaluations run on other machines, where there is nothing at such a path.",
        remedy="start from self.config.eval_workspace or self.config.workspace",
        check=_relative_paths,
    ),
    Rule(
        code="IB309",
        name="no-heavy-work",
        summary="The evaluator needs no GPU, trains nothing and runs no model.",
        why="Evaluations run where there is no GPU, many at once, and a model's answers are for the agent "
        "to make. A library of models that is merely imported is a warning.",
        remedy="have the agent submit what its model gives, and compare that with the references",
        check=_no_heavy_work,
    ),
    Rule(
        code="IB310",
        name="no-network",
        summary="The evaluator needs no network, unless task.yaml declares a judge.",
        why="Evaluations have no network, so that scores depend on the submission and references alone.",
        remedy="put what is needed into data/references, or declare the judge in task.yaml",
        check=_no_network,
    ),
)
