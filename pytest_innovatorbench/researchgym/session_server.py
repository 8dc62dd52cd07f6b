"""Keeps the shell sessions of one computer; runs there, alone, under any Python from 3.8.

    python -I -S session_server.py FOLDER [CONNECTION]

``FOLDER`` is private to it and holds what commands print. Requests come in as JSON lines and replies
and events go out as such, on the descriptor ``CONNECTION`` or, without one, on standard input and
output. The end of the input is the end of all. A sandbox's init process, which a hostile command can
rob, has the standard input and output too, but no other descriptor.

Every session is an interactive bash on a terminal of its own. A command is written to a file that the
shell sources, with the output in another file, so that nothing a command prints, leaves open or
forgets to close can be taken for something else. The shell tells the exit status by a pipe that the
command does not have. It is information for the agent: a hostile command could forge it.

Requests, each with an ``id`` that the reply carries:

    {"do": "open", "session": ...}         {"do": "list"}
    {"do": "run", "session": ..., "command": ..., "wait": seconds or null, "limit": bytes}
        with "input": true the command can be typed to, otherwise it has no input
    {"do": "type", "session": ..., "text": ...}
    {"do": "read", "session": ..., "limit": bytes} with "lines" and "skip" (counted from the end) or with
        "since" (seconds since the epoch)
    {"do": "clear", "session": ...}        forget what was printed; on the disk it stays
    {"do": "status", "session": ...}       the processes of a session
    {"do": "interrupt", "session": ...}    {"do": "terminate", "session": ...}
    {"do": "kill", "session": ...}         {"do": "shutdown"}
    {"do": "file", "call": {...}}          what file_program beside this file is to do

The server says {"event": "ready"} when it can be asked. A command that outlives its wait is reported by
an event when it ends: {"event": "finished", ...}.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys
import termios
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any, Dict

    Message = Dict[str, Any]  # what came out of JSON, or will go into it
    Send = Callable[[Message], None]
else:
    import _signal as signal  # the public module builds enums, which costs more than all of the rest

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
STATUS_FD = 251
ERRAND_SECONDS = 60
TERM_SECONDS = 2.0
NOTE_SECONDS = 0.5
MOST_TIMES = 10_000
MOST_SESSIONS = 128  # each has up to five descriptors, of which the server may have 1,024 or more
MOST_ENDED = 64
LONGEST_NAME = 200
LONGEST_RESULT = 8 << 20
FIRST_BLOCK = 32 << 10  # bytes, of those that are looked at for the ends of lines
LARGEST_BLOCK = 1 << 20
FIRST = "main"
RC = f"""
unset HISTFILE MAILCHECK
set +o history
PS0= PS1= PS2=
PROMPT_COMMAND='builtin printf "%s\\n" "$?" >&{STATUS_FD}'
readonly PROMPT_COMMAND
{{ builtin echo 500 >/proc/$$/oom_score_adj; }} 2>/dev/null
"""  # want of memory should end a command, not the server


class Refused(Exception):  # noqa: N818 - not an error of the server
    """A request that cannot be carried out."""


class Run:
    """A command that was given to a session.

    Args:
        request: The request for it.
        reply: Answers the request.
        event: Reports the end of a command whose request has been answered already.
    """

    def __init__(self, request: Message, reply: Send, event: Send) -> None:
        self.command: str = request["command"]
        self.limit: int = request["limit"]
        self.takes_input: bool = bool(request.get("input"))
        self.started = time.monotonic()
        wait = request["wait"]
        self.deadline: float | None = None if wait is None else self.started + wait
        self.is_answered = False
        self._reply = reply
        self._event = event

    def answer(self, message: Message) -> None:
        """Answer, or report where that has been done."""
        send = self._event if self.is_answered else self._reply
        self.is_answered = True
        self.deadline = None
        send(message)


class Transcript:
    """Everything that the commands of a session have printed, whole on the disk, a file for each.

    What an old background job still prints goes to the file of its own command. Positions count bytes
    from the first command on.

    Args:
        stem: Path from which the names of the files are made.
    """

    def __init__(self, stem: str) -> None:
        self.path = ""
        self.cleared = 0
        self._stem = stem
        self._count = 0
        self._fd = -1
        self._base = 0
        self._older: list[tuple[int, int, str]] = []  # position, size, path
        self._times: list[tuple[float, int]] = []

    def begin(self) -> None:
        """Start the file of the next command."""
        self.shut()
        self._count += 1
        self.path = f"{self._stem}.{self._count}.out"
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def shut(self) -> None:
        """Let go of the file of the last command; one without content is not kept."""
        if self._fd < 0:
            return
        size = self.size()
        os.close(self._fd)
        self._fd = -1
        if size:
            self._older.append((self._base, size, self.path))
            self._base += size
        else:
            with Ignored():
                os.unlink(self.path)

    def size(self) -> int:
        """Return how many bytes the last command has printed."""
        return os.fstat(self._fd).st_size if self._fd >= 0 else 0

    def end(self) -> int:
        """Return the position behind everything."""
        return self._base + self.size()

    def last(self, limit: int) -> tuple[str, bool]:
        """Return what the last command printed, and whether the middle was cut out."""
        return window(self._fd, self.size(), limit)

    def read(self, start: int, length: int) -> bytes:
        """Return bytes from a position on."""
        parts = []
        if start < self._base:
            for base, size, path in self._older:
                if base + size > start and base < start + length:
                    with Ignored(), open(path, "rb") as file:
                        file.seek(max(0, start - base))
                        parts.append(file.read(min(size, start + length - base) - max(0, start - base)))
        if self._fd >= 0 and start + length > self._base:
            offset = max(0, start - self._base)
            parts.append(os.pread(self._fd, start + length - self._base - offset, offset))
        return b"".join(parts)

    def line_start(self, end: int, count: int) -> int:
        """Return where the last lines before a position begin; an unfinished one counts.

        It reads backwards, no further than it must, so that the end of much output is found at once.
        """
        if count <= 0 or end <= self.cleared:
            return end
        breaks = count + self.read(end - 1, 1).endswith((b"\n", b"\r"))
        position, length = end, FIRST_BLOCK
        while position > self.cleared:
            start = max(self.cleared, position - length)
            block = self.read(start, position - start)
            if start > self.cleared and block.startswith(b"\n") and self.read(start - 1, 1) == b"\r":
                start, block = start - 1, b"\r" + block  # one break, not two
            found = block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
            if found >= breaks:
                lines = block.splitlines(keepends=True)
                ended = len(lines) if block.endswith((b"\n", b"\r")) else len(lines) - 1
                return start + sum(map(len, lines[: ended - breaks + 1]))
            breaks -= found
            position, length = start, min(2 * length, LARGEST_BLOCK)
        return self.cleared

    def note_time(self) -> None:
        """Remember how far the output has come by now."""
        end = self.end()
        if not self._times or self._times[-1][1] != end:
            self._times.append((time.time(), end))
            if len(self._times) > MOST_TIMES:
                del self._times[: MOST_TIMES // 2 : 2]

    def position_at(self, when: float) -> int:
        """Return how far the output had come at a time, give or take half a second."""
        return max([position for noted, position in self._times if noted < when], default=0)


class Session:
    """One shell on its own terminal.

    Args:
        name: What the client calls it.
        stem: Path from which the names of its files are made.
        rc: Start-up file of the shell.
    """

    def __init__(self, name: str, stem: str, rc: str) -> None:
        self.name = name
        self.run: Run | None = None
        self.exit_status: int | None = None  # of the last command
        self.transcript = Transcript(stem)
        self._stem = stem
        self._is_ready = False
        self._first = "set +m; "  # no remarks about jobs; bash undoes it in a start-up file
        self._keyboard: Keyboard | None = None
        self.pid, self.terminal, self.status = start_shell(rc)

    def give(self, run: Run) -> None:
        """Hand a command to the shell, now or when it is ready for its first."""
        self.transcript.begin()
        if run.takes_input and self._keyboard is None:
            self._keyboard = Keyboard()
        with open(f"{self._stem}.command", "wb") as file:
            file.write(run.command.encode("utf-8", "surrogateescape") + b"\n")
        self.run = run
        if self._is_ready:
            self._type()

    def hear(self) -> int | None:
        """Read what the shell told; return the exit status if a command ended."""
        told = os.read(self.status, 4096).split()
        if not self._is_ready:
            self._is_ready = True
            if self.run is not None:
                self._type()
            return None
        return int(told[-1]) if told and told[-1].isdigit() else None

    def drain(self) -> None:
        """Read what the terminal shows, which nobody wants, so that nothing waits to write to it."""
        os.read(self.terminal, 65536)

    def type_text(self, text: str) -> None:
        """Type to the running command."""
        if self.run is None or self._keyboard is None or not self.run.takes_input:
            raise Refused("nothing here takes input; start the command with wait_for_completion false")
        self._keyboard.type_text(text)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        with Ignored():
            os.write(self.terminal, b"\x03")

    def report(self) -> Message:
        """Describe the running command and what it has printed."""
        run = self.run
        if run is None:
            return {}
        output, is_cut = self.transcript.last(run.limit)
        seconds = time.monotonic() - run.started
        size = self.transcript.size()
        return {"output": output, "output_bytes": size, "truncated": is_cut, "seconds": seconds}

    def rest(self) -> None:
        """Take note that no command runs any more."""
        self.run = None
        self.transcript.note_time()
        if self._keyboard is not None:
            self._keyboard.forget()

    def close(self) -> None:
        """Let go of the terminal; the output stays."""
        os.close(self.terminal)
        os.close(self.status)
        if self._keyboard is not None:
            self._keyboard.close()
            self._keyboard = None
        with Ignored():
            os.unlink(f"{self._stem}.command")

    def _type(self) -> None:
        command, output = quote(f"{self._stem}.command"), quote(self.transcript.path)
        line = f"{self._first}. {command} <{self._input()} >>{output} 2>&1 {STATUS_FD}>&-\n"
        self._first = ""
        os.write(self.terminal, os.fsencode(line))

    def _input(self) -> str:
        takes_input = self.run is not None and self.run.takes_input
        return self._keyboard.path if takes_input and self._keyboard is not None else "/dev/null"


class Keyboard:
    """A terminal that a command reads from. It is not the shell's, which must not get what is left over."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        for fd in (self._master, self._slave):
            os.set_inheritable(fd, False)  # noqa: FBT003 - the standard library's own signature
        make_raw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)

    def type_text(self, text: str) -> None:
        """Type a text, with a line end if it has none."""
        data = text.encode("utf-8", "surrogateescape")
        data += b"" if data.endswith((b"\n", b"\x04", b"\x03")) else b"\n"
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        if written < len(data):
            raise Refused(f"the program took only {written} of {len(data)} bytes; it does not read")

    def forget(self) -> None:
        """Throw away what nobody read."""
        termios.tcflush(self._slave, termios.TCIFLUSH)

    def close(self) -> None:
        """Let go of the terminal."""
        os.close(self._master)
        os.close(self._slave)


