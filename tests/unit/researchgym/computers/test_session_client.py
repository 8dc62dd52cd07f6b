"""What a hostile other end can do to a client."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable

import pytest

from pytest_innovatorbench.researchgym.computers.answers import read_result, read_states
from pytest_innovatorbench.researchgym.computers.session_client import ConnectionLostError, SessionClient


def answering(say: Callable[[dict[str, object]], bytes]) -> SessionClient:
    """A client whose other end says something to the first request, and ends."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rb") as stream:
            theirs.sendall(say(json.loads(stream.readline())))

    threading.Thread(target=serve, daemon=True).start()
    return SessionClient(ours)


def test_an_answer_goes_to_its_request() -> None:
    def say(request: dict[str, object]) -> bytes:
        return (
            b'{"id": 99}\n{"event": "finished"}\n'
            + json.dumps({"id": request["id"], "x": 1}).encode()
            + b"\n"
        )

    assert answering(say).ask({"do": "x"}, 10)["x"] == 1


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\n", b"[]\n", b"[" * 100_000 + b"\n", b"\xff\n", b'{"id": 0']
)
def test_nonsense_is_a_lost_connection(said: bytes) -> None:
    client = answering(lambda _: said)
    with pytest.raises(ConnectionLostError):
        client.ask({"do": "x"}, 10)
    with pytest.raises(ConnectionLostError):
        client.ask({"do": "x"}, 10)


def test_silence_is_a_lost_connection() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(ConnectionLostError, match=r"^no answer$"):
        SessionClient(ours).ask({"do": "x"}, 0.05)


def test_answers_of_the_wrong_shape_are_a_lost_connection() -> None:
    message = r"^the session server answered nonsense: output is wrong or missing$"
    with pytest.raises(ConnectionLostError, match=message):
        read_result("main", "x", {"exit_status": 0, "output": 7})
    with pytest.raises(ConnectionLostError):
        read_states({"sessions": 1})
