"""What the parts of the plugin share in one active run of pytest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, Inventory
from pytest_innovatorbench.researchgym.extensions import Extensions
from pytest_innovatorbench.runs.board import Board
from pytest_innovatorbench.runs.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.agents.base import AgentKind
    from pytest_innovatorbench.runs.earlier import Earlier, Key, Origin
    from pytest_innovatorbench.settings import Settings
    from pytest_innovatorbench.tasks.benchmark import Benchmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An active run.

    Attributes:
        settings: What the user asked for.
        benchmark: Where the tasks are.
        task_ids: The tasks that were selected.
        agents: The agents that were asked for, in that order.
        extensions: What plug-ins add to ResearchGym.
        inventory: The computers there are.
        stop: Asks its attempts to end.
        board: Knows what its attempts are doing.
        earlier: The attempts of the run that goes on, by task, agent and seed.
        origin: The snapshot from which attempts start, if they do.
    """

    settings: Settings
    benchmark: Benchmark
    task_ids: frozenset[str]
    agents: Mapping[str, AgentKind]
    extensions: Extensions = field(default_factory=Extensions)
    inventory: Inventory = THIS_MACHINE
    stop: Stop = field(default_factory=Stop)
    board: Board = field(default_factory=Board)
    earlier: Mapping[Key, Earlier] = field(default_factory=dict)
    origin: Origin | None = None