class Errand:
    """A file operation in a forked process, so that nothing it meets can hold up the server.

    Args:
        call: What is to be done.
        reply: Answers the request.
    """

    def __init__(self, call: Message, reply: Send) -> None:
        self.result, told = os.pipe()
        self._reply = reply
        self._said = b""
        self.pid = os.fork()
        if self.pid == 0:
            run_errand(call, told)
        os.close(told)

    def hear(self) -> bool:
        """Read what it says; return whether that was all."""
        part = os.read(self.result, 1 << 20)
        self._said += part
        if part and len(self._said) <= LONGEST_RESULT:
            return False
        os.close(self.result)
        with Ignored():
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._reply(self._outcome())
        return True

    def _outcome(self) -> Message:
        import json  # noqa: PLC0415 - there by now

        try:
            return {"result": json.loads(self._said)}
        except ValueError:
            return {"result": {"error": f"it did not end within {ERRAND_SECONDS} s, or was killed"}}


class Server:
    """The sessions, and what is asked of them. It knows nothing of how messages travel.

    Args:
        folder: Private folder for what commands print.
        first: Session that is wanted most likely, started ahead.
    """

    def __init__(self, folder: str, first: str) -> None:
        self.is_over = False
        self.errands: set[int] = set()
        self._folder = folder
        self._rc = os.path.join(folder, "rc")
        with open(self._rc, "w") as file:
            file.write(RC)
        self._count = 0
        self._sessions: dict[str, Session] = {}
        self._ended: dict[str, Session] = {}  # their output can still be read
        self._notes: dict[str, str] = {}
        self._executions: list[tuple[float, dict[int, bytes]]] = []
        self._poll = select.poll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._open(first)

    def watch(self, fd: int, ready: Callable[[], None], events: int = select.POLLIN) -> None:
        """Have ``ready`` called whenever there is something to read, or what else is asked for."""
        self._watched[fd] = ready
        self._poll.register(fd, events)

    def unwatch(self, fd: int) -> None:
        """Stop watching."""
        if self._watched.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def serve(self) -> None:
        """Work until the end."""
        while not self.is_over:
            for fd, _ in self._poll.poll(self._patience()):
                if fd in self._watched:
                    self._watched[fd]()
            self._do_what_is_due()

    def handle(self, request: Message, send: Send) -> None:
        """Carry out a request.

        Args:
            request: The message.
            send: Sends to whoever asked, now or later.
        """

        def reply(message: Message) -> None:
            send(dict(message, id=request.get("id")))

        action = getattr(self, f"do_{request.get('do')}", self._do_unknown)
        try:
            if action == self.do_run:
                answer = self.do_run(request, reply, send)
            elif action == self.do_file:
                answer = None
                self.do_file(request, reply)
            else:
                answer = action(request)
        except Refused as problem:
            answer = {"error": str(problem)}
        except (OSError, LookupError, TypeError, ValueError) as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        if answer is not None:
            reply(answer)

    def do_run(self, request: Message, reply: Send, send: Send) -> Message | None:
        """Run a command; the reply comes when it ends, or the wait does."""
        name = request["session"]
        session = self._sessions.get(name) or self._open(name)
        if session.run is not None:
            return {"busy": session.run.command}
        session.give(Run(request, reply, lambda message: send(dict(message, event="finished", session=name))))
        return None

    def do_file(self, request: Message, reply: Send) -> None:
        """Have a file operation done; the reply comes when it is."""
        errand = Errand(request["call"], reply)
        self.errands.add(errand.pid)

        def hear() -> None:
            if errand.hear():
                self.errands.discard(errand.pid)
                self.unwatch(errand.result)

        self.watch(errand.result, hear)

    def do_open(self, request: Message) -> Message:
        """Open a session; one that is there stays as it is."""
        name = request["session"]
        is_new = name not in self._sessions
        if is_new:
            self._open(name)
        return {"new": is_new}

    def do_type(self, request: Message) -> Message:
        """Type to the command that runs in a session."""
        self._find(request).type_text(request["text"])
        return {}

    def do_read(self, request: Message) -> Message:
        """Read what a session printed: lines counted from its end, or all since a time."""
        transcript, limit = self._find(request, ended=True).transcript, request["limit"]
        end = stop = transcript.end()
        if "recent" in request:
            start = max(transcript.cleared, transcript.position_at(time.time() - request["recent"]))
        elif "since" in request:
            start = max(transcript.cleared, transcript.position_at(request["since"]))
        else:
            skip = request.get("skip", 0)
            stop = transcript.line_start(end, skip)
            start = transcript.line_start(stop, request["lines"] - skip)
        text = transcript.read(max(start, stop - limit), min(limit, stop - start))
        left_out = max(0, stop - start - limit)
        return {"output": decode(text), "output_bytes": end - transcript.cleared, "left_out": left_out}

    def do_clear(self, request: Message) -> Message:
        """Forget what a session printed."""
        transcript = self._find(request, ended=True).transcript
        transcript.cleared = transcript.end()
        return {}

    def do_status(self, request: Message) -> Message:
        """Describe the processes of a session, the shell itself left out."""
        session = self._find(request)
        found = descendants(session.pid)
        return dict(describe(session), processes=[describe_process(pid) for pid in sorted(found)])

    def do_terminate(self, request: Message) -> Message:
        """Ask the processes of a session to end, and kill them if they do not; the shell stays."""
        session = self._find(request)
        doomed = {pid: started(pid) for pid in descendants(session.pid)}
        for pid in doomed:
            with Ignored():
                os.kill(pid, signal.SIGTERM)
        self._executions.append((time.monotonic() + TERM_SECONDS, doomed))
        return {"processes": sorted(doomed)}

    def _find(self, request: Message, *, ended: bool = False) -> Session:
        name = request["session"]
        session = self._sessions.get(name) or (self._ended.get(name) if ended else None)
        if session is None:
            raise Refused(f"there is no session {name!r}")
        return session

    def do_interrupt(self, request: Message) -> Message:
        """Press Ctrl-C in a session."""
        session = self._sessions.get(request["session"])
        if session is not None:
            session.interrupt()
        return {"running": session is not None and session.run is not None}

    def do_kill(self, request: Message) -> Message:
        """Kill the shell of a session and what it started."""
        session = self._sessions.get(request["session"])
        if session is None:
            return {"killed": False}
        kill_tree(session.pid)
        _, status = os.waitpid(session.pid, 0)
        self._bury(session, status)
        return {"killed": True}

    def do_list(self, _: Message) -> Message:
        """List the sessions."""
        return {"sessions": [describe(session) for session in self._sessions.values()]}

    def do_shutdown(self, _: Message) -> Message:
        """End."""
        self.is_over = True
        return {}

    def _do_unknown(self, request: Message) -> Message:
        raise Refused(f"there is no request {request.get('do')!r}")

    def reap(self) -> None:
        """Notice shells that ended."""
        for session in list(self._sessions.values()):
            pid, status = os.waitpid(session.pid, os.WNOHANG)
            if pid:
                self._hear(session)  # its command may have ended before it did
                self._bury(session, status)

    def _open(self, name: str) -> Session:
        if len(name) > LONGEST_NAME:
            raise Refused(f"the name of a session has {LONGEST_NAME} characters at most")
        if len(self._sessions) >= MOST_SESSIONS:
            raise Refused(f"{MOST_SESSIONS} sessions are open, as many as there may be; close one first")
        self._count += 1
        session = Session(name, os.path.join(self._folder, str(self._count)), self._rc)
        self._sessions[name] = session
        self.watch(session.status, lambda: self._hear(session))
        self.watch(session.terminal, lambda: self._drain(session))
        return session

    def _hear(self, session: Session) -> None:
        try:
            status = session.hear()
        except OSError:
            self.unwatch(session.status)
            return
        if status is not None and session.run is not None:
            self._finish(session, status, None)

    def _drain(self, session: Session) -> None:
        try:
            session.drain()
        except OSError:  # no process has the terminal any more
            self.unwatch(session.terminal)

    def _finish(self, session: Session, status: int, note: str | None) -> None:
        notes = [self._notes.pop(session.name, None), note]
        message = dict(session.report(), exit_status=status, timed_out=False)
        message["note"] = "; ".join(filter(None, notes)) or None
        run, session.exit_status = session.run, status
        session.rest()
        if run is not None:
            run.answer(message)

    def _bury(self, session: Session, wait_status: int) -> None:
        """Account for a shell that ended, by itself or by force."""
        status = exit_status(wait_status)
        self.unwatch(session.status)
        self.unwatch(session.terminal)
        session.close()
        del self._sessions[session.name]
        earlier = self._ended.pop(session.name, None)
        self._ended[session.name] = session
        if earlier is None and len(self._ended) > MOST_ENDED:
            forgotten = next(iter(self._ended))
            earlier = self._ended.pop(forgotten)
            self._notes.pop(forgotten, None)
        if earlier is not None:
            earlier.transcript.shut()
        if session.run is not None:
            note = f"the shell ended with status {status}; the next command gets a new one"
            self._finish(session, status, note)
        else:
            self._notes[session.name] = f"the shell had ended with status {status}; this is a new one"

    def _patience(self) -> float | None:
        """Milliseconds until something is due."""
        busy = [session.run for session in self._sessions.values() if session.run]
        due = [run.deadline for run in busy if run.deadline is not None]
        due += [when for when, _ in self._executions]
        if busy:
            due.append(time.monotonic() + NOTE_SECONDS)
        return max(0.0, (min(due) - time.monotonic()) * 1000 + 1) if due else None

    def _do_what_is_due(self) -> None:
        """Answer those who waited long enough, whose commands go on, and see to the rest."""
        now = time.monotonic()
        for session in self._sessions.values():
            run = session.run
            if run:
                session.transcript.note_time()
            if run and run.deadline is not None and run.deadline <= now:
                run.answer(dict(session.report(), exit_status=None, timed_out=True, note=None))
        for when, doomed in list(self._executions):
            if when <= now:
                self._executions.remove((when, doomed))
                kill_those(doomed)


