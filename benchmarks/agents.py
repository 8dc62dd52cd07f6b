"""Agents that give measurements something to do; copied as ``conftest.py`` into trial benchmarks."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import Agent, AgentKind, AgentRequest
from pytest_innovatorbench.agents.models.patience import Patience
from pytest_innovatorbench.agents.models.profile import Profile
from pytest_innovatorbench.agents.models.values import Message, Prompt, Reply, ToolCall, Usage
from pytest_innovatorbench.agents.react.agent import ReactAgent
from pytest_innovatorbench.agents.react.conversation import estimate
from pytest_innovatorbench.agents.react.habits import Habits
from pytest_innovatorbench.agents.react.summary import PARTS
from pytest_innovatorbench.researchgym.model import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind

_SNAPSHOT = "<state_snapshot>" + "".join(f"<{part}>x</{part}>" for part in PARTS) + "</state_snapshot>"
_HABITS = Habits(patience=Patience(seconds=0))  # whoever asks a real model by mistake fails at once


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


class _Chatterbox:
    """A model that answers at once, and notes how long its agent took between its answers."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._answered: float | None = None

    def ask(self, prompt: Prompt) -> Reply:
        """Think aloud, or summarise where that is asked for."""
        if self._answered is not None:
            self.seconds.append(time.perf_counter() - self._answered)
        read = sum(map(estimate, prompt.messages))
        step = len(self.seconds)
        if "<state_snapshot>" in prompt.messages[-1].text:
            message = Message(role="assistant", text=_SNAPSHOT)
        else:
            call = ToolCall(id=f"c{step}", name="think", arguments={"thought": f"step {step} " + "x" * 400})
            message = Message(role="assistant", text="y" * 400, calls=(call,))
        self._answered = time.perf_counter()
        return Reply(message=message, stop="calls", usage=Usage(input=read, output=200))


class Looper(ReactAgent):
    """Our own loop with a model that takes no time, for as many steps as its argument says."""

    def __init__(self, request: AgentRequest) -> None:
        os.environ.setdefault("OPENAI_API_KEY", "none")
        super().__init__(request, Profile(provider="openai", model="none"), _HABITS, {})
        self._steps = int(request.argument)
        self._asker.model = self._chatterbox = _Chatterbox()

    def run(self, gym: ResearchGym) -> None:
        """Work until the steps are taken, and write down how long each took."""
        gym.allowance = replace(gym.allowance, steps=self._steps)
        try:
            super().run(gym)
        finally:
            Path(os.environ["IBENCH_STEP_TIMES"]).write_text(json.dumps(self._chatterbox.seconds))


_MAKERS: Mapping[str, Callable[[AgentRequest], Agent]] = {
    "sleeper": Sleeper,
    "shell": Shell,
    "stepper": Stepper,
    "looper": Looper,
}


def _run_command(gym: ResearchGym, command: str) -> None:
    seen = gym.act(Action(name="run_command", arguments={"command": command, "wait_for_completion": True}))
    if seen.data.get("exit_status") != 0:
        raise RuntimeError(f"{command} failed: {seen.message}")


def pytest_ibench_agents() -> Sequence[AgentKind]:
    """Offer the agents."""
    return [AgentKind(name=name, make=make, argument="VALUE") for name, make in _MAKERS.items()]
