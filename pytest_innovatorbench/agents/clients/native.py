"""A vendor's program at work in the sandbox of its attempt, with its own tools."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import sys
import threading
from contextlib import ExitStack, suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.clients.gate import Desk, Gate, bind_at
from pytest_innovatorbench.agents.clients.gateway import Gateway, make_word
from pytest_innovatorbench.agents.clients.hearing import listen
from pytest_innovatorbench.agents.clients.program import install_relay, relay_command
from pytest_innovatorbench.agents.clients.upstream import Upstream
from pytest_innovatorbench.agents.react.rendering import offered
from pytest_innovatorbench.agents.scripted import run_to_end
from pytest_innovatorbench.sandbox.model import Bind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.agents.clients.installation import Installation
    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.researchgym.gym import ResearchGym

ACTIONS = ("eval", "view_hint", "finish", "sleep", "web_search", "web_browse")
"""What is done for it outside of its sandbox, as far as the task allows it."""
ENDPOINT = "{endpoint}"
"""Stands for the model's address in the sandbox."""
_TOOLS = "/ibench"


class NativeProgram:
    """What lies in the sandbox for such a program, and what answers it.

    Args:
        request: What its agent is made for.
        installation: The program.

    Attributes:
        binds: What its computer shows read-only.
        word: What it shows to its model in place of a key; of no use anywhere else.
    """

    def __init__(self, request: AgentRequest, installation: Installation) -> None:
        self.word = make_word()
        self._folder = request.scratch / "tools"
        self._folder.mkdir(mode=0o700)
        self._argv = installation.argv
        self.binds = (*installation.binds, Bind(source=self._folder, dest=_TOOLS))
        install_relay(self._folder)
        source = files(__package__).joinpath("native_launcher.py")
        shutil.copyfile(str(source), self._folder / "native_launcher.py")

    def server(self, gym: ResearchGym) -> dict[str, Any]:
        """Return how the program starts the server of our actions: ``command`` and ``args``."""
        return relay_command(gym.computer.inside(_TOOLS))

    def plan(
        self, words: Sequence[str], environment: Mapping[str, str], contents: Mapping[str, str], prompt: str
    ) -> None:
        """Settle what is started.

        Args:
            words: The command line, without the program.
            environment: Variables beside those of the sandbox; `ENDPOINT` is filled in, also in files.
            contents: Texts by their place in its home.
            prompt: What it reads.
        """
        plan = {
            "argv": [*self._argv, *words],
            "environment": dict(environment),
            "files": dict(contents),
            "prompt": prompt,
        }
        (self._folder / "plan.json").write_text(json.dumps(plan), "utf-8")

    def run(self, gym: ResearchGym, upstream: Upstream, prices: Mapping[str, Price]) -> None:
        """Run what was planned to its end.

        Raises:
            AgentFailedError: It ended badly.
            MachineFaultError: The computer failed, or its model never answered.
        """
        desk = Desk(gym, _allowed(gym))
        gateway = Gateway(self._folder / "model", upstream, gym, prices, self.word)
        with ExitStack() as open_things:
            for server in (
                Gate(self._folder / "gate", desk),
                gateway,
                _Ear(self._folder / "said", gym),
            ):
                server.open()
                open_things.callback(server.close)
            launcher = gym.computer.inside(f"{_TOOLS}/native_launcher.py")
            try:
                run_to_end(gym, shlex.join([os.path.realpath(sys.executable), "-I", "-S", launcher]))
            except AgentFailedError:
                gateway.check()
                raise
        if desk.fault is not None:
            raise desk.fault


def _allowed(gym: ResearchGym) -> tuple[str, ...]:
    sensible = {tool.name for tool in offered(gym.task, (), hints=gym.hints_allowed, actions=gym.actions)}
    return tuple(name for name in ACTIONS if name in sensible)


class _Ear:
    """Takes what one program prints, over a socket; only the first caller is heard."""

    def __init__(self, path: Path, gym: ResearchGym) -> None:
        self._gym = gym
        self._listener = socket.socket(socket.AF_UNIX)
        self._caller: socket.socket | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True, name="ibench-ear")
        bind_at(self._listener, path)

    def open(self) -> None:
        """Listen in a thread of its own."""
        self._listener.listen(1)
        self._thread.start()

    def close(self) -> None:
        """Take what was said until now, and stop listening."""
        if self._caller is not None:
            self._thread.join(1)
            with suppress(OSError):
                self._caller.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(1)
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            self._caller, _ = self._listener.accept()
            with self._caller, self._caller.makefile("rb") as lines:
                listen(lines, self._gym, lambda event: self._gym.note("client", event=event))