class Connection:
    """JSON lines.

    Args:
        server: Whom the requests are for.
        incoming: Descriptor they come from.
        outgoing: Descriptor that takes what is said to them.
    """

    def __init__(self, server: Server, incoming: int, outgoing: int) -> None:
        import json  # noqa: PLC0415 - while the first shell starts

        self._json = json
        self._server = server
        self._incoming = incoming
        self._outgoing = outgoing
        self._rest = b""
        server.watch(incoming, self._read)

    def send(self, message: Message) -> None:
        """Send one message."""
        line = self._json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(self._outgoing, line) :]

    def _read(self) -> None:
        part = os.read(self._incoming, 1 << 20)
        if not part:
            self._server.is_over = True
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            self._server.handle(self._json.loads(line), self.send)


class Ignored:
    """Lets an ``OSError`` pass; ``contextlib`` would cost more than this whole module."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


def start_shell(rc: str) -> tuple[int, int, int]:
    """Start a shell.

    Args:
        rc: Its start-up file.

    Returns:
        Its process, the controlling side of its terminal, and where it tells exit statuses.
    """
    terminal, theirs = os.openpty()
    status, told = os.pipe()
    make_raw(theirs)
    for fd in (terminal, status):
        os.set_blocking(fd, False)
    try:
        pid = os.fork()
    except OSError:  # there may be no further process
        for fd in (terminal, theirs, status, told):
            os.close(fd)
        raise
    if pid == 0:
        become_shell(theirs, told, rc)
    os.close(theirs)
    os.close(told)
    return pid, terminal, status


def become_shell(terminal: int, told: int, rc: str) -> None:
    """Turn this forked process into a shell that has nothing of the server's."""
    try:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
        os.dup2(told, STATUS_FD)
        # Daemons become children of the shell, so that they are found when the session is to end.
        control_process(PR_SET_CHILD_SUBREAPER, 1)
        shell = ["bash", "--noprofile", "--noediting", "--rcfile", rc, "-i"]
        os.execvp(shell[0], shell)  # noqa: S606 - it is the shell
    finally:
        os._exit(127)


