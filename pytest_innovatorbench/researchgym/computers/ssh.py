"""Reaching machines by SSH, with paramiko; hosts have to be known, and nothing waits for ever."""

from __future__ import annotations

import getpass
import logging
import re
import shlex
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.computers.ssh_hosts import (
    USUAL_PORT,
    UnknownHostError,
    host_problem,
    load_known,
)
from pytest_innovatorbench.researchgym.computers.transport import (
    Finished,
    UnreachableError,
    UnusableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.researchgym.computers.inventory import SshAccess
    from pytest_innovatorbench.researchgym.computers.transport import Stream

_PACKET = 32_000
_PART = 1 << 18
_REUSE_SECONDS = 10.0
_LOST = -1
"""What paramiko gives as exit status of a program whose end it did not see."""
_HOP = re.compile(r"(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:@]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A host on the way, or at its end.

    Attributes:
        host: Its name or address.
        port: Where its server listens.
        user: Who logs in.
    """

    host: str
    port: int
    user: str

    def __str__(self) -> str:
        return self.host if self.port == USUAL_PORT else f"{self.host}:{self.port}"


def hops(access: SshAccess) -> tuple[Hop, ...]:
    """Return the hosts to log in at one after the other, the machine itself last.

    Raises:
        UnusableError: The hosts to go through are not spelt as ``[user@]host[:port]``.
    """
    user = access.user or _own_name()
    found = []
    for spelt in filter(None, access.jump.split(",")):
        match = _HOP.fullmatch(spelt.strip())
        if match is None:
            raise UnusableError(f"jump {spelt!r} is not spelt as [user@]host[:port]")
        port = int(match["port"] or USUAL_PORT)
        found.append(Hop(host=match["host"].strip("[]"), port=port, user=match["user"] or user))
    return (*found, Hop(host=access.host, port=access.port, user=user))


class SshTransport:
    """The way to one machine by SSH; see `Transport`.

    Args:
        access: How it is reached.
        seconds: Until each step of connecting has to be done.
        keepalive: Seconds between signs of life that keep firewalls from forgetting the connection.
    """

    def __init__(self, access: SshAccess, *, seconds: float = 15.0, keepalive: int = 15) -> None:
        self.place = str(hops(access)[-1])
        self._access = access
        self._seconds = seconds
        self._keepalive = keepalive
        self._connecting = threading.Lock()
        self._clients: tuple[Any, ...] = ()
        self._closings = 0

    def connect(self, argv: Sequence[str]) -> Stream:
        """Start a program there; see `Transport.connect`."""
        return _ChannelStream(self._start(argv))

    def run(self, argv: Sequence[str], *, timeout: float, data: bytes = b"") -> Finished:
        """Run a short program there; see `Transport.run`."""
        deadline = time.monotonic() + timeout
        channel = self._start(argv)
        with self._deadline(channel, max(0.0, deadline - time.monotonic()), timeout):
            _send(channel, data)
            channel.shutdown_write()
            output = b"".join(iter(lambda: channel.recv(_PART), b""))
            error = b"".join(iter(lambda: channel.recv_stderr(_PART), b""))
            status = channel.recv_exit_status()
            channel.close()
            if status == _LOST:
                raise OSError("the connection was lost")
        return Finished(argv=tuple(argv), status=status, output=output, error=error.decode(errors="replace"))

    def close(self) -> None:
        """Let go of the machine; streams end."""
        self._closings += 1
        self._drop(self._clients)

    def _start(self, argv: Sequence[str]) -> Any:  # noqa: ANN401 - paramiko has no types
        clients = self._connected()
        try:
            channel = clients[-1].get_transport().open_session(timeout=min(self._seconds, _REUSE_SECONDS))
        except Exception as problem:
            self._drop(clients)  # it is of no use, so the next try makes a new one
            raise UnreachableError(f"{self.place} was lost: {_said(problem)}") from problem
        with self._deadline(channel, self._seconds, self._seconds):
            channel.exec_command(shlex.join(argv))
        return channel

    @contextmanager
    def _deadline(self, channel: Any, seconds: float, stated: float) -> Iterator[None]:  # noqa: ANN401
        """Close a channel that takes too long, which wakes who waits for it."""
        from paramiko import SSHException  # noqa: PLC0415 - there by now

        late = threading.Event()

        def end() -> None:
            late.set()
            channel.close()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, SSHException, EOFError) as problem:
            channel.close()
            if late.is_set():
                raise UnreachableError(f"{self.place} did not answer within {stated:g} s") from problem
            raise UnreachableError(f"{self.place} was lost: {_said(problem)}") from problem
        finally:
            timer.cancel()

    def _connected(self) -> tuple[Any, ...]:
        with self._connecting:
            if self._clients and all(_is_up(client) for client in self._clients):
                return self._clients
            self._drop(self._clients)
            closings = self._closings
            self._clients = self._log_in_at_all()
            if closings != self._closings:
                self._drop(self._clients)
                raise UnreachableError(f"{self.place} was let go")
            return self._clients

    def _drop(self, clients: tuple[Any, ...]) -> None:
        if self._clients is clients:
            self._clients = ()
        for client in reversed(clients):
            client.close()

    def _log_in_at_all(self) -> tuple[Any, ...]:
        clients: list[Any] = []
        try:
            for hop in hops(self._access):
                clients.append(self._log_in(hop, self._dial(hop, clients)))
        except BaseException:
            for client in reversed(clients):
                client.close()
            raise
        return tuple(clients)

    def _dial(self, hop: Hop, clients: Sequence[Any]) -> Any:  # noqa: ANN401 - paramiko has no types
        """Connect to a host, through the one before it if there is one."""
        if not clients:
            try:
                connection = socket.create_connection((hop.host, hop.port), self._seconds)
            except OSError as problem:
                raise UnreachableError(f"{hop} cannot be reached: {_said(problem)}") from problem
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        try:
            target, source = (hop.host, hop.port), ("127.0.0.1", 0)
            way = clients[-1].get_transport()
            return way.open_channel("direct-tcpip", target, source, timeout=self._seconds)
        except Exception as problem:
            before = hops(self._access)[len(clients) - 1]
            raise UnreachableError(f"{hop} cannot be reached from {before}: {_said(problem)}") from problem

    def _log_in(self, hop: Hop, connection: Any) -> Any:  # noqa: ANN401 - paramiko has no types
        import paramiko  # noqa: PLC0415 - 300 ms that only runs on such machines pay

        _quieten()
        client = paramiko.SSHClient()
        known = load_known(client, self._access.known_hosts)
        key = self._access.key
        began = time.monotonic()
        try:
            client.connect(
                hop.host,
                hop.port,
                hop.user,
                key_filename=str(key) if key else None,
                allow_agent=key is None,
                look_for_keys=key is None,
                sock=connection,
                timeout=self._seconds,
                banner_timeout=self._seconds,
                auth_timeout=self._seconds,
                channel_timeout=self._seconds,
                transport_factory=_make_transport,
            )
        except (UnknownHostError, paramiko.BadHostKeyException) as problem:
            message = host_problem(hop.host, hop.port, problem, known)
            self._hang_up(client, connection)
            raise UnusableError(message) from problem
        except (paramiko.PasswordRequiredException, paramiko.AuthenticationException) as problem:
            self._hang_up(client, connection)
            raise UnusableError(_refusal(hop, key, problem)) from problem
        except (OSError, EOFError, paramiko.SSHException, ValueError) as problem:
            self._hang_up(client, connection)
            is_late = time.monotonic() - began >= self._seconds
            raise self._silence(hop, problem, is_late=is_late) from problem
        client.get_transport().set_keepalive(self._keepalive)
        return client

    def _hang_up(self, client: Any, connection: Any) -> None:  # noqa: ANN401 - paramiko has no types
        client.close()
        connection.close()

    def _silence(self, hop: Hop, problem: Exception, *, is_late: bool) -> UnreachableError:
        said = _said(problem)
        if is_late or "banner" in said:
            return UnreachableError(
                f"{hop} accepts connections and does not answer within {self._seconds:g} s"
            )
        return UnreachableError(f"{hop} cannot be logged in at: {said}")


class _ChannelStream:
    """A stream over a channel."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - paramiko has no types
        self._channel = channel
        self.recv = channel.recv

    def sendall(self, data: bytes, /) -> None:
        with _losses():
            _send(self._channel, data)

    def end(self) -> None:
        with _losses():
            self._channel.shutdown_write()

    def close(self) -> None:
        self._channel.close()


@contextmanager
def _losses() -> Iterator[None]:
    """Say of a lost connection what a socket says; paramiko has words of its own for it."""
    from paramiko import SSHException  # noqa: PLC0415 - there by now

    try:
        yield
    except (EOFError, SSHException) as problem:
        raise OSError("the connection was lost") from problem


def _send(channel: Any, data: bytes) -> None:  # noqa: ANN401 - paramiko has no types
    """Send in pieces of a packet; paramiko's own way copies what is left for each of them."""
    view = memoryview(data)
    while view:
        sent = channel.send(bytes(view[:_PACKET]))
        if not sent:
            raise OSError("the connection was lost")
        view = view[sent:]


def _make_transport(connection: Any, **options: Any) -> Any:  # noqa: ANN401 - paramiko has no types
    """Make a connection that prefers the ciphers that processors have instructions for."""
    import paramiko  # noqa: PLC0415 - there by now

    transport = paramiko.Transport(connection, **options)
    security = transport.get_security_options()
    security.ciphers = sorted(security.ciphers, key=lambda name: "gcm" not in name)
    return transport


def _is_up(client: Any) -> bool:  # noqa: ANN401 - paramiko has no types
    transport = client.get_transport()
    return transport is not None and transport.is_active()


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UnusableError("this user has no name: say by user: who logs in") from None


def _refusal(hop: Hop, key: Path | None, problem: Exception) -> str:
    import paramiko  # noqa: PLC0415 - there by now

    if isinstance(problem, paramiko.PasswordRequiredException):
        return f"the key {key} has a passphrase: ssh-add it, and leave key: out of the inventory"
    what = f"the key {key}" if key else "every key of the agent and of ~/.ssh"
    return (
        f"{hop} refuses {hop.user} with {what}: "
        "add its public half to authorized_keys there, or name another by key: PATH"
    )


def _said(problem: Exception) -> str:
    strerror = problem.strerror if isinstance(problem, OSError) else None
    return " ".join((strerror or str(problem) or type(problem).__name__).split())[:200]


def _quieten() -> None:
    """Keep what is reported by errors from being printed as well."""
    logger = logging.getLogger("paramiko")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
