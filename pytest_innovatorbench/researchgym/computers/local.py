"""A computer that is a sandbox on this machine."""

from __future__ import annotations

import os
import py_compile
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.base import (
    ComputerClosedError,
    ComputerLostError,
    DiskQuotaError,
)
from pytest_innovatorbench.researchgym.computers.quota import Watch, start_watch, stop_watch
from pytest_innovatorbench.researchgym.computers.session_client import ConnectionLostError, SessionClient
from pytest_innovatorbench.researchgym.computers.session_computer import GRACE, Answer, SessionComputer
from pytest_innovatorbench.researchgym.computers.workspace import WORKSPACE, Workspace
from pytest_innovatorbench.sandbox.model import Bind, Jail, Limits, Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_innovatorbench.researchgym.computers.session_client import Message
    from pytest_innovatorbench.sandbox.model import Child, Sandbox
    from pytest_innovatorbench.sandbox.trees import Entry

_HOME = "/tmp/home"  # noqa: S108 - in the sandbox
_PROGRAMS = "/run/ibench/programs"
_SERVER = f"{_PROGRAMS}/session_server.pyc"
_SESSIONS = "/run/ibench/sessions"
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "USER": "agent",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
}


class LocalComputer(SessionComputer):
    """A sandbox with a workspace and a session server, started when it is first needed.

    Args:
        sandbox: How it is confined.
        workspace_lower: What the workspace starts from; never changed.
        folder: Existing private folder for what is written. A computer made over the folder of an
            earlier one goes on with its workspace.
        binds: What else is visible inside.
        hidden: Folders of this machine that are never visible inside.
        environment: Variables in addition to, or instead of, the usual ones.
        places: Variables whose values are paths inside, or several with colons between.
        limits: Caps on everything that runs.
        network: Whether the host's network is shared.
        disk_quota: Bytes that may be written in all; everything is stopped beyond.
        devices: Device files of this machine that it has.
        workspace: A workspace that it has in common with others, in place of one of its own.

    Attributes:
        stopped: Why the computer stopped itself, if it did.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        workspace_lower: Path,
        folder: Path,
        binds: Sequence[Bind] = (),
        hidden: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        places: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        network: bool = False,
        disk_quota: int | None = None,
        devices: Sequence[Path] = (),
        workspace: Workspace | None = None,
    ) -> None:
        super().__init__()
        self.stopped: str | None = None
        self._sandbox = sandbox
        self._workspace = workspace or Workspace(workspace_lower, folder)
        self._devices = tuple(devices)
        self._folder = folder
        self._binds = tuple(binds)
        self._hidden = tuple(hidden)
        self._environment = dict(environment or {})
        self._places = {"HOME": _HOME, "TMPDIR": "/tmp", **(places or {})}  # noqa: S108 - inside
        self._limits = limits or Limits()
        self._network = network
        self._disk_quota = disk_quota
        self._watch: Watch | None = None
        self._starting = threading.Lock()
        self._running: _Running | None = None
        self._layout: Jail | None = None
        self._is_closed = False

    @property
    def workspace_note(self) -> str | None:
        """Why the workspace is a copy rather than a layer, if it is one."""
        return self._workspace.note

    def inside(self, path: str) -> str:
        """Return how a path of the computer is spelt by what runs on it."""
        with self._starting:
            return self._sandbox.inside(self._jail(), path)

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of the workspace; also when the computer is stopped or lost."""
        return self._workspace.entries(below)

    def close(self) -> None:
        """Kill everything that runs and wake who waits; safe to call twice. Files stay."""
        self._is_closed = True
        running, self._running = self._running, None
        if running is not None:
            running.end()
            self._forget_watch()
            self._workspace.tidy()

    def _ask(self, request: Message, timeout: float | None, read: Callable[[Message], Answer]) -> Answer:
        return self._ask_of(self._start(), request, timeout, read)

    def _ask_if_started(self, request: Message, read: Callable[[Message], Answer]) -> Answer:
        """Ask what needs no answer of a computer that has done nothing yet."""
        running = self._running
        return read({}) if running is None else self._ask_of(running, request, GRACE, read)

    def _ask_of(
        self, running: _Running, request: Message, timeout: float | None, read: Callable[[Message], Answer]
    ) -> Answer:
        try:
            return read(running.client.ask(request, timeout))
        except ConnectionLostError as problem:
            self._refuse_if_over()
            raise self._lose(running, problem) from None

    def _refuse_if_over(self) -> None:
        if self._is_closed:
            raise ComputerClosedError("the computer was closed")
        if self.stopped is not None:
            raise DiskQuotaError(self.stopped)

    def _lose(self, running: _Running, problem: ConnectionLostError) -> MachineFaultError:
        """Clear up after a loss, so that the next command finds a new sandbox."""
        said = running.end()
        with self._starting:
            if self._running is running:
                self._running = None
        kind = ComputerLostError if running.client.was_heard else MachineFaultError
        if running.child.out_of_memory():
            return kind("the sandbox ran out of memory", detail=said)
        return kind("the sandbox was lost", detail=said or str(problem))

    def _start(self) -> _Running:
        """Return what runs, starting it at the first need."""
        running = self._running
        if running is not None:
            return running
        with self._starting:
            self._refuse_if_over()
            running = self._running
            if running is None:
                running = self._running = self._launch()
            if self._is_closed or self.stopped is not None:
                running.end()  # whoever said so may have looked before it ran
            self._refuse_if_over()
            return running

    def _launch(self) -> _Running:
        jail = self._jail()
        shutil.rmtree(self._folder / "sessions", ignore_errors=True)
        (self._folder / "sessions").mkdir()
        self._begin_watch()
        ours, theirs = socket.socketpair()
        server, sessions = (self._sandbox.inside(jail, path) for path in (_SERVER, _SESSIONS))
        argv = [_python(), "-I", "-S", server, sessions, str(theirs.fileno())]
        try:
            # A socket, because unlike a pipe nobody inside can open it through /proc. Not as standard
            # input or output: those the sandbox's init process has too, which tenants can rob.
            child = self._sandbox.spawn(jail, argv, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return _Running(child, SessionClient(ours, self._hear))

    def _jail(self) -> Jail:
        if self._layout is None:
            self._layout = self._make_jail()
        return self._layout

    def _make_jail(self) -> Jail:
        sessions, programs = self._folder / "sessions", self._folder / "programs"
        for folder in (sessions, programs):
            folder.mkdir(exist_ok=True)
        for name, bytecode in _compiled_programs().items():
            (programs / name).write_bytes(bytecode)
        mount = self._workspace.mount(self._sandbox)
        own = (
            Bind(source=programs, dest=_PROGRAMS),
            Bind(source=sessions, dest=_SESSIONS, writable=True),
        )
        overlay, copied = (mount, ()) if isinstance(mount, Overlay) else (None, (mount,))
        jail = Jail(
            terminals=True,
            devices=self._devices,
            overlay=overlay,
            binds=(*copied, *self._binds, *own),
            folders=(_HOME,),
            hidden=self._hidden,
            cwd=WORKSPACE,
            network=self._network,
            limits=replace(self._limits, file_size=self._file_size()),
        )
        places = {
            name: ":".join(self._sandbox.inside(jail, path) for path in paths.split(":"))
            for name, paths in self._places.items()
        }
        return replace(jail, environment={**_ENVIRONMENT, **places, **self._environment})

    def _file_size(self) -> int | None:
        caps = [cap for cap in (self._limits.file_size, self._disk_quota) if cap is not None]
        return min(caps, default=None)

    def _begin_watch(self) -> None:
        if self._disk_quota is not None and self._watch is None:
            folders = (self._workspace.writable, self._folder / "sessions")
            quota = self._disk_quota + self._workspace.copied_bytes()
            self._watch = Watch(folders=folders, quota=quota, exceeded=self._stop, init=self._init)
            start_watch(self._watch)

    def _forget_watch(self) -> None:
        if self._watch is not None:
            stop_watch(self._watch)

    def _init(self) -> int | None:
        running = self._running
        return None if running is None else running.child.root

    def _stop(self) -> None:
        self.stopped = f"disk quota of {(self._disk_quota or 0) / 1e9:g} GB exceeded"
        running = self._running
        if running is not None:
            running.end()


class _Running:
    """A sandbox with a session server in it, and the connection to that."""

    def __init__(self, child: Child, client: SessionClient) -> None:
        self.child = child
        self.client = client
        self._ending = threading.Lock()
        self._said = ""

    def end(self) -> str:
        """Kill all of it and return what the server complained of."""
        self.child.kill()
        with self._ending:
            stderr = self.child.stderr
            if stderr is not None and not stderr.closed:
                with stderr:
                    self._said = (stderr.read(4096) or b"").decode(errors="replace").strip()
            return self._said


def _python() -> str:
    """The real interpreter, where the sandbox shows it, rather than a virtual environment's link."""
    return os.path.realpath(sys.executable)


@cache
def _compiled_programs() -> Mapping[str, bytes]:
    """Compile what runs on computers once, rather than at the start of every computer."""
    return {f"{name}.pyc": _compile(name) for name in ("session_server", "file_program")}


def _compile(name: str) -> bytes:
    source = Path(__file__).parents[1] / f"{name}.py"
    with tempfile.TemporaryDirectory() as folder:
        compiled = py_compile.compile(str(source), cfile=str(Path(folder, "program.pyc")), doraise=True)
        return Path(str(compiled)).read_bytes()
