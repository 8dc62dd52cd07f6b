"""What befalls computers that are other machines: cut cables, killed harnesses, servers that are forgotten."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.computers.base import ComputerAwayError
from pytest_innovatorbench.researchgym.computers.remote import RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import SyncedWorkspace
from pytest_innovatorbench.researchgym.computers.ssh import SshTransport
from pytest_innovatorbench.researchgym.computers.steady_client import Pace
from tests.acceptance.conftest import running, wait_until
from tests.conftest import Tree
from tests.sshd import SshServer, require_sshd
from tests.unit.researchgym.test_gym import Place

CUT = float(os.environ.get("IBENCH_TEST_CUT", "6"))
"""Seconds for which the network is cut; nothing is different at 60."""
PYTHON = "/usr/bin/python3"
NETWORK = "198.51.100"  # for documentation, so that it is nobody's


class Host:
    """A machine as the network sees it: a namespace with an OpenSSH server, on the end of a cable."""

    def __init__(self, folder: Path, number: int) -> None:
        self.name = f"ibtest{number}"
        self.cable = f"{self.name}h"
        self._servers: list[SshServer] = []
        ours, theirs = f"{NETWORK}.{4 * number + 1}", f"{NETWORK}.{4 * number + 2}"
        self.remove()  # what a test that was killed left
        try:
            self._make(folder, ours, theirs)
        except BaseException:
            self.remove()
            raise

    def _make(self, folder: Path, ours: str, theirs: str) -> None:
        ip("netns", "add", self.name)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("addr", "add", f"{ours}/30", "dev", self.cable)
        ip("link", "set", self.cable, "up")
        for words in (("addr", "add", f"{theirs}/30", "dev", "eth0"), ("link", "set", "eth0", "up")):
            ip("-n", self.name, *words)
        prefix = ("ip", "netns", "exec", self.name)
        self._servers.append(SshServer(folder, "researcher", address=theirs, port=22, prefix=prefix))

    @property
    def server(self) -> SshServer:
        return self._servers[0]

    def cut(self) -> None:
        ip("link", "set", self.cable, "down")

    def mend(self) -> None:
        ip("link", "set", self.cable, "up")

    def remove(self) -> None:
        for server in self._servers:
            server.stop()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self.cable], check=False, capture_output=True)


def ip(*words: str) -> None:
    try:
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"no networks can be made here: {getattr(problem, 'stderr', '') or problem}")


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ibench-sshd-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hosts(place: Path) -> Iterator[list[Host]]:
    """Two machines."""
    require_sshd()
    if os.geteuid() != 0:
        pytest.skip("only root can make networks")
    made: list[Host] = []
    # The addresses are the same for all, so the tests of several processes take turns.
    with Path(tempfile.gettempdir(), "ibench-test-networks.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            for number in range(2):
                (place / str(number)).mkdir()
                made.append(Host(place / str(number), number))
            yield made
        finally:
            for host in made:
                host.remove()


@pytest.fixture
def server(place: Path) -> Iterator[SshServer]:
    server = SshServer(place)
    yield server
    server.stop()


def computer_on(server: SshServer, folder: Path, **options: Any) -> RemoteComputer:
    lower, mirror = folder / "gym", folder / "mirror"
    for made in (lower, mirror):
        made.mkdir(parents=True, exist_ok=True)
    home = server.folder / f"home-{server.user}" if os.geteuid() == 0 else folder
    defaults: dict[str, Any] = {
        "name": "attempt",
        "root": str(home / "work"),
        "python": PYTHON,
        "lease": 120,
        "pace": Pace(beat=0.5, deadline=1.5, first_pause=0.1, longest_pause=1, patience=CUT * 3),
    }
    transport = SshTransport(server.access(), seconds=3)
    return RemoteComputer(transport, SyncedWorkspace(lower, mirror), **{**defaults, **options})


def test_a_cut_of_the_network_loses_nothing_and_disturbs_no_other_computer(
    hosts: list[Host], tmp_path: Path
) -> None:
    with (
        closing(computer_on(hosts[0].server, tmp_path / "0")) as computer,
        closing(computer_on(hosts[1].server, tmp_path / "1")) as other,
    ):
        finished = threading.Event()
        computer.when_finished = lambda _: finished.set()
        assert computer.run_command("sleep 2; echo job done; (exit 4)", session="job", wait=0.1).timed_out
        assert other.run_command("echo here").output == "here\n"
        done: list[Any] = []
        count = int(CUT * 2) + 4
        command = f"echo x >>runs; for i in $(seq {count}); do sleep 0.5; echo $i; done; (exit 7)"
        thread = threading.Thread(target=lambda: done.append(computer.run_command(command)))
        thread.start()
        time.sleep(1)
        hosts[0].cut()
        began = time.monotonic()
        while time.monotonic() - began < CUT:
            assert other.run_command("echo here").output == "here\n"
            time.sleep(0.2)
        assert not finished.is_set()
        hosts[0].mend()
        thread.join(CUT + 30)
        (result,) = done
        assert (result.exit_status, result.output) == (7, "".join(f"{n}\n" for n in range(1, count + 1)))
        assert computer.run_command("wc -l <runs").output == "1\n"
        assert finished.wait(5)
        states = {state.session: state.exit_status for state in computer.list_sessions()}
        assert states["job"] == 4
        assert computer.read_output("job") == "job done\n"


def test_a_cut_of_a_minute_is_outlasted_at_the_pace_that_is_shipped(
    hosts: list[Host], tmp_path: Path
) -> None:
    host = hosts[0]
    with closing(computer_on(host.server, tmp_path, pace=Pace())) as computer:
        done: list[Any] = []
        command = "echo x >>runs; for i in $(seq 65); do sleep 1; echo $i; done; (exit 7)"
        thread = threading.Thread(target=lambda: done.append(computer.run_command(command)))
        assert computer.run_command("A=1").exit_status == 0
        thread.start()
        time.sleep(1)
        host.cut()
        time.sleep(60)
        host.mend()
        thread.join(45)  # the longest pause between tries, and what the command still takes
        (result,) = done
        assert (result.exit_status, result.output) == (7, "".join(f"{n}\n" for n in range(1, 66)))
        assert computer.run_command("echo $A; wc -l <runs").output == "1\n1\n"


def test_a_computer_that_stays_away_is_an_observation_and_no_lost_attempt(
    hosts: list[Host], tmp_path: Path, tree: Tree
) -> None:
    host = hosts[0]
    pace = Pace(beat=0.5, deadline=1, first_pause=0.1, longest_pause=0.5, patience=1.5)
    place = Place(tree, tmp_path / "unused")
    with closing(computer_on(host.server, tmp_path, pace=pace)) as computer:
        place.gym.computer = computer
        assert place.run("echo kept >data/outputs/a; A=1").success
        assert [entry.path for entry in computer.entries("data/outputs")] == ["a"]
        host.cut()
        for _ in range(5):  # more often than a computer may be lost
            seen = place.run("echo $A")
            assert seen.message.startswith(f"{host.server.address} does not answer (")
            assert seen.message.endswith(": it may come back. What runs on it goes on; sleep, and try again.")
        assert place.gym.ending is None
        assert [event["kind"] for event in place.events].count("computer_away") == 5
        assert [entry.path for entry in computer.entries("data/outputs")] == ["a"]
        assert str(computer.workspace_note).startswith("files as they were read last: ")
        host.mend()
        wait_until(lambda: place.run("echo $A").message == "1\n")
        assert place.run("echo $A").message == "1\n"


HARNESS = """
import sys, time
from pathlib import Path
from tests.acceptance.test_remote_faults import computer_on
from tests.sshd import SshServer

