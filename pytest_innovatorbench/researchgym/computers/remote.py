"""A computer that is another machine, reached over any transport; its sessions outlive the connection."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.answers import read_states
from pytest_innovatorbench.researchgym.computers.base import (
    ComputerAwayError,
    ComputerClosedError,
    ComputerLostError,
)
from pytest_innovatorbench.researchgym.computers.belongings import BROUGHT, Belongings
from pytest_innovatorbench.researchgym.computers.exchange import Station
from pytest_innovatorbench.researchgym.computers.installing import ISOLATED, SECONDS, install, run_there
from pytest_innovatorbench.researchgym.computers.remote_workspace import AS_THEY_WERE
from pytest_innovatorbench.researchgym.computers.session_client import ConnectionLostError
from pytest_innovatorbench.researchgym.computers.session_computer import GRACE, Answer, SessionComputer
from pytest_innovatorbench.researchgym.computers.steady_client import (
    Pace,
    RestartedError,
    SteadyClient,
    TakenOverError,
)
from pytest_innovatorbench.researchgym.computers.transport import UnreachableError, UnusableError
from pytest_innovatorbench.researchgym.computers.workspace import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.researchgym.computers.remote_workspace import RemoteWorkspace
    from pytest_innovatorbench.researchgym.computers.session_client import Message
    from pytest_innovatorbench.researchgym.computers.transport import Finished, Stream, Transport
    from pytest_innovatorbench.sandbox.trees import Entry

LEASE = 6 * 3600
"""Seconds after which a session server ends that no harness has claimed."""
_END_SECONDS = 10.0
_REMOVE = 'chmod -R u+rwx -- "$1"; rm -rf -- "$1"'  # folders may have been closed
_IN_FOLDER = 'cd -- "$1" && shift && exec "$@"'


class RemoteComputer(SessionComputer):
    """A machine with a workspace and a session server, started when it is first needed.

    Args:
        transport: The way to the machine.
        workspace: Where the workspace lies.
        name: Of the attempt, unique on the machine. A computer made with the name of an earlier one goes
            on with its workspace and, where they still run, with its sessions.
        root: Folder on the machine for what is written there.
        python: Interpreter on the machine, 3.8 or later.
        environment: Variables for the sessions, in addition to those of a login.
        belongings: What its agent brings along. It is removed when the computer is closed.
        confines_files: Whether actions on files stay in the workspace and in what its agent brings. Commands
            do not: they have the rights of whoever logged in.
        is_alone: Whether no other attempt is at work there, so that what others brought was left behind.
        lease: Seconds after which everything there ends if no harness has claimed it.
        pace: How the connection is looked after.
    """

    def __init__(
        self,
        transport: Transport,
        workspace: RemoteWorkspace,
        *,
        name: str,
        root: str = "~/.ibench",
        python: str = "python3",
        environment: Mapping[str, str] | None = None,
        belongings: Belongings | None = None,
        confines_files: bool = True,
        is_alone: bool = False,
        lease: int = LEASE,
        pace: Pace | None = None,
    ) -> None:
        super().__init__()
        self._transport = transport
        self._workspace = workspace
        self._name = name
        self._root = root
        self._python = python
        self._environment = dict(environment or {})
        self._belongings = belongings or Belongings()
        self._confines_files = confines_files
        self._is_alone = is_alone
        self._lease = lease
        self._pace = pace or Pace()
        self._starting = threading.Lock()
        self._taking_back = threading.Lock()
        self._closed = threading.Event()
        self._station: Station | None = None
        self._client: SteadyClient | None = None
        self._is_known = False
        self._files_are = AS_THEY_WERE

    @property
    def workspace_note(self) -> str | None:
        """What is to be known of the workspace, such as that it could not be read lately."""
        return self._workspace.note

    def claim(self) -> bool:
        """Take over what an earlier harness left; return whether its sessions were still there.

        Raises:
            ComputerAwayError: The computer does not answer now.
            MachineFaultError: It could not be started.
        """
        self._is_known = True
        self._ask({"do": "list"}, GRACE, read_states)
        client = self._client
        return client is not None and client.found_sessions

    def take_up(self) -> str | None:
        """Claim the computer; return what is not as an earlier harness left it, in words.

        Raises:
            ComputerAwayError: The computer does not answer now.
            MachineFaultError: It could not be started.
        """
        if self.claim():
            return None
        return f"all that ran on it has ended; its files are {self._files_are}"

    def inside(self, path: str) -> str:
        """Return how a path of the computer is spelt by what runs on it."""
        with self._starting:
            station = self._settle()
        brought = self._belongings.inside(path, station.folder)
        if brought is not None:
            return brought
        workspace = self._workspace.path(station.folder)
        if path == WORKSPACE or path.startswith(f"{WORKSPACE}/"):
            return f"{workspace}{path.removeprefix(WORKSPACE)}"
        return path

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of the workspace; where the computer is away, as it was read last."""
        station = self._station
        if station is not None:
            try:
                self._workspace.fetch(station, below)
            except MachineFaultError as problem:
                self._workspace.note = f"files as they were read last: {problem.message}"
            if self._closed.is_set():
                self._transport.close()
        return self._workspace.entries(below)

    def tree(self) -> Path:
        """Return the folder of this machine that holds the workspace, as it is now.

        Raises:
            ComputerClosedError: The computer was closed.
            MachineFaultError: It cannot be had.
        """
        with self._starting:
            station = self._settle()
        if self._closed.is_set():
            raise ComputerClosedError("the computer was closed")
        tree = self._workspace.tree(station)
        if self._closed.is_set():
            self._transport.close()
        return tree

    def close(self) -> None:
        """Kill everything that runs and wake who waits; safe to call twice. Files stay."""
        self._closed.set()
        client, self._client = self._client, None
        if client is not None:
            client.end_server(_END_SECONDS)
            client.close()
        self._take_back()
        self._transport.close()

    def detach(self) -> None:
        """Let go of the computer and leave everything on it as it is; another harness may claim it."""
        self._closed.set()
        client, self._client = self._client, None
        if client is not None:
            client.close()
        self._transport.close()

    def _take_back(self) -> None:
        """Remove what the agent brought; a computer that is away keeps it until an attempt has it alone."""
        station = self._station
        with self._taking_back, suppress(MachineFaultError):  # one thread, while others wait to hang up
            if self._belongings and station is not None:
                place = str(station.folder / BROUGHT)
                self._run(["sh", "-c", _REMOVE, "sh", place], timeout=_END_SECONDS)
                self._belongings = Belongings()

    def discard(self) -> None:
        """Remove what the attempt left on the computer, once it is closed."""
        if self._station is not None:
            self._run(["sh", "-c", _REMOVE, "sh", str(self._station.folder)], timeout=SECONDS * 10)
            self._transport.close()

    def _roots(self) -> Sequence[str]:
        """Return the folders out of which no action on files may lead."""
        if not self._confines_files:
            return ()
        with self._starting:
            folder = self._settle().folder
        brought = [str(folder / BROUGHT)] if self._belongings else []
        return [str(self._workspace.path(folder)), *brought]

    def _ask(self, request: Message, timeout: float | None, read: Callable[[Message], Answer]) -> Answer:
        try:
            client = self._start()
        except UnreachableError as problem:
            if not self._is_known:
                raise
            raise self._away(problem) from problem
        return self._ask_of(client, request, timeout, read)

    def _ask_if_started(self, request: Message, read: Callable[[Message], Answer]) -> Answer:
        client = self._client
        return read({}) if client is None else self._ask_of(client, request, GRACE, read)

    def _ask_of(
        self, client: SteadyClient, request: Message, timeout: float | None, read: Callable[[Message], Answer]
    ) -> Answer:
        try:
            return read(client.ask(request, timeout))
        except (ConnectionLostError, RestartedError, TakenOverError, MachineFaultError) as problem:
            if self._closed.is_set():
                raise ComputerClosedError("the computer was closed") from None
            raise self._explain(client, problem) from problem

    def _explain(self, client: SteadyClient, problem: Exception) -> MachineFaultError:
        place = self._transport.place
        if isinstance(problem, UnusableError) and not client.was_heard:
            return problem
        if isinstance(problem, UnreachableError) and (client.was_heard or self._is_known):
            return self._away(problem)
        if isinstance(problem, UnreachableError):
            return problem
        if isinstance(problem, RestartedError):
            return ComputerLostError(f"{place} was started again")
        # What an agent can bring about by itself is its own loss, not the machine's fault.
        return ComputerLostError(f"{place} was lost: {problem}")

    def _away(self, problem: UnreachableError) -> ComputerAwayError:
        return ComputerAwayError(f"{self._transport.place} does not answer ({problem.message})")

    def _start(self) -> SteadyClient:
        client = self._client
        if client is not None:
            return client
        with self._starting:
            station = self._settle()
            if self._client is None:
                argv = self._attach_argv(station)
                self._client = SteadyClient(lambda: self._connect(argv), self._hear, self._pace)
            client = self._client
        if self._closed.is_set():
            self.detach()  # whoever closed it may have looked before there was something
        return client

    def _connect(self, argv: Sequence[str]) -> Stream:
        if self._closed.is_set():
            raise UnreachableError("the computer was closed")
        return self._transport.connect(argv)

    def _settle(self) -> Station:
        """Have everything in place, trying for a while."""
        deadline, pause = time.monotonic() + self._pace.patience, self._pace.first_pause
        while self._station is None:
            if self._closed.is_set():
                raise ComputerClosedError("the computer was closed")
            try:
                self._station = self._prepare()
            except UnreachableError:
                if time.monotonic() + pause > deadline and not self._closed.is_set():
                    raise
                self._closed.wait(pause)
                pause = min(2 * pause, self._pace.longest_pause)
            if self._closed.is_set():
                self._take_back()  # whoever closed it may have looked before there was something
        return self._station

    def _prepare(self) -> Station:
        station, has_workspace = install(
            self._transport, root=self._root, python=self._python, name=self._name, is_alone=self._is_alone
        )
        if not has_workspace:
            self._files_are = self._workspace.send(station)
            self._run(["touch", "--", str(station.folder / "prepared")])
        self._belongings.send(station)
        return station

    def _attach_argv(self, station: Station) -> list[str]:
        server = PurePosixPath(station.program[-1]).with_name("standing_server.py")
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        workspace = self._workspace.path(station.folder)
        attach = [self._python, *ISOLATED, str(server), str(station.folder / "server"), str(self._lease)]
        return ["env", *variables, "sh", "-c", _IN_FOLDER, "sh", str(workspace), *attach]

    def _run(self, argv: Sequence[str], timeout: float = SECONDS) -> Finished:
        return run_there(self._transport, argv, timeout=timeout)
