"""The harness's end of a conversation with a session server."""

from __future__ import annotations

import itertools
import json
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

Message: TypeAlias = "Mapping[str, object]"

_LONGEST = 64 << 20
"""Bytes of a message; what is longer does not come from a session server of ours."""


class ConnectionLostError(Exception):
    """The other end is gone, does not answer, or talks nonsense."""


class SessionClient:
    """Asks a session server and hands each answer to whoever waits for it.

    Args:
        connection: Stream to the server. The client closes it.
        when_finished: Told of the session in which a command ended that nobody waited for any more.

    Attributes:
        was_heard: Whether the server has ever said anything.
    """

    def __init__(
        self, connection: socket.socket, when_finished: Callable[[str], None] = lambda _: None
    ) -> None:
        self.was_heard = False
        self._when_finished = when_finished
        self._connection = connection
        self._ids = itertools.count()
        self._sending = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Message | None]] = {}
        self._is_lost = False
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

    def _send(self, message: Message) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self._sending:
            if self._is_lost:
                raise ConnectionLostError("the connection ended")
            self._connection.sendall(line)

    def _listen(self) -> None:
        try:
            with self._connection.makefile("rb") as stream:
                while line := stream.readline(_LONGEST):
                    self._dispatch(line)
        except (OSError, TypeError, ValueError, RecursionError):
            pass  # lost, or nonsense
        self._is_lost = True
        self._connection.close()
        for answers in list(self._waiting.values()):
            answers.put(None)

    def _dispatch(self, line: bytes) -> None:
        message = json.loads(line)
        if not isinstance(message, dict):
            raise TypeError("a message is an object")
        self.was_heard = True
        session = message.get("session")
        if message.get("event") == "finished" and isinstance(session, str):
            self._when_finished(session)
            return
        number = message.get("id")
        answers = self._waiting.get(number) if isinstance(number, int) else None
        if answers is not None:
            answers.put(message)
