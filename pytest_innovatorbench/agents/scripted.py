"""Agents that need no model: oracle, baseline and nop."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentFailedError, AgentRequest
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.researchgym.model import Action
from pytest_innovatorbench.sandbox.model import Bind

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.tasks.model import Task

_TAIL = 300


class ScriptAgent:
    """Runs one command line in the sandbox.

    Args:
        command: The command line, with ``{}`` for the path of what is shown.
        shown: What its computer shows read-only.
        path: A path in it, for the command line.
    """

    def __init__(self, command: str, shown: Bind, path: str) -> None:
        self.binds = (shown,)
        self._command = command
        self._path = path

    def run(self, gym: ResearchGym) -> None:
        """Run the command to its end."""
        run_to_end(gym, self._command.format(shlex.quote(gym.computer.inside(self._path))))


class Nop:
    """Does nothing, so that what the workspace holds at the start is scored."""

    binds: tuple[Bind, ...] = ()

    def run(self, gym: ResearchGym) -> None:
        """Do nothing."""


def run_to_end(gym: ResearchGym, command: str) -> None:
    """Run a command line in the attempt's computer until it ends.

    Raises:
        AgentFailedError: It ended with another status than 0.
    """
    seen = gym.act(Action(name="run_command", arguments={"command": command, "wait_for_completion": True}))
    status = seen.data.get("exit_status")
    if not seen.done and status != 0:
        tail = " ".join(seen.message[-_TAIL:].split())
        said = f": {tail}" if tail else ""
        raise AgentFailedError(f"the agent's program ended with status {status}{said}")


def make_oracle(request: AgentRequest) -> ScriptAgent:
    """Make the agent that runs the task's hidden solution, or submits its ready outputs.

    Raises:
        UserError: The task has neither.
    """
    task = request.task
    if has_program(task):
        shown = Bind(source=task.solution, dest="/solution")
        return ScriptAgent("bash {}", shown, "/solution/run.sh")
    if _has_files(task.expected_outputs):
        return _submit(task.expected_outputs)
    raise UserError(
        f"the oracle has nothing to run for task {task.id!r}",
        remedy=f"write evaluations/{task.id}/solution/run.sh or ship evaluations/{task.id}/data/outputs",
    )


def has_program(task: Task) -> bool:
    """Tell whether a task's solution is a program, rather than ready outputs."""
    return (task.solution / "run.sh").is_file()


def make_baseline(request: AgentRequest) -> ScriptAgent:
    """Make the agent that submits the task's baseline.

    Raises:
        UserError: The task ships none.
    """
    task = request.task
    if _has_files(task.baselines):
        return _submit(task.baselines)
    raise UserError(
        f"task {task.id!r} has no baseline submission",
        remedy=f"put one into evaluations/{task.id}/data/baselines",
    )


def _submit(outputs: Path) -> ScriptAgent:
    command = "mkdir -p data/outputs && cp -R {}/. data/outputs/"
    return ScriptAgent(command, Bind(source=outputs, dest="/submission"), "/submission")


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