def run_errand(call: Message, told: int) -> None:
    """Do what a call asks for, in this forked process, and end it."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(ERRAND_SECONDS)
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        import json  # noqa: PLC0415 - there by now

        import file_program  # type: ignore[import-not-found]  # noqa: PLC0415 - this process alone needs it

        answer = json.dumps(file_program.perform(call)).encode()
        while answer:
            answer = answer[os.write(told, answer) :]
    finally:
        os._exit(0)


def make_raw(terminal: int) -> None:
    """No echo, and newlines as they are."""
    modes = termios.tcgetattr(terminal)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def kill_tree(shell: int) -> None:
    """Kill the descendants of a shell and the members of its session, then itself."""
    with Ignored():
        os.kill(shell, signal.SIGSTOP)  # it would remark on every death
    for _ in range(100):  # whatever is started meanwhile is found the next time
        doomed = descendants(shell)
        if not doomed:
            break
        for pid in doomed:
            with Ignored():
                os.kill(pid, signal.SIGKILL)
    with Ignored():
        os.kill(shell, signal.SIGKILL)


def descendants(shell: int) -> set[int]:
    """Return what descends from a shell or belongs to its session, itself left out."""
    parents, members = survey(shell)
    return {pid for pid in parents if pid in members or is_below(pid, shell, parents)} - {shell}


def started(pid: int) -> bytes:
    """Return when a process began, by which it is told from a later one of that number."""
    with Ignored(), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[19]
    return b""


def kill_those(doomed: dict[int, bytes]) -> None:
    """Kill processes that are still the same."""
    for pid, began in doomed.items():
        if began and started(pid) == began:
            with Ignored():
                os.kill(pid, signal.SIGKILL)


def describe_process(pid: int) -> Message:
    """Describe a process for a list."""
    command, state = b"", b"?"
    with Ignored(), open(f"/proc/{pid}/stat", "rb") as file:
        state = file.read().rpartition(b")")[2].split()[0]
    with Ignored(), open(f"/proc/{pid}/cmdline", "rb") as file:
        command = file.read(4096).replace(b"\0", b" ").strip()
    return {"pid": pid, "state": decode(state), "command": decode(command)}


def survey(session: int) -> tuple[dict[int, int], set[int]]:
    """Return the parents of all living processes, and which of them belong to a session."""
    parents, members = {}, set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with Ignored(), open(f"/proc/{name}/stat", "rb") as file:
                state, parent, _, owner = file.read().rpartition(b")")[2].split()[:4]
                if state not in b"ZX":
                    parents[int(name)] = int(parent)
                    if int(owner) == session:
                        members.add(int(name))
    return parents, members


def is_below(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    """Tell whether a process descends from another."""
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor


def exit_status(wait_status: int) -> int:
    """Return the exit status as a shell would tell it."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)


