"""The command agent: any program, run in the sandbox, that evaluates through ``ibench-tool``."""

from __future__ import annotations

import os
import shlex
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentRequest
from pytest_innovatorbench.agents.scripted import run_to_end
from pytest_innovatorbench.agents.tool_server import ToolServer
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.sandbox.model import Bind

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.gym import ResearchGym

_PROGRAM = "/agent"
_TOOLS = "/ibench"


class CommandAgent:
    """Runs a user's program in the sandbox.

    A file is shown to the sandbox alone, without the folder it lies in, since that folder may hold
    the evaluators; a folder is shown whole and must hold an executable file ``run``.

    Args:
        request: What it is made for; the argument is the program and its arguments.

    Raises:
        SettingsError: There is no such program.
    """

    def __init__(self, request: AgentRequest) -> None:
        words = _words(request.argument)
        program = Path(words[0]).expanduser().resolve()
        inside = _inside(program, request.task.evaluations.parent)
        self._tools = request.scratch / "tools"
        self._program = inside
        self._words = words[1:]
        shared = (Bind(source=program, dest=_PROGRAM if program.is_dir() else inside),)
        self.binds = (*shared, Bind(source=self._tools, dest=_TOOLS))
        _install_tool(self._tools)

    def run(self, gym: ResearchGym) -> None:
        """Run the program to its end, serving its calls meanwhile."""
        server = ToolServer(self._tools / "socket", gym)
        try:
            server.start()
            run_to_end(gym, shlex.join([gym.computer.inside(self._program), *self._words]))
        finally:
            server.close()


def _words(argument: str) -> list[str]:
    try:
        words = shlex.split(argument)
    except ValueError as error:
        raise SettingsError(f"agent command:{argument}: {error}", remedy="close the quote") from None
    if not words:
        raise SettingsError("agent 'command' needs a program", remedy="write command:./my_agent.sh")
    return words


def _inside(program: Path, hidden: Path) -> str:
    """Return the program's path in the sandbox."""
    if program.is_dir():
        if not os.access(program / "run", os.X_OK):
            raise SettingsError(f"{program} holds no executable 'run'", remedy="add one, or name a file")
        if hidden.resolve().is_relative_to(program):
            raise SettingsError(
                f"{program} holds the evaluators", remedy="keep the agent in a folder of its own"
            )
        return f"{_PROGRAM}/run"
    if not program.is_file():
        raise SettingsError(f"there is no program {program}", remedy="give a path: command:./my_agent.sh")
    if program.is_relative_to(hidden.resolve()):
        raise SettingsError(f"{program} is hidden from agents", remedy="keep the agent outside evaluations/")
    if not os.access(program, os.X_OK):
        raise SettingsError(f"{program} is not executable", remedy=f"chmod +x {shlex.quote(str(program))}")
    return f"{_PROGRAM}/{program.name}"


def _install_tool(folder: Path) -> None:
    tool = folder / "bin" / "ibench-tool"
    tool.parent.mkdir(parents=True)
    source = files("pytest_innovatorbench.agents").joinpath("ibench_tool.py").read_text("utf-8")
    tool.write_text("#!/usr/bin/env python3\n" + source)
    tool.chmod(0o755)
