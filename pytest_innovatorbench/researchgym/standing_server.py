"""Keeps a session server that outlives whoever talks to it; runs on a remote computer, Python 3.8 or later.

    python -I -S standing_server.py FOLDER LEASE

Connects standard input and output with the server of ``FOLDER``, which is started where none runs, with
the working folder and the environment of this process. The server is a process of its own without a
terminal, reached over a socket in the folder that only its user can open. It goes on when its client
goes. When no client has said anything for ``LEASE`` seconds, it ends with all that runs in it.

`session_server`, beside this file, says what can be asked. In addition:

    {"do": "hello", "client": name, "given_up": [tokens]}    first on every connection
    {"do": "ping"}    says nothing, but renews the lease

A client that says hello takes over from the one before, which is told ``{"event": "taken"}``. The answer
has the ``life`` of the server: sessions of another one have ended; and whether it is the ``first`` client
of that. Requests carry a ``token``; one that
comes again from the same client is not carried out again, but has the answer of the first. ``oldest`` is
the first token that the client still wants the answer of. Events have numbers, and are told again on the
next connection until a request says by ``heard`` that they arrived.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # isolated interpreters leave it out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from pytest_innovatorbench.researchgym import session_server

    Message = Dict[str, Any]
else:
    import session_server

PR_SET_CHILD_SUBREAPER = 36
SOCKET, LOG, LOCK = "socket", "log", "lock"
MARK = "IBENCH_SESSION_SERVER"
PART = 1 << 18
LONGEST = 64 << 20
MOST_NEWS = 1_000


class StandingServer(session_server.Server):
    """A session server that what it starts cannot leave: orphans become its children."""

    def reap(self) -> None:
        """Notice shells that ended, and orphans."""
        super().reap()
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            if any(session.pid == ended.si_pid for session in self._sessions.values()):
                super().reap()
            elif ended.si_pid in self.errands:
                return  # whoever waits for its result takes note
            else:
                os.waitpid(ended.si_pid, 0)

    def end_all(self) -> None:
        """Kill everything that was started here."""
        for session in self._sessions.values():
            session_server.kill_tree(session.pid)
        for _ in range(100):
            doomed = session_server.descendants(os.getpid())
            if not doomed:
                return
            for pid in doomed:
                with session_server.Ignored():
                    os.kill(pid, signal.SIGKILL)
            with session_server.Ignored():
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


class Task:
    """A request that is being carried out, or has been.

    Args:
        request: The request.
        desk: Sends what comes of it.
    """

    def __init__(self, request: Message, desk: Desk) -> None:
        self.asked: object = request.get("id")
        self._session = request.get("session") if request.get("do") == "run" else None
        self._desk = desk
        self._answer: Message | None = None
        self._is_wanted = True

    def take(self, message: Message) -> None:
        """Take what the session server says of it."""
        if "event" in message:
            self._desk.announce(message)
            return
        self._answer = message
        self._tell()

    def ask_again(self, request: Message) -> None:
        """Answer the same request of a later connection, as soon as there is an answer."""
        self.asked = request.get("id")
        self._is_wanted = True
        self._tell()

    def give_up(self) -> None:
        """Nobody waits for the answer any more; the end of a command is news then."""
        self._is_wanted = False
        self._tell()

    def _tell(self) -> None:
        answer = self._answer
        if answer is None:
            return
        if self._is_wanted:
            self._desk.say(dict(answer, id=self.asked))
        elif self._session is not None and answer.get("exit_status") is not None:
            self._desk.announce(dict(answer, event="finished", session=self._session))


class Desk:
    """Where the client of the day is served.

    Args:
        server: Carries out what is asked.
        lease: Seconds for which it goes on without a word from a client.
    """

    def __init__(self, server: StandingServer, lease: int) -> None:
        self._server = server
        self._lease = lease
        self._life = os.urandom(8).hex()
        self._client: object = None
        self._link: Link | None = None
        self._tasks: dict[int, Task] = {}
        self._news: dict[int, Message] = {}
        self._told = 0

    def hear(self, link: Link, request: Message) -> None:
        """Deal with a request."""
        signal.alarm(self._lease)
        if request.get("do") == "hello":
            self._greet(link, request)
        elif link is not self._link:
            link.send({"id": request.get("id"), "error": "say hello first"})
        else:
            self._forget(request)
            if request.get("do") == "ping":
                self.say({"id": request.get("id")})
            else:
                self._take(request)

    def say(self, message: Message) -> None:
        """Say something to the client, if there is one."""
        if self._link is not None:
            self._link.send(message)

    def announce(self, event: Message) -> None:
        """Tell news, and keep them until they were heard."""
        self._told += 1
        news = self._news[self._told] = dict(event, number=self._told)
        if len(self._news) > MOST_NEWS:
            del self._news[min(self._news)]
        self.say(news)

    def leave(self, link: Link) -> None:
        """Take note that a connection has ended."""
        if link is self._link:
            self._link = None

    def _greet(self, link: Link, request: Message) -> None:
        """Take on a client, in the place of the one there was."""
        is_known = request["client"] == self._client
        former, self._link = self._link, None
        if former is not None and former is not link:
            former.send({"event": "taken"})
            former.close()
        for token in list(self._tasks) if not is_known else request.get("given_up", ()):
            task = self._tasks.pop(token, None)
            if task is not None:
                task.give_up()
        is_first = self._client is None
        self._client, self._link = request["client"], link
        self._forget(request)
        link.send({"id": request.get("id"), "life": self._life, "first": is_first})
        for news in list(self._news.values()):
            link.send(news)

    def _take(self, request: Message) -> None:
        token = request.get("token")
        if not isinstance(token, int):
            self._server.handle(request, self.say)
            return
        task = self._tasks.get(token)
        if task is None:
            task = self._tasks[token] = Task(request, self)
            self._server.handle(request, task.take)
        else:
            task.ask_again(request)

    def _forget(self, request: Message) -> None:
        """Forget answers and news that have arrived."""
        oldest, heard = request.get("oldest", 0), request.get("heard", 0)
        while self._tasks and min(self._tasks) < oldest:
            del self._tasks[min(self._tasks)]
        while self._news and min(self._news) <= heard:
            del self._news[min(self._news)]


class Link:
    """A connection, in JSON lines; one that does not take what it is sent holds up nothing.

    Args:
        server: Watches it.
        desk: Deals with requests.
        connection: The socket.
    """

    def __init__(self, server: StandingServer, desk: Desk, connection: socket.socket) -> None:
        connection.settimeout(0)
        self._server = server
        self._desk = desk
        self._connection = connection
        self._fd = connection.fileno()
        self._rest = b""
        self._unsent = bytearray()
        server.watch(self._fd, self._ready)

    def send(self, message: Message) -> None:
        """Send a message, or as much of it as the other end takes now."""
        was_free = not self._unsent
        self._unsent += json.dumps(message).encode() + b"\n"
        if was_free:
            self._write()

    def close(self) -> None:
        """Let go of it."""
        if self._fd >= 0:
            self._server.unwatch(self._fd)
            self._fd = -1
            self._connection.close()
            self._desk.leave(self)

    def _ready(self) -> None:
        if self._unsent:
            self._write()
        if self._fd >= 0:
            self._read()

    def _write(self) -> None:
        try:
            del self._unsent[: self._connection.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if len(self._unsent) > LONGEST:
            self.close()
            return
        self._server.unwatch(self._fd)
        self._server.watch(self._fd, self._ready, select.POLLIN | (select.POLLOUT if self._unsent else 0))

    def _read(self) -> None:
        try:
            part = self._connection.recv(PART)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            try:
                self._desk.hear(self, json.loads(line))
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
                part = b""  # whoever talks nonsense is no client
        if not part or len(self._rest) > LONGEST:
            self.close()


def attach(folder: str, lease: str) -> None:
    """Connect standard input and output with the server of a folder."""
    os.makedirs(folder, 0o700, exist_ok=True)
    status = os.stat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise OSError(f"{folder} is not private: chmod 700 it, or choose another root")
    place = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.chdir(folder)  # the path of a socket may have 107 bytes at most
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = find()
        if connection is None:
            start(folder, place, int(lease), lock.fileno())
            connection = find()
    if connection is None:
        raise OSError(f"the session server did not start; see {folder}/{LOG}")
    relay(connection)


def find() -> socket.socket | None:
    """Connect to the server that runs, if one does."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(SOCKET)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def relay(connection: socket.socket) -> None:
    """Pass everything on, until one side ends."""
    ends = {0: connection.fileno(), connection.fileno(): 1}
    poll = select.poll()
    for source in ends:
        poll.register(source, select.POLLIN)
    while True:
        for source, _ in poll.poll():
            data = os.read(source, PART)
            if not data:
                return
            while data:
                data = data[os.write(ends[source], data) :]