def window(fd: int, size: int, limit: int) -> tuple[str, bool]:
    """Return the beginning and the end of a file, and whether the middle was cut out."""
    if fd < 0 or size <= limit:
        return decode(os.pread(fd, size, 0) if fd >= 0 else b""), False
    half = limit // 2
    head, tail = os.pread(fd, half, 0), os.pread(fd, half, size - half)
    return f"{decode(head)}\n[... {size - 2 * half} bytes cut ...]\n{decode(tail)}", True


def decode(text: bytes) -> str:
    """Make something that can be shown of whatever was printed."""
    return text.decode("utf-8", "replace")


def quote(path: str) -> str:
    """Quote a path for the shell."""
    return "'" + path.replace("'", "'\\''") + "'"


def describe(session: Session) -> Message:
    """Describe a session for a list."""
    run = session.run
    return {
        "session": session.name,
        "running": None if run is None else run.command,
        "seconds": None if run is None else time.monotonic() - run.started,
        "exit_status": session.exit_status,
    }


def seal() -> None:
    """Keep what the shells run out of this process.

    It belongs to the same user: without this it could take the connection, and answer in its stead.
    """
    if control_process(PR_SET_DUMPABLE, 0):
        raise OSError("the process could not be sealed")


def control_process(option: int, value: int) -> int:
    """Ask the kernel for something that concerns this process; return 0 if it does it."""
    import _ctypes  # noqa: PLC0415 - while the first shell starts; a fifth of what ctypes costs

    program = _ctypes.dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]  # typeshed forgets None
    done: int = _ctypes.call_function(_ctypes.dlsym(program, "prctl"), (option, value, 0, 0, 0))
    return done


def listen_for_ends() -> int:
    """Have the ends of children told; return the descriptor by which they are."""
    woken, wake = os.pipe()
    for fd in (woken, wake):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return woken


def attend(server: Server, woken: int) -> None:
    """Have a server notice the ends of its children, and keep its secrets."""
    seal()

    def reap() -> None:
        os.read(woken, 4096)
        server.reap()

    server.watch(woken, reap)


def main(folder: str, connection: str = "") -> None:
    """Serve until the input ends."""
    incoming, outgoing = (int(connection), int(connection)) if connection else (0, 1)
    for fd in (incoming, outgoing):
        os.set_inheritable(fd, False)  # noqa: FBT003 - the standard library's own signature
    woken = listen_for_ends()
    server = Server(folder, FIRST)
    attend(server, woken)
    Connection(server, incoming, outgoing).send({"event": "ready"})
    server.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
