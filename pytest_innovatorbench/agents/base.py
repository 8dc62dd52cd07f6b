"""What an agent is to the harness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pytest_innovatorbench.errors import IbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind
    from pytest_innovatorbench.tasks.model import Task


class AgentFailedError(IbenchError):
    """An agent cannot go on; what it left behind is scored and the attempt is marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """What an agent is made for.

    Attributes:
        name: The agent as it was asked for, such as ``react:some-model``.
        argument: What stands behind the first colon, or ``""``.
        task: The task it will attempt.
        seed: Seed of the attempt.
        scratch: A private folder on the harness's side, gone after the attempt.
        hidden: Folders that must never be shown to an agent: evaluators and records.
    """

    name: str
    argument: str
    task: Task
    seed: int
    scratch: Path
    hidden: tuple[Path, ...]


class Agent(Protocol):
    """Somebody who does research."""

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Host paths that its computer shows it read-only, such as its own program."""

    def run(self, gym: ResearchGym) -> None:
        """Work until done; returning means to finish.

        Args:
            gym: The environment; ``gym.act`` takes actions.

        Raises:
            AttemptOverError: From ``gym.act``, once the attempt has ended; let it pass.
            AgentFailedError: The agent cannot go on.
        """


@runtime_checkable
class ResumableAgent(Agent, Protocol):
    """An agent that can go on where another one, of an attempt that was cut short, left off.

    One that cannot is run from its beginning on what is there; ``gym.beginning`` says so.
    """

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on later, as plain JSON values; asked after each action."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; called before ``run``."""


@runtime_checkable
class RecallingAgent(ResumableAgent, Protocol):
    """An agent whose state is in the events of its attempt, and is asked for by snapshots alone."""

    def recall(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Go on from the events of an attempt that was cut short, in its record; called before ``run``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentKind:
    """An agent that users can ask for by name.

    Attributes:
        name: What users write in ``--ibench-agent``.
        make: Makes an agent for one attempt. It may raise a ``UserError`` where the agent cannot
            take part, which is reported as the task's or the user's to mend.
        argument: What has to stand behind a colon, such as ``PROGRAM``; ``""`` for nothing; in
            brackets, such as ``[MODEL]``, where it may be left out.
        check: Raises a ``UserError`` for an argument that cannot be used; called with the argument and
            the hidden folders before anything runs.
        check_actions: Raises a ``UserError`` where the agent cannot do with the actions that there are;
            called with the argument and the actions by name before anything runs.
        about: One line for lists.
        submits_only: Tells of a task whether the agent only hands in what is there, so that it needs
            none of the GPUs and but one of the computers that the task asks for.
    """

    name: str
    make: Callable[[AgentRequest], Agent]
    argument: str = ""
    check: Callable[[str, tuple[Path, ...]], object] | None = None
    check_actions: Callable[[str, Mapping[str, ActionKind]], object] | None = None
    about: str = ""
    submits_only: Callable[[Task], bool] = lambda _: False
