"""Remote computers over the simplest transport: programs that are started on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.errors import UnknownNameError
from pytest_innovatorbench.researchgym.computers.base import (
    ComputerAwayError,
    ComputerClosedError,
    ComputerLostError,
)
from pytest_innovatorbench.researchgym.computers.remote import RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import SharedWorkspace, SyncedWorkspace
from pytest_innovatorbench.researchgym.computers.steady_client import Pace
from pytest_innovatorbench.researchgym.computers.transport import UnusableError
from tests.breakable import Breakable

Make = Callable[..., RemoteComputer]
QUICK = Pace(beat=0.2, deadline=2, first_pause=0.05, longest_pause=0.2, patience=3)


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    folder = tmp_path / "gym task"
    (folder / "data/datasets").mkdir(parents=True)
    (folder / "data/datasets/train").write_text("1 2 3\n")
    (folder / "run.sh").write_text("echo ran\n")
    (folder / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def make(tmp_path: Path, lower: Path) -> Iterator[Make]:
    computers = []

    def make(name: str = "attempt", *, shared: bool = False, **options: Any) -> RemoteComputer:
        mirror = tmp_path / f"mirror-{name}"
        mirror.mkdir(exist_ok=True)
        workspace = (
            SharedWorkspace(lower, tmp_path / "share" / name) if shared else SyncedWorkspace(lower, mirror)
        )
        defaults: dict[str, Any] = {"pace": QUICK, "python": sys.executable, "lease": 60}
        computer = RemoteComputer(
            Breakable(), workspace, name=name, root=str(tmp_path / "root"), **{**defaults, **options}
        )
        computers.append(computer)
        return computer

    yield make
    for computer in computers:
        computer.close()


def wait_for(what: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def transport_of(computer: RemoteComputer) -> Breakable:
    transport = computer._transport
    assert isinstance(transport, Breakable)
    return transport


def is_alive(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def files(computer: RemoteComputer, below: str = "") -> dict[str, str]:
    found = {}
    for entry in computer.entries(below):
        if entry.kind == "file":
            with entry.open() as file:
                found[entry.path] = file.read().decode()
        else:
            found[entry.path] = entry.kind
    return found


@pytest.mark.parametrize("shared", [True, False])
def test_commands_run_in_the_workspace(make: Make, lower: Path, shared: bool) -> None:  # noqa: FBT001
    computer = make(shared=shared, environment={"IBENCH_SEED": "7"})
    result = computer.run_command("cat data/datasets/train; ./run.sh; echo $IBENCH_SEED; exec 2>&1; (exit 3)")
    assert (result.exit_status, result.output) == (3, "1 2 3\nran\n7\n")
    computer.run_command("echo new >data/outputs/a; rm run.sh; ln -s /etc/passwd link; mkdir empty")
    assert files(computer) == {
        "data": "folder",
        "data/checkpoints": "folder",
        "data/datasets": "folder",
        "data/datasets/train": "1 2 3\n",
        "data/outputs": "folder",
        "data/outputs/a": "new\n",
        "empty": "folder",
        "link": "link",
    }
    assert computer.workspace_note is None
    assert (lower / "run.sh").exists()
    assert computer.inside("/workspace/data") == computer.run_command("pwd").output.strip() + "/data"
    assert computer.inside("/usr/bin") == "/usr/bin"
    answer = computer.do_with_file({"op": "create", "path": "data/outputs/b", "content": "x"})
    assert answer["size"] == 1
    assert files(computer, "data/outputs") == {"a": "new\n", "b": "x"}


def test_a_computer_that_is_not_used_costs_nothing(make: Make, tmp_path: Path) -> None:
    computer = make()
    assert computer.list_sessions() == ()
    assert "data/datasets/train" in files(computer)
    computer.interrupt()
    computer.close()
    assert not (tmp_path / "root").exists()


def test_what_changed_is_fetched_and_what_went_is_forgotten(make: Make, tmp_path: Path) -> None:
    computer = make()
    computer.run_command("cd data/outputs; echo 1 >a; mkdir d; echo 2 >d/b; echo 3 >c; sleep 0.1")
    assert files(computer, "data/outputs") == {"a": "1\n", "c": "3\n", "d": "folder", "d/b": "2\n"}
    kept = (tmp_path / "mirror-attempt/mirror/data/outputs/c").stat()
    time.sleep(0.1)
    # The same size and time of change: only the kernel's own time of it tells.
    computer.run_command("touch -r a ref; echo 9 >a; touch -r ref a; rm ref; rm -r d; mkdir c2; echo 4 >d")
    assert files(computer, "data/outputs") == {"a": "9\n", "c": "3\n", "c2": "folder", "d": "4\n"}
    computer.run_command("rm d; mkdir d; echo 5 >d/e")
    assert files(computer, "data/outputs")["d/e"] == "5\n"
    assert (tmp_path / "mirror-attempt/mirror/data/outputs/c").stat().st_ino == kept.st_ino


def test_unusual_names_and_modes_travel(make: Make, lower: Path) -> None:
    (lower / os.fsdecode(b"not utf-8 \xff")).write_text("1")
    (lower / "new\nline").write_text("2")
    (lower / "closed").mkdir()
    (lower / "closed/x").write_text("3")
    (lower / "closed").chmod(0o555)
    (lower / "to").symlink_to("nowhere")
    computer = make()
    done = computer.run_command("cat not*; cat new*; cat closed/x; readlink to; stat -c %a closed run.sh")
    assert done.output == "123nowhere\n555\n755\n"
    computer.run_command("chmod 000 closed; mkdir sealed; echo 4 >sealed/y; chmod 500 sealed; mkfifo f")
    found = files(computer)
    assert found[os.fsdecode(b"not utf-8 \xff")] == "1"
    assert found["sealed/y"] == "4\n"
    assert "f" not in found
    assert computer.workspace_note == "not fetched: 'f' and 0 more"


def test_a_lost_connection_is_made_again_and_nothing_is_lost(make: Make) -> None:
    computer = make()
    computer.run_command("cd data; A=1")
    done: list[Any] = []
    command = "echo $$ >>runs; for i in 1 2 3 4; do sleep 0.25; echo $i; done; (exit 7)"
    thread = threading.Thread(target=lambda: done.append(computer.run_command(command)))
    thread.start()
    time.sleep(0.4)
    transport = transport_of(computer)
    transport.cut()
    time.sleep(0.2)
    transport.is_cut = False
    thread.join(10)
    assert [(result.exit_status, result.output) for result in done] == [(7, "1\n2\n3\n4\n")]
    assert computer.run_command("pwd; echo $A; wc -l <runs").output.endswith("/data\n1\n1\n")


def test_an_end_that_nobody_heard_is_told_after_the_cut(make: Make) -> None:
    computer = make()
    finished: list[str] = []
    computer.when_finished = finished.append
    assert computer.run_command("sleep 0.3; echo done", wait=0.1).timed_out
    transport_of(computer).cut()
    time.sleep(0.5)
    assert finished == []
    transport_of(computer).is_cut = False
    wait_for(lambda: finished)
    time.sleep(0.3)
    assert finished == ["main"]
    assert computer.read_output() == "done\n"


def test_a_computer_that_stays_away_may_come_back(make: Make) -> None:
    computer = make(pace=Pace(beat=0.2, deadline=1, first_pause=0.05, longest_pause=0.2, patience=0.5))
    finished: list[str] = []
    computer.when_finished = finished.append
    computer.run_command("A=1")
    timer = threading.Timer(0.2, transport_of(computer).cut)
    timer.start()
    message = r"^the test host does not answer \(the test host is cut off\)$"
    with pytest.raises(ComputerAwayError, match=message):
        computer.run_command("sleep 1; echo $A | tee data/outputs/a")
    with pytest.raises(ComputerAwayError, match=message):
        computer.run_command("true")
    assert files(computer, "data/outputs") == {}
    assert computer.workspace_note == "files as they were read last: the test host is cut off"
    transport_of(computer).is_cut = False
    wait_for(lambda: finished)
    assert computer.run_command("echo $A").output == "1\n"
    assert computer.read_output(lines=2) == "1\n1\n"
    assert files(computer, "data/outputs") == {"a": "1\n"}
    assert computer.workspace_note is None


def test_another_harness_finds_everything_running(make: Make) -> None:
    first = make()
    first.run_command("A=1")
    first.run_command("sleep 2; echo done; (exit 5)", session="job", wait=0.1)
    first.detach()
    with pytest.raises(ComputerClosedError, match=r"^the computer was closed$"):
        first.run_command("true")
    second = make()
    finished: list[str] = []
    second.when_finished = finished.append
    assert second.claim()
    assert not make("another").claim()
    assert second.run_command("echo $A").output == "1\n"
    assert {state.session: state.running for state in second.list_sessions()} == {
        "main": None,
        "job": "sleep 2; echo done; (exit 5)",
    }
    wait_for(lambda: finished)
    assert finished == ["job"]
    assert second.read_output("job") == "done\n"


def test_a_computer_that_an_earlier_harness_had_is_away_rather_than_faulty(make: Make) -> None:
    first = make()
    first.run_command("A=1")
    first.detach()
    second = make(pace=Pace(beat=0.2, deadline=2, first_pause=0.05, longest_pause=0.2, patience=0.3))
    transport: Any = second._transport
    transport.is_cut = True
    with pytest.raises(
        ComputerAwayError, match=r"^the test host does not answer \(the test host is cut off\)$"
    ):
        second.take_up()
    transport.is_cut = False
    assert second.run_command("echo $A").output == "1\n"


def test_a_computer_without_its_files_has_them_as_they_were_fetched_last(make: Make, tmp_path: Path) -> None:
    first = make()
    first.run_command(
        "mkdir -p data/outputs/a; echo 1 >data/outputs/a/b; echo 1 >other; ln -s /etc data/outputs/etc"
    )
    first.run_command("rm data/datasets/train; chmod 500 data/outputs/a")
    assert files(first, "data/outputs")["a/b"] == "1\n"
    first.run_command("echo 2 >data/outputs/a/b")
    first.close()
    for path in (tmp_path / "root").rglob("outputs/a"):
        path.chmod(0o700)  # or only root could empty it
    shutil.rmtree(tmp_path / "root")
    second = make()
    told = "all that ran on it has ended; its files are as they were fetched last"
    assert second.take_up() == told
    seen = second.run_command(
        "cat data/outputs/a/b data/datasets/train; ls; readlink data/outputs/etc"
    ).output
    assert seen == "1\n1 2 3\ndata\nrun.sh\n/etc\n"
    assert second.take_up() == told, "what ran once has ended for good"
    assert make().take_up() is None


def test_a_harness_that_was_replaced_does_not_come_back(make: Make) -> None:
    first, second = make(), make()
    first.run_command("A=1")
    assert second.run_command("echo $A").output == "1\n"
    message = r"^the test host was lost: another harness has taken over$"
    for _ in range(2):
        with pytest.raises(ComputerLostError, match=message):
            first.run_command("true")
    assert second.run_command("echo $A").output == "1\n"


def test_a_server_that_was_killed_is_a_loss_and_the_next_command_gets_a_new_one(make: Make) -> None:
    computer = make()
    pid = computer.run_command("setsid sleep 1000 >/dev/null 2>&1 & echo $!").output.strip()
    with pytest.raises(ComputerLostError, match=r"^the test host was started again$"):
        computer.run_command("echo 1 >data/outputs/a; kill -9 $PPID; sleep 1000")
    assert computer.run_command("cat data/outputs/a").output == "1\n"
    wait_for(lambda: not is_alive(pid))


def test_closing_kills_what_runs_and_keeps_files(make: Make) -> None:
    computer = make()
    own = f"sleep 1001.{os.getpid()}"
    find = f"until pgrep -fx '{own}'; do sleep 0.01; done"
    pids = computer.run_command(
        f"echo 1 >data/outputs/a; env -i setsid -f {own}; {find}; sleep 1002 & echo $!"
    ).output.split()
    assert all(map(is_alive, pids))
    computer.close()
    computer.close()
    wait_for(lambda: not any(map(is_alive, pids)))
    assert files(computer, "data/outputs") == {"a": "1\n"}
    assert computer.workspace_note is None


def test_closing_wakes_who_waits(make: Make) -> None:
    computer = make()
    computer.run_command("true")
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            computer.run_command("sleep 1000")
        except ComputerClosedError as problem:
            caught.append(problem)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    computer.close()
    thread.join(5)
    assert [str(problem) for problem in caught] == ["the computer was closed"]


def test_a_lease_ends_everything_that_nobody_claims(make: Make) -> None:
    computer = make(lease=1)
    pid = computer.run_command("setsid sleep 1000 >/dev/null 2>&1 & echo $!").output.strip()
    time.sleep(1.5)
    assert is_alive(pid), "a client that is there renews it"
    computer.detach()
    wait_for(lambda: not is_alive(pid), 5)


def test_the_server_can_be_reached_by_nobody_else(make: Make, tmp_path: Path) -> None:
    computer = make()
    computer.run_command("true")
    server = tmp_path / "root/attempt/server"
    assert server.stat().st_mode & 0o777 == 0o700
    assert (server / "socket").stat().st_mode & 0o777 == 0o600
    assert (server / "socket").is_socket()


def test_nonsense_at_the_socket_disturbs_nobody(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer = make()
    computer.run_command("A=1")
    monkeypatch.chdir(tmp_path / "root/attempt/server")
    for said in (
        b"nonsense\n",
        b"[]\n",
        b'{"do": "hello"}\n',
        b'{"do": "run", "session": "main"}\n',
        b"[" * 9999 + b"\n",
    ):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect("socket")
            stranger.sendall(said)
            stranger.settimeout(5)
            assert stranger.recv(100) in {b"", b'{"id": null, "error": "say hello first"}\n'}
    assert computer.run_command("echo $A").output == "1\n"


def test_a_reader_that_does_not_read_holds_up_nothing(make: Make) -> None:
    """The server neither waits for a client that is stuck, nor keeps what it should have read for ever."""
    computer = make()
    computer.run_command("true")
    child = transport_of(computer)._children[-1]
    os.kill(child.pid, signal.SIGSTOP)
    assert computer.run_command("echo on").output == "on\n"
    assert child.poll() == -signal.SIGKILL  # it was given up, and ended


def test_a_python_that_is_missing_is_named(make: Make) -> None:
    computer = make(python="/nowhere/python3")
    message = (
        r"^the test host has no Python 3\.8 or later as /nowhere/python3: "
        r"install it, or say in the inventory which one by python: PATH$"
    )
    with pytest.raises(UnusableError, match=message):
        computer.run_command("true")


def test_a_root_that_cannot_be_made_is_named(make: Make, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("")
    with pytest.raises(UnusableError, match=r"^the test host could not be set up: mkdir: cannot create"):
        make().run_command("true")


def test_unknown_sessions_are_named(make: Make) -> None:
    computer = make()
    computer.run_command("true")
    with pytest.raises(UnknownNameError, match=r"^unknown session 'x': known: main$"):
        computer.read_output("x")


def test_what_an_attempt_left_can_be_discarded(make: Make, tmp_path: Path) -> None:
    computer = make()
    computer.run_command("chmod 500 data")
    computer.close()
    computer.discard()
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["programs"]