def start(folder: str, place: int, lease: int, lock: int) -> None:
    """Start a server that listens already when this returns."""
    with session_server.Ignored():
        os.unlink(SOCKET)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    listening.bind(SOCKET)
    os.umask(before)
    listening.listen(8)
    middle = os.fork()
    if middle == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                os.close(lock)
                become_server(listening, folder, place, lease)
        finally:
            os._exit(0)
    listening.close()
    os.waitpid(middle, 0)


def become_server(listening: socket.socket, folder: str, place: int, lease: int) -> None:
    """Turn this forked process into a server that has nothing of whoever started it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    for fd, target in ((nothing, 0), (nothing, 1), (log, 2)):
        os.dup2(fd, target)
    os.fchdir(place)
    os.close(place)
    os.environ[MARK] = folder
    try:
        serve(listening, folder, lease)
    except BaseException:
        import traceback  # noqa: PLC0415 - seldom

        traceback.print_exc()
        raise


def serve(listening: socket.socket, folder: str, lease: int) -> None:
    """Serve one client after another until told to end, or forgotten."""
    kill_remains(folder)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    outputs = os.path.join(folder, "sessions")
    empty(outputs)
    woken = session_server.listen_for_ends()
    server = StandingServer(outputs, session_server.FIRST)
    session_server.attend(server, woken)
    desk = Desk(server, lease)

    def end(*_: object) -> None:
        server.is_over = True

    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, end)
    signal.alarm(lease)
    server.watch(listening.fileno(), lambda: greet(server, desk, listening))
    server.serve()
    server.end_all()
    with session_server.Ignored():
        os.unlink(os.path.join(folder, SOCKET))


def greet(server: StandingServer, desk: Desk, listening: socket.socket) -> None:
    """Take a connection."""
    with session_server.Ignored():
        connection, _ = listening.accept()
        Link(server, desk, connection)


def empty(folder: str) -> None:
    """Make a folder without files: numbers begin anew with the sessions."""
    os.makedirs(folder, 0o700, exist_ok=True)
    for name in os.listdir(folder):
        with session_server.Ignored():
            os.unlink(os.path.join(folder, name))


def kill_remains(folder: str) -> None:
    """Kill what an earlier server of a folder left behind when it was killed itself."""
    mark = f"{MARK}={folder}".encode("utf-8", "surrogateescape")
    for name in os.listdir("/proc"):
        if name.isdigit():
            with session_server.Ignored(), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    os.kill(int(name), signal.SIGKILL)


if __name__ == "__main__":
    try:
        attach(*sys.argv[1:])
    except BrokenPipeError:
        pass  # whoever asked is gone
    except OSError as problem:
        os.write(1, json.dumps({"event": "failed", "error": str(problem)}).encode() + b"\n")