server = object.__new__(SshServer)
server.__dict__.update(address=sys.argv[1], port=int(sys.argv[2]), user=sys.argv[3], folder=Path(sys.argv[4]))
server.known_hosts = server.folder / "known_hosts"
computer = computer_on(server, Path(sys.argv[5]))
computer.run_command("A=1; echo 1 >data/outputs/early")
computer.run_command(sys.argv[6], session="job", wait=0.2)
computer.run_command("sleep 1000", session="other", wait=0.2)
print("runs", flush=True)
computer.run_command("sleep 1000")
"""


def test_what_runs_survives_a_killed_harness_and_is_claimed_by_the_next(
    server: SshServer, tmp_path: Path
) -> None:
    job = "for i in $(seq 30); do sleep 0.1; echo $i; done; cp data/outputs/early data/outputs/late; (exit 5)"
    argv = [server.address, server.port, server.user, server.folder, tmp_path, job]
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, *map(str, argv)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert harness.stdout is not None
    assert harness.stdout.readline() == b"runs\n"
    os.kill(harness.pid, signal.SIGKILL)
    harness.wait()
    harness.stdout.close()
    time.sleep(0.5)
    with closing(computer_on(server, tmp_path)) as computer:
        finished: list[str] = []
        computer.when_finished = finished.append
        assert computer.claim()
        states = {state.session: state.running for state in computer.list_sessions()}
        assert {name: states[name] for name in ("job", "other")} == {"job": job, "other": "sleep 1000"}
        assert computer.run_command("echo here", session="new").output == "here\n"
        wait_until(lambda: finished)
        assert finished == ["job"]
        assert computer.read_output("job", lines=100) == "".join(f"{n}\n" for n in range(1, 31))
        assert {s.session: s.exit_status for s in computer.list_sessions()}["job"] == 5
        assert [entry.path for entry in computer.entries("data/outputs")] == ["early", "late"]


def test_a_lease_ends_what_nobody_claims(server: SshServer, tmp_path: Path) -> None:
    computer = computer_on(server, tmp_path, lease=2)
    marker = f"100{os.getpid()}"
    computer.run_command(f"setsid -f sleep {marker}; nohup sleep {marker} >/dev/null 2>&1 &")
    time.sleep(3)
    assert len(running(f"sleep\0{marker}")) == 2, "a harness that is there renews it"
    computer.detach()
    wait_until(
        lambda: not running(f"sleep\0{marker}") and not running(f"{server.folder}/home-{server.user}/work")
    )
    assert running(f"sleep\0{marker}") == []


def test_a_frozen_server_is_away_and_comes_back(server: SshServer, tmp_path: Path) -> None:
    """The kernel still accepts and acknowledges; nothing but silence tells."""
    pace = Pace(beat=0.3, deadline=0.7, first_pause=0.1, longest_pause=0.5, patience=1)
    with closing(computer_on(server, tmp_path, pace=pace)) as computer:
        computer.run_command("A=1")
        pids = [server._process.pid, *server.connections()] if server._process is not None else []
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(ComputerAwayError, match=r"^127\.0\.0\.1:\d+ does not answer \("):
                computer.run_command("true")
            assert time.monotonic() - began < 10
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        began = time.monotonic()
        while True:
            assert time.monotonic() - began < 20
            with suppress(ComputerAwayError):
                seen = computer.run_command("echo $A")
                if not seen.is_refused:  # as while the command from before is caught up on
                    assert seen.output == "1\n"
                    break
