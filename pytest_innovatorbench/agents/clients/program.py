"""A program of an agent's vendor, whose actions come back as calls of tools."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.clients.gate import Desk, Gate
from pytest_innovatorbench.agents.clients.hearing import listen
from pytest_innovatorbench.agents.models.secrets import redact
from pytest_innovatorbench.agents.react.briefing import system_prompt, task_prompt
from pytest_innovatorbench.agents.react.prompting import Prompts
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.sandbox.model import Bind, Jail, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.agents.clients.gateway import Gateway
    from pytest_innovatorbench.agents.clients.hearing import Heard
    from pytest_innovatorbench.agents.clients.installation import Installation
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Child, Sandbox

_HOME = "/run/home"
_OWN = "/run/ibench"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
# Variables that name a file: certificates, and what a program identifies itself with.
_NAMING = (
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
)
_PROCESSES = 4096
_GRACE = 10.0  # seconds for a program to end by itself, once its attempt is over
_TAIL = 500


class ClientProgram:
    """A vendor's program at work on one attempt, in a jail of its own that shows nothing of the harness.

    Args:
        gym: The environment.
        request: What its agent is made for.
        installation: The program.
        sandbox: What confines it.

    Attributes:
        home: The private folder that is its home, on the harness's side.
    """

    def __init__(
        self, gym: ResearchGym, request: AgentRequest, installation: Installation, sandbox: Sandbox
    ) -> None:
        self.home = request.scratch / "home"
        self._shown = request.scratch / "shown"
        self._gym = gym
        self._desk = Desk(gym)
        self._sandbox = sandbox
        self._installation = installation
        for folder in (self.home, self._shown):
            folder.mkdir(mode=0o700, exist_ok=True)
        install_relay(self._shown)

    def inside(self, name: str) -> str:
        """Return how the program spells the path of a file in its home."""
        return self._sandbox.inside(self._jail({}), f"{_HOME}/{name}")

    def server(self) -> dict[str, Any]:
        """Return how the program starts the server of our actions: ``command`` and ``args``."""
        jail = self._jail({})
        return relay_command(self._sandbox.inside(jail, _OWN))

    def run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        heard: Heard,
        *,
        prompt: str,
        gateway: Gateway | None = None,
    ) -> None:
        """Run it until it ends, or the attempt does.

        Args:
            words: Its command line, without the program.
            environment: Variables beside the few that every program gets.
            heard: Takes each line of JSON that it prints.
            prompt: What it reads.
            gateway: Leads to its model, if it is asked there.

        Raises:
            AgentFailedError: It ended badly before the attempt was over.
            MachineFaultError: The computer failed, the jail could not be set up, or its model never answered.
        """
        with ExitStack() as open_things:
            servers: list[Gate | Gateway] = [Gate(self._shown / "gate", self._desk)]
            servers += [gateway] if gateway is not None else []
            for server in servers:
                server.open()
                open_things.callback(server.close)
            status, said = self._run(words, environment, heard, prompt)
        if self._desk.fault is not None:
            raise self._desk.fault
        if status and not self._gym.ending:
            if gateway is not None:
                gateway.check()
            tail = one_line(redact(said[-_TAIL:]))
            raise AgentFailedError(f"{self._installation.name} ended with status {status}: {tail}")

    def _run(
        self, words: Sequence[str], environment: Mapping[str, str], heard: Heard, prompt: str
    ) -> tuple[int, str]:
        pipe = subprocess.PIPE
        argv = [*self._installation.argv, *words]
        child = self._sandbox.spawn(
            self._jail(environment), argv, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._end_with_attempt, args=(child,), daemon=True).start()
        try:
            assert child.stdin is not None  # noqa: S101 - it is a pipe
            assert child.stdout is not None  # noqa: S101 - it is a pipe
            with suppress(BrokenPipeError), child.stdin as stream:
                stream.write(prompt.encode())
            # The pipe has no buffer, without which lines are read byte by byte.
            with io.BufferedReader(child.stdout) as lines:  # type: ignore[type-var] # it is raw
                last = listen(lines, self._gym, heard)
            return child.wait(), last
        finally:
            child.kill()

    def _jail(self, environment: Mapping[str, str]) -> Jail:
        own = (
            Bind(source=self.home, dest=_HOME, writable=True),
            Bind(source=self._shown, dest=_OWN),
        )
        jail = Jail(
            binds=(*_named_files(), *self._installation.binds, *own),
            cwd=_HOME,
            network=True,
            limits=Limits(processes=_PROCESSES),
        )
        home = self._sandbox.inside(jail, _HOME)
        return replace(jail, environment={**_basics(), "HOME": home, **environment})

    def _end_with_attempt(self, child: Child) -> None:
        """End the program when no action is taken any more."""
        while child.poll() is None:
            if self._desk.is_over.wait(0.2) or self._gym.ending:
                with suppress(TimeoutError):
                    child.wait(_GRACE)
                child.kill()
                return


def install_relay(folder: Path) -> None:
    """Put the program that reaches our actions where a client can see it."""
    shutil.copyfile(str(files(__package__).joinpath("relay.py")), folder / "relay.py")


def relay_command(folder: str) -> dict[str, Any]:
    """Return how a client starts it: ``command`` and ``args``.

    Args:
        folder: Where the client finds it, with the gate's socket beside it.
    """
    python = os.path.realpath(sys.executable)  # where every jail shows it
    return {"command": python, "args": ["-I", "-S", f"{folder}/relay.py", f"{folder}/gate"]}


def beside_proxies() -> dict[str, str]:
    """Return variables by which a program reaches loopback itself, whatever proxies there are."""
    others = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(filter(None, ("127.0.0.1", others))))


def briefing(gym: ResearchGym, *, native: bool = False) -> str:
    """Return what such a program is told: how to work here, and what to do.

    Args:
        gym: The environment.
        native: Whether it works with its own tools.
    """
    prompts = Prompts(None)
    return f"{system_prompt(prompts, gym, native=native)}\n\n{task_prompt(prompts, gym)}"


def _basics() -> dict[str, str]:
    names = (*_PASSED_ON, *_CERTIFICATES, *_PROXIES, *(name.lower() for name in _PROXIES))
    return {name: os.environ[name] for name in names if name in os.environ}


def _named_files() -> Iterator[Bind]:
    """Show what the variables name that are passed on, and nothing beside it."""
    folder = os.environ.get("SSL_CERT_DIR", "")
    shown = [Path(folder).absolute()] if folder and Path(folder).is_dir() else []
    for name in _NAMING:
        path = Path(os.environ.get(name, "")).absolute()
        if path.is_file() and not any(path.is_relative_to(other) for other in shown):
            shown.append(path)
    for path in shown:
        yield Bind(source=path.resolve(), dest=str(path))
