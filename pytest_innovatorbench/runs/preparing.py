"""What an attempt needs before its agent can start, and what does not depend on its computers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import Agent, AgentRequest
from pytest_innovatorbench.agents.registry import split
from pytest_innovatorbench.errors import (
    EnvironmentBuildError,
    NoSuchComputerError,
    SandboxUnavailableError,
    SnapshotError,
    UserError,
)
from pytest_innovatorbench.researchgym.computers.locks import LeasesUnwritableError
from pytest_innovatorbench.researchgym.web.backends import Search, choose
from pytest_innovatorbench.runs.furnishing import agents_environment
from pytest_innovatorbench.runs.judge import evaluation_target
from pytest_innovatorbench.runs.work import Ending
from pytest_innovatorbench.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_innovatorbench.evaluation.target import EvaluationTarget
    from pytest_innovatorbench.runs.plan import AttemptSpec
    from pytest_innovatorbench.sandbox.model import Sandbox
    from pytest_innovatorbench.tasks.environment import Environment

_MACHINES = (
    EnvironmentBuildError,
    SandboxUnavailableError,
    SnapshotError,
    NoSuchComputerError,
    LeasesUnwritableError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What an attempt needs before its agent can start."""

    sandbox: Sandbox
    environment: Environment
    target: EvaluationTarget
    agent: Agent
    search: Search | None


def prepare(spec: AttemptSpec, scratch: Path, say: Callable[[str], None]) -> Room:
    """Open the sandbox, build environments and make the agent.

    Raises:
        UserError: Something is not there or does not work; `unprepared` says whose fault it is.
    """
    task = spec.task
    _, argument = split(spec.agent)
    request = AgentRequest(
        name=spec.agent, argument=argument, task=task, seed=spec.seed, scratch=scratch, hidden=spec.hidden
    )
    return Room(
        sandbox=open_sandbox(spec.sandbox),
        search=choose(spec.extensions.backends, task),
        agent=spec.kind.make(request),
        environment=agents_environment(task, say),
        target=evaluation_target(task, say),
    )


def unprepared(error: UserError) -> Ending:
    """Say whose fault it is that an attempt could not start: the machine's, or else the task's."""
    machine = isinstance(error, _MACHINES)
    return Ending(reason="unprepared", error=str(error), fault="machine" if machine else "evaluator")
