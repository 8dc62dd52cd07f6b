"""The scripted model takes as many clients at once as a run has attempts."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from pytest_innovatorbench.testing.model_server import ModelServer, Says, scripted

_CLIENTS = 200


def test_clients_that_come_at_once_need_not_try_again() -> None:
    server = ModelServer(scripted(Says(text="hello")))  # it listens, and nobody takes a client yet
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with ExitStack() as clients:
        for _ in range(_CLIENTS):
            clients.enter_context(socket.create_connection(address, timeout=0.5))
        with server.running():
            pass
