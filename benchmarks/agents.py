"""Agents that give measurements something to do; copied as ``conftest.py`` into trial benchmarks."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import Agent, AgentKind, AgentRequest
from pytest_innovatorbench.researchgym.model import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind


@dataclass(frozen=True, slots=True)
class _Trial:
    request: AgentRequest

    @property
    def binds(self) -> tuple[Bind, ...]:
        return ()


class Sleeper(_Trial):
    """Sleeps in the harness for as many seconds as its argument says."""

    def run(self, gym: ResearchGym) -> None:  # noqa: ARG002 - the protocol's
        """Sleep."""
        time.sleep(float(self.request.argument))


class Shell(_Trial):
    """Runs its argument in the sandbox, once."""

    def run(self, gym: ResearchGym) -> None:
        """Run it."""
        _run_command(gym, self.request.argument)


class Stepper(_Trial):
    """Runs ``true`` as often as its argument says and writes the seconds of each step to a file."""

    def run(self, gym: ResearchGym) -> None:
        """Take the steps."""
        seconds = []
        for _ in range(int(self.request.argument)):
            started = time.perf_counter()
            _run_command(gym, "true")
            seconds.append(time.perf_counter() - started)
        Path(os.environ["IBENCH_STEP_TIMES"]).write_text(json.dumps(seconds))


_MAKERS: Mapping[str, Callable[[AgentRequest], Agent]] = {
    "sleeper": Sleeper,
    "shell": Shell,
    "stepper": Stepper,
}


def _run_command(gym: ResearchGym, command: str) -> None:
    seen = gym.act(Action(name="run_command", arguments={"command": command, "wait_for_completion": True}))
    if seen.data.get("exit_status") != 0:
        raise RuntimeError(f"{command} failed: {seen.message}")


def pytest_ibench_agents() -> Sequence[AgentKind]:
    """Offer the agents."""
    return [AgentKind(name=name, make=make, argument="VALUE") for name, make in _MAKERS.items()]
