"""How programs on another machine are reached: the one thing in which ways to computers differ."""

from __future__ import annotations

import shlex
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_innovatorbench.errors import MachineFaultError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 300


class UnreachableError(MachineFaultError):
    """The machine cannot be reached now, or was lost; it may come back."""


class UnusableError(MachineFaultError):
    """The machine cannot be used until somebody mends what the message says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A program that ended.

    Attributes:
        argv: What was run.
        status: Its exit status.
        output: What it printed.
        error: What it complained of.
    """

    argv: tuple[str, ...]
    status: int
    output: bytes = b""
    error: str = ""

    def complaint(self) -> str:
        """Return why it failed, in one line."""
        said = " ".join(self.error.split())[:_SHOWN]
        return said or f"{shlex.join(self.argv)[:_SHOWN]} ended with status {self.status}"


class Stream(Protocol):
    """The input and output of a program that runs on the machine.

    Any method may raise ``OSError``; one that waits does so when `close` is called meanwhile, or returns.
    """

    def recv(self, size: int, /) -> bytes:
        """Return what it printed, ``size`` bytes at most, once there is something; at its end nothing."""

    def sendall(self, data: bytes, /) -> None:
        """Give it input."""

    def end(self) -> None:
        """Say that there is no more input."""

    def close(self) -> None:
        """Let go of it; safe to call twice."""


class Transport(Protocol):
    """A way to one machine. Threads may use it at the same time.

    It connects at the first need, and anew after it was lost or closed.

    Attributes:
        place: What messages call the machine.
    """

    place: str

    def connect(self, argv: Sequence[str]) -> Stream:
        """Start a program there and return its input and output.

        Raises:
            UnreachableError: The machine cannot be reached now.
            UnusableError: It cannot be used until somebody mends something.
        """

    def run(self, argv: Sequence[str], *, timeout: float, data: bytes = b"") -> Finished:
        """Run a short program there.

        Args:
            argv: Program and arguments.
            timeout: Seconds until it has to have ended.
            data: Its input.

        Raises:
            UnreachableError: The machine cannot be reached now, or the time was over.
            UnusableError: It cannot be used until somebody mends something.
        """

    def close(self) -> None:
        """Let go of the machine; streams end."""


class SocketStream:
    """A stream over a socket.

    Args:
        connection: The socket; the stream closes it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.recv = connection.recv
        self.sendall = connection.sendall

    def end(self) -> None:
        """Say that there is no more input."""
        self._connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of it, and wake who waits."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class _ChildStream(SocketStream):
    """A stream to a local program, which ends with it, also where its transport was closed meanwhile."""

    def __init__(self, connection: socket.socket, child: subprocess.Popen[bytes]) -> None:
        super().__init__(connection)
        self._child = child

    def close(self) -> None:
        """Let go of it, wake who waits, and end the program."""
        super().close()
        self._child.kill()
        self._child.wait()


class ProcessTransport:
    """Reaches a machine by starting a local program in front of every command, such as ``docker exec -i ID``.

    Args:
        place: What messages call the machine.
        prefix: Words before each command; without any, commands run on this machine.
    """

    def __init__(self, place: str, prefix: Sequence[str] = ()) -> None:
        self.place = place
        self._prefix = tuple(prefix)
        self._children: list[subprocess.Popen[bytes]] = []
        self._books = threading.Lock()

    def connect(self, argv: Sequence[str]) -> Stream:
        """Start a program there; see `Transport.connect`."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                child = subprocess.Popen(
                    [*self._prefix, *argv],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the harness, which ends it in order
                )
        except OSError as problem:
            ours.close()
            raise self._unusable(problem) from problem
        with self._books:
            self._children = [old for old in self._children if old.poll() is None]
            self._children.append(child)
        return _ChildStream(ours, child)

    def run(self, argv: Sequence[str], *, timeout: float, data: bytes = b"") -> Finished:
        """Run a short program there; see `Transport.run`."""
        try:
            done = subprocess.run(
                [*self._prefix, *argv], input=data, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise UnreachableError(f"{self.place} did not answer within {timeout:g} s") from None
        except OSError as problem:
            raise self._unusable(problem) from problem
        error = done.stderr.decode(errors="replace")
        return Finished(argv=tuple(argv), status=done.returncode, output=done.stdout, error=error)

    def close(self) -> None:
        """End the local programs."""
        with self._books:
            children, self._children = self._children, []
        for child in children:
            child.kill()
            child.wait()

    def _unusable(self, problem: OSError) -> UnusableError:
        program = (*self._prefix, "program")[0]
        return UnusableError(f"{self.place}: {program} cannot be started: {problem.strerror}")
