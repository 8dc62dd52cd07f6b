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
    from collections.abc import Sequence

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
        program, self._words = find_program(request.argument, request.hidden)
        self._tools = request.scratch / "tools"
        self._program = f"{_PROGRAM}/{'run' if program.is_dir() else program.name}"
        shown = Bind(source=program, dest=_PROGRAM if program.is_dir() else self._program)
        self.binds = (shown, Bind(source=self._tools, dest=_TOOLS, is_live=True))
        _install_tool(self._tools)

    def run(self, gym: ResearchGym) -> None:
        """Run the program to its end, serving its calls meanwhile."""
        server = ToolServer(self._tools / "socket", gym)
        try:
            server.start()
            run_to_end(gym, shlex.join([gym.computer.inside(self._program), *self._words]))
        finally:
            server.close()


def find_program(argument: str, hidden: Sequence[Path]) -> tuple[Path, list[str]]:
    """Find the program that an argument names.

    Args:
        argument: A path and arguments, as for a shell.
        hidden: Folders that the program must neither lie in nor hold.

    Returns:
        The program, a file or a folder with an executable ``run``, and its arguments.

    Raises:
        SettingsError: It cannot be used.
    """
    try:
        words = shlex.split(argument)
    except ValueError as error:
        raise SettingsError(f"agent command:{argument}: {error}", remedy="close the quote") from None
    if not words:
        raise SettingsError("agent 'command' needs a program", remedy="write command:./my_agent.sh")
    program = Path(words[0]).expanduser().resolve()
    for folder in hidden:
        _keep_apart(program, folder.resolve())
    _check_runs(program)
    return program, words[1:]


def _keep_apart(program: Path, hidden: Path) -> None:
    what = "evaluators" if hidden.name == "evaluations" else "records of runs"
    if program.is_relative_to(hidden):
        raise SettingsError(
            f"{program} is hidden from agents", remedy=f"keep the agent outside {hidden.name}/"
        )
    if program.is_dir() and hidden.is_relative_to(program):
        raise SettingsError(f"{program} holds the {what}", remedy="keep the agent in a folder of its own")


def _check_runs(program: Path) -> None:
    if program.is_dir():
        if not os.access(program / "run", os.X_OK):
            raise SettingsError(f"{program} holds no executable 'run'", remedy="add one, or name a file")
    elif not program.is_file():
        raise SettingsError(f"there is no program {program}", remedy="give a path: command:./my_agent.sh")
    elif not os.access(program, os.X_OK):
        raise SettingsError(f"{program} is not executable", remedy=f"chmod +x {shlex.quote(str(program))}")


def _install_tool(folder: Path) -> None:
    tool = folder / "bin" / "ibench-tool"
    tool.parent.mkdir(parents=True)
    source = files("pytest_innovatorbench.agents").joinpath("ibench_tool.py").read_text("utf-8")
    tool.write_text("#!/usr/bin/env python3\n" + source)
    tool.chmod(0o755)
