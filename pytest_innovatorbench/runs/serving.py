"""One attempt whose agent is whoever is connected: its actions are served until it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.agents.clients.gate import Desk
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, read_inventory
from pytest_innovatorbench.researchgym.computers.placement import check
from pytest_innovatorbench.runs.attempt import run_attempt
from pytest_innovatorbench.runs.board import Board
from pytest_innovatorbench.runs.plan import plan_attempt, settings_record
from pytest_innovatorbench.runs.records import open_run
from pytest_innovatorbench.runs.stop import Stop

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.runs.model import AttemptResult
    from pytest_innovatorbench.sandbox.model import Bind
    from pytest_innovatorbench.settings import Settings
    from pytest_innovatorbench.tasks.model import Task

    Serve = Callable[[Callable[[dict[str, Any]], Any]], None]

_GRACE = 5.0  # seconds for a client to take the answer to its last call


class _Served:
    """An agent that does what a client asks for."""

    binds: tuple[Bind, ...] = ()

    def __init__(self, serve: Serve) -> None:
        self.has_gone = threading.Event()
        self._serve = serve

    def run(self, gym: ResearchGym) -> None:
        """Serve until the client goes."""
        desk = Desk(gym)
        try:
            self._serve(desk.answer)
        finally:
            self.has_gone.set()


def serve_attempt(task: Task, settings: Settings, serve: Serve) -> AttemptResult:
    """Run an attempt for a client.

    Args:
        task: The task.
        settings: Of the run, with one agent, which is what the client is called, and one seed.
        serve: Serves what it is given to one client, until that goes.

    Returns:
        What it came to.

    Raises:
        UserError: The file of computers is wrong, there are no such computers, or the run cannot be written.
    """
    inventory = read_inventory(settings.computers) if settings.computers else THIS_MACHINE
    check(task.resources.needs, inventory)
    agent = _Served(serve)
    (name,), (seed,) = settings.agents, settings.seeds
    kind = AgentKind(name=name, make=lambda _: agent)
    open_run(settings.run_folder, settings_record(settings))
    spec = plan_attempt(task, name, kind, seed, settings, inventory=inventory)
    result = run_attempt(spec, stop=Stop(), board=Board())
    agent.has_gone.wait(_GRACE)
    return result
