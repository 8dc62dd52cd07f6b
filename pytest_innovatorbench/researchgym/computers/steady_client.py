"""The harness's end of a conversation with a session server that stands, over connections that break."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.computers.session_client import ConnectionLostError, SessionClient
from pytest_innovatorbench.researchgym.computers.transport import UnreachableError, UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_innovatorbench.researchgym.computers.session_client import Message
    from pytest_innovatorbench.researchgym.computers.transport import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a connection is looked after, in seconds.

    Attributes:
        beat: Between questions whether the other end is still there.
        deadline: Until the answer to one has to be there, or the connection counts as lost.
        first_pause: Before the second try to connect; every later pause is twice as long.
        longest_pause: Between tries at most.
        patience: For which requests wait for a connection before they fail.
    """

    beat: float = 10.0
    deadline: float = 15.0
    first_pause: float = 0.2
    longest_pause: float = 15.0
    patience: float = 60.0


class RestartedError(Exception):
    """The session server is another one by now: all that ran has ended."""


class TakenOverError(Exception):
    """Another client has taken over the session server."""


class SteadyClient:
    """Asks a standing session server, and connects again whenever the connection is lost.

    Args:
        connect: Makes a connection to the server, which it starts where none runs.
        when_told: Told of events, each once.
        pace: How the connection is looked after.

    Attributes:
        was_heard: Whether the server has ever said anything.
        found_sessions: Whether there were sessions of an earlier client when it did first.
    """

    def __init__(
        self, connect: Callable[[], Stream], when_told: Callable[[Message], None], pace: Pace
    ) -> None:
        self.was_heard = False
        self.found_sessions = False
        self._connect = connect
        self._when_told = when_told
        self._pace = pace
        self._name = secrets.token_hex(8)
        self._tokens = itertools.count(1)
        self._waiting: dict[int, None] = {}
        self._given_up: set[int] = set()
        self._heard = 0
        self._changed = threading.Condition()
        self._line: SessionClient | None = None
        self._life: object = None
        self._is_restarted = False
        self._problem: Exception | None = None
        self._is_urgent = False
        self._is_closed = False
        self._away_since = time.monotonic()
        threading.Thread(target=self._keep, name="ibench-steady-client", daemon=True).start()

    def ask(self, request: Message, timeout: float | None) -> Message:
        """Send a request and wait for its answer, however often the connection is lost meanwhile.

        It is carried out once, however often it is sent.

        Args:
            request: The message.
            timeout: Seconds to wait while there is a connection.

        Raises:
            UnreachableError: The computer has been away for too long. What runs there goes on.
            UnusableError: It cannot be used until somebody mends something.
            RestartedError: The sessions have ended.
            TakenOverError: Another client has them.
        """
        token = next(self._tokens)
        self._waiting[token] = None
        try:
            return self._ask({**request, "token": token}, timeout)
        except UnreachableError:
            self._given_up.add(token)
            raise
        finally:
            self._waiting.pop(token, None)

    def _ask(self, request: Message, timeout: float | None) -> Message:
        life: object = None
        while True:
            line, present = self._wait_for_line()
            if self._take_restart() or life not in {None, present}:
                raise RestartedError
            life = present
            try:
                return line.ask({**request, **self._receipts()}, timeout)
            except ConnectionLostError as problem:
                if not line.is_lost and not self._is_closed:
                    raise UnreachableError(f"no answer within {timeout:g} s") from problem

    def end_server(self, timeout: float) -> bool:
        """Have the server end with all that runs in it; return whether it could be told."""
        line = self._line
        try:
            return line is not None and "id" in line.ask({"do": "shutdown"}, timeout)
        except ConnectionLostError:
            return False

    def close(self) -> None:
        """End the conversation, and wake who waits. The server goes on."""
        with self._changed:
            self._is_closed = True
            line, self._line = self._line, None
            self._changed.notify_all()
        if line is not None:
            line.close()

    def _wait_for_line(self) -> tuple[SessionClient, object]:
        with self._changed:
            patience = self._pace.patience
            left = patience - (time.monotonic() - self._away_since)
            deadline = time.monotonic() + max(left, min(patience, self._pace.first_pause * 10))
            self._is_urgent = True
            self._changed.notify_all()
            while True:
                if self._is_closed:
                    raise UnreachableError("the conversation was ended")
                line = self._line
                if line is not None and not line.is_lost:
                    return line, self._life
                if isinstance(self._problem, (UnusableError, TakenOverError)):
                    raise self._problem
                left = deadline - time.monotonic()
                if left <= 0:
                    raise UnreachableError(str(self._problem or "it cannot be reached"))
                self._changed.wait(left)

    def _receipts(self) -> dict[str, Any]:
        oldest = min(list(self._waiting), default=0)
        return {"oldest": oldest, "heard": self._heard}

    def _take_restart(self) -> bool:
        with self._changed:
            is_restarted, self._is_restarted = self._is_restarted, False
            return is_restarted

    def _keep(self) -> None:
        """Keep a connection until closed."""
        pause = 0.0
        while self._pause(pause):
            try:
                line = self._open()
            except (UnreachableError, UnusableError, TakenOverError) as problem:
                pause = min(max(pause * 2, self._pace.first_pause), self._pace.longest_pause)
                with self._changed:
                    self._problem = problem
                    self._changed.notify_all()
                continue
            self._look_after(line)
            pause = self._pace.first_pause

    def _pause(self, seconds: float) -> bool:
        """Wait before the next try, shorter where somebody waits; return whether to go on."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._is_closed and not isinstance(self._problem, TakenOverError):
                left = deadline - time.monotonic()
                if left <= 0 or (self._is_urgent and seconds > self._pace.first_pause):
                    self._is_urgent = False
                    return True
                self._changed.wait(left)
            return False

    def _open(self) -> SessionClient:
        stream = self._connect()
        line = SessionClient(stream, self._hear, self._notice)
        try:
            given_up = list(self._given_up)
            hello = {"do": "hello", "client": self._name, "given_up": given_up, **self._receipts()}
            answer = line.ask(hello, self._pace.deadline)
        except ConnectionLostError as problem:
            line.close()
            with self._changed:
                known = self._problem
            if isinstance(known, UnusableError):
                raise known from None
            raise UnreachableError(f"the session server does not answer: {problem}") from problem
        self._given_up.difference_update(given_up)
        if not self.was_heard:
            self.found_sessions = answer.get("first") is False
        self._take_up(line, answer.get("life"))
        return line

    def _take_up(self, line: SessionClient, life: object) -> None:
        with self._changed:
            self._is_restarted |= self.was_heard and life != self._life
            self.was_heard = True
            self._life = life
            self._problem = None
            self._line = line
            is_closed = self._is_closed
            self._changed.notify_all()
        if is_closed:
            line.close()

    def _look_after(self, line: SessionClient) -> None:
        """Ask from time to time whether the other end is there, until it is not."""
        while not self._is_closed and not line.is_lost:
            with self._changed:
                self._changed.wait_for(lambda: line.is_lost or self._is_closed, self._pace.beat)
            try:
                line.ask({"do": "ping", **self._receipts()}, self._pace.deadline)
            except ConnectionLostError:
                break
        with self._changed:
            self._away_since = time.monotonic()
            self._line = None
        line.close()

    def _notice(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _hear(self, message: Message) -> None:
        number, event = message.get("number"), message.get("event")
        if event == "taken":
            with self._changed:
                self._problem = TakenOverError("another harness has taken over")
        elif event == "failed":
            with self._changed:
                self._problem = UnusableError(str(message.get("error")))
        elif not isinstance(number, int):
            self._when_told(message)
        elif number > self._heard:
            self._heard = number
            self._when_told(message)
