"""The socket by which a sandbox reaches actions, and whoever calls there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from pytest_innovatorbench.agents.clients.gate import Desk, Gate
from pytest_innovatorbench.agents.clients.program import install_relay, relay_command
from tests.conftest import Tree
from tests.unit.researchgym.test_gym import Place

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}


@pytest.fixture
def place(tree: Tree, tmp_path: Path) -> Iterator[Place]:
    place = Place(tree, tmp_path / "computer")
    yield place
    place.gym.computer.close()


@pytest.fixture
def folder(tmp_path: Path, place: Place) -> Iterator[Path]:
    """A folder as a sandbox sees it, with a gate that offers three actions."""
    shown = tmp_path / ("long" * 30)  # longer than the path of a socket may be
    shown.mkdir()
    install_relay(shown)
    gate = Gate(shown / "gate", Desk(place.gym, ("eval", "finish", "sleep")))
    gate.open()
    yield shown
    gate.close()


class Client:
    """Speaks to a gate through the relay, line by line."""

    def __init__(self, folder: Path) -> None:
        command = relay_command(str(folder))
        self.relay = subprocess.Popen(
            [command["command"], *command["args"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        self.ask("initialize", HELLO)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.communicate(timeout=10)

    def send(self, message: object) -> None:
        assert self.relay.stdin is not None
        data = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
        self.relay.stdin.write(data)
        self.relay.stdin.flush()

    def ask(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        assert self.relay.stdout is not None
        self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": given})
        answer: dict[str, Any] = json.loads(self.relay.stdout.readline())
        return answer

    def call(self, name: str, **arguments: Any) -> tuple[str, bool]:
        result = self.ask("tools/call", {"name": name, "arguments": arguments})["result"]
        return result["content"][0]["text"], bool(result.get("isError"))


def test_what_was_chosen_is_offered_and_done(place: Place, folder: Path) -> None:
    place.verdicts = [50.0]
    with Client(folder) as client:
        offered = client.ask("tools/list", {})["result"]["tools"]
        assert {tool["name"] for tool in offered} == {"eval", "finish", "sleep"}
        text, is_error = client.call("eval")
    assert "Score 50.00" in text
    assert not is_error


def test_nothing_else_is_done(place: Place, folder: Path) -> None:
    with Client(folder) as client:
        said = client.call("run_command", command="true")
    assert said == ("there is no action 'run_command' here; known: eval, finish, sleep", True)
    assert place.events == []


def test_what_is_no_message_is_passed_over(folder: Path) -> None:
    with Client(folder) as client:
        client.send(b"\xff\xfe no json\n[1, 2]\n" + b"[" * 100_000 + b"\n")
        assert client.ask("ping", {})["result"] == {}


def test_a_line_without_an_end_ends_the_call(folder: Path) -> None:
    where = folder.parent / "short"
    where.symlink_to(folder)
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(where / "gate"))
        link.settimeout(10)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            link.sendall(b"x" * (32 << 20))
    with Client(folder) as client:
        assert client.ask("ping", {})["result"] == {}


def test_callers_who_stay_get_no_more_than_their_share(folder: Path) -> None:
    where = folder.parent / "short"
    where.symlink_to(folder)
    links = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    before = threading.active_count()
    for link in links:
        link.connect(str(where / "gate"))
    time.sleep(0.5)
    serving = [thread for thread in threading.enumerate() if thread.name == "ibench-gate-call"]
    assert len(serving) == 16
    assert threading.active_count() >= before
    for link in links:
        link.close()
    with Client(folder) as client:
        assert client.ask("ping", {})["result"] == {}


def test_a_caller_may_hang_up_in_the_middle(place: Place, folder: Path) -> None:
    call = {"name": "sleep", "arguments": {"sleep_time": 1, "until": "none"}}
    with Client(folder) as client:
        client.send({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call})
        wait_for(place, "action")
        client.relay.kill()
    wait_for(place, "observation")
    with Client(folder) as client:
        assert client.ask("ping", {})["result"] == {}


def wait_for(place: Place, kind: str) -> None:
    deadline = time.monotonic() + 10
    while not any(event["kind"] == kind for event in place.events):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_relay_says_when_nobody_answers(tmp_path: Path) -> None:
    install_relay(tmp_path)
    command = relay_command(str(tmp_path))
    done = subprocess.run([command["command"], *command["args"]], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (1, "the harness does not answer: No such file or directory\n")


def test_the_relay_needs_nothing_but_python() -> None:
    assert relay_command("/there")["args"][:2] == ["-I", "-S"]
    assert Path(relay_command("/there")["command"]).resolve() == Path(sys.executable).resolve()
