"""The harness's end of a conversation with a session server."""

from __future__ import annotations

import itertools
import json
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Message: TypeAlias = "Mapping[str, object]"

_PART = 1 << 16
_LONGEST = 64 << 20
"""Bytes of a message; what is longer does not come from a session server of ours."""


class ConnectionLostError(Exception):
    """The other end is gone, does not answer, or talks nonsense."""


class Connection(Protocol):
    """What messages travel by; a socket is one."""

    def recv(self, size: int, /) -> bytes:
        """Return what came, once there is something; at the end nothing."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""

    def close(self) -> None:
        """Let go of it."""


class SessionClient:
    """Asks a session server and hands each answer to whoever waits for it.

    Args:
        connection: Stream to the server. The client closes it.
        when_told: Told of events, such as that a command ended that nobody waited for any more.
        when_lost: Told when the connection is lost.

    Attributes:
        was_heard: Whether the server has ever said anything.
        is_lost: Whether the connection is lost.
    """

    def __init__(
        self,
        connection: Connection,
        when_told: Callable[[Message], None] = lambda _: None,
        when_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.was_heard = False
        self.is_lost = False
        self._when_told = when_told
        self._when_lost = when_lost
        self._connection = connection
        self._ids = itertools.count()
        self._sending = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Message | None]] = {}
        threading.Thread(target=self._listen, name="ibench-session-client", daemon=True).start()

    def ask(self, request: Message, timeout: float | None) -> Message:
        """Send a request and wait for its answer.

        Args:
            request: The message, without an id.
            timeout: Seconds to wait.

        Raises:
            ConnectionLostError: There will be no answer.
        """
        number = next(self._ids)
        answers: SimpleQueue[Message | None] = SimpleQueue()
        self._waiting[number] = answers
        try:
            self._send({**request, "id": number})
            answer = answers.get(timeout=timeout)
        except (OSError, Empty) as problem:
            raise ConnectionLostError(str(problem) or "no answer") from problem
        finally:
            self._waiting.pop(number, None)
        if answer is None:
            raise ConnectionLostError("the connection ended")
        return answer

    def close(self) -> None:
        """End the conversation; who waits is told that there will be no answer."""
        self._connection.close()

    def _send(self, message: Message) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self._sending:
            if self.is_lost:
                raise ConnectionLostError("the connection ended")
            try:
                self._connection.sendall(line)
            except OSError:
                self.is_lost = True
                raise

    def _listen(self) -> None:
        try:
            for line in self._lines():
                self._dispatch(line)
        except (OSError, TypeError, ValueError, RecursionError):
            pass  # lost, or nonsense
        self.is_lost = True
        self._connection.close()
        for answers in list(self._waiting.values()):
            answers.put(None)
        self._when_lost()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        while part := self._connection.recv(_PART):
            *lines, tail = part.split(b"\n")
            if not lines:
                rest += tail
                if len(rest) > _LONGEST:
                    return
                continue
            lines[0], rest = rest + lines[0], tail
            yield from lines

    def _dispatch(self, line: bytes) -> None:
        message = json.loads(line)
        if not isinstance(message, dict):
            raise TypeError("a message is an object")
        self.was_heard = True
        if "event" in message:
            self._when_told(message)
            return
        number = message.get("id")
        answers = self._waiting.get(number) if isinstance(number, int) else None
        if answers is not None:
            answers.put(message)
