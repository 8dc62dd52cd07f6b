from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.errors import MachineFaultError, UnknownNameError
from pytest_innovatorbench.researchgym.computers.base import (
    ComputerClosedError,
    ComputerLostError,
    DiskQuotaError,
)
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.sandbox import Bind, Limits, Sandbox, open_sandbox

Make = Callable[..., LocalComputer]


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    folder = tmp_path / "gym task"
    (folder / "data/datasets").mkdir(parents=True)
    (folder / "data/datasets/train").write_text("1 2 3\n")
    return folder


@pytest.fixture(params=["bubblewrap", "none"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return open_sandbox(request.param)


@pytest.fixture
def make(tmp_path: Path, lower: Path, sandbox: Sandbox) -> Iterator[Make]:
    computers = []

    def make(folder: str = "computer", **options: Any) -> LocalComputer:
        private = tmp_path / folder
        private.mkdir(exist_ok=True)
        computer = LocalComputer(sandbox, workspace_lower=lower, folder=private, **options)
        computers.append(computer)
        return computer

    yield make
    for computer in computers:
        computer.close()


confined = pytest.mark.parametrize("sandbox", ["bubblewrap"], indirect=True)


def paths(computer: LocalComputer, below: str = "") -> list[str]:
    return [entry.path for entry in computer.entries(below)]


def test_commands_run_in_the_workspace(make: Make) -> None:
    computer = make()
    result = computer.run_command(
        "cat data/datasets/train; echo new > data/outputs/a; exit_status=1; (exit 3)"
    )
    assert (result.exit_status, result.output, result.output_bytes) == (3, "1 2 3\n", 6)
    assert (result.session, result.timed_out, result.truncated, result.note) == ("main", False, False, None)
    (entry,) = computer.entries("data/outputs")
    with entry.open() as file:
        assert (entry.path, file.read()) == ("a", b"new\n")


def test_the_start_state_is_never_changed(make: Make, lower: Path) -> None:
    computer = make()
    computer.run_command("rm -r data/datasets; touch here; ls -A")
    assert paths(computer) == ["data", "data/checkpoints", "data/outputs", "here"]
    assert sorted(str(path.relative_to(lower)) for path in lower.rglob("*")) == [
        "data",
        "data/datasets",
        "data/datasets/train",
    ]


def test_a_computer_that_is_not_used_costs_nothing(make: Make, tmp_path: Path) -> None:
    computer = make()
    assert computer.list_sessions() == ()
    assert paths(computer) == [
        "data",
        "data/datasets",
        "data/datasets/train",
    ]
    computer.interrupt()
    computer.kill_session("main")
    computer.close()
    assert list((tmp_path / "computer").iterdir()) == []


@confined
def test_the_workspace_is_layered_where_it_can_be(make: Make, tmp_path: Path) -> None:
    computer = make()
    computer.run_command("true")
    assert computer.workspace_note is None
    computer.close()
    assert sorted(path.name for path in (tmp_path / "computer").iterdir()) == [
        "programs",
        "sessions",
        "upper",
    ]


@confined
def test_it_falls_back_to_a_copy_and_says_so(make: Make, lower: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(lower / "data/datasets", 12345, 12345)
    computer = make()
    result = computer.run_command("echo 4 >> data/datasets/train; cat data/datasets/train; pwd")
    assert result.output == "1 2 3\n4\n/workspace\n"
    assert computer.workspace_note == f"{lower / 'data/datasets'} belongs to another user"
    assert (lower / "data/datasets/train").read_text() == "1 2 3\n"
    assert "data/datasets/train" in paths(computer)


def test_a_later_computer_goes_on_with_the_workspace(make: Make) -> None:
    first = make()
    first.run_command("echo 1 > data/outputs/a; rm data/datasets/train")
    first.close()
    second = make()
    assert (
        second.run_command("ls data/outputs data/datasets").output == "data/datasets:\n\ndata/outputs:\na\n"
    )


def test_the_environment_is_known(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBENCH_TEST_SECRET", "sesame")
    computer = make(environment={"PATH": "/opt/x:/usr/bin:/bin", "TASK": "t"})
    output = computer.run_command("env; cd && pwd && touch here; touch $TMPDIR/$$ && rm $TMPDIR/$$").output
    variables = dict(line.partition("=")[::2] for line in output.splitlines() if "=" in line)
    assert variables["PATH"] == "/opt/x:/usr/bin:/bin"
    assert variables["TASK"] == "t"
    assert variables["HOME"] == output.splitlines()[-1]
    assert "sesame" not in output


@confined
def test_binds_are_visible(make: Make, tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/x").write_text("1")
    computer = make(binds=[Bind(source=tmp_path / "env", dest="/env")])
    assert computer.run_command("cat /env/x; touch /env/y").output.startswith("1touch: cannot touch")


def test_sessions_are_listed_and_apart(make: Make) -> None:
    computer = make()
    computer.run_command("A=1", session="a")
    result = computer.run_command("echo [$A]; sleep 1000", session="b", wait=0.2)
    assert (result.exit_status, result.output, result.timed_out) == (None, "[]\n", True)
    states = {state.session: state for state in computer.list_sessions()}
    assert set(states) == {"main", "a", "b"}
    assert states["a"].running is None
    assert states["a"].exit_status == 0
    assert states["b"].running == "echo [$A]; sleep 1000"
    assert (states["b"].seconds or 0) > 0.1
    busy = computer.run_command("true", session="b")
    assert busy.exit_status is None
    assert busy.note == "not run: session 'b' is still busy with: echo [$A]; sleep 1000"
    assert computer.read_output("b") == "[]\n"
    computer.interrupt("b")
    deadline = time.monotonic() + 10
    while any(state.running for state in computer.list_sessions()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert computer.run_command("echo $?", session="b").output == "130\n"
    computer.kill_session("b")
    assert {state.session for state in computer.list_sessions()} == {"main", "a"}


def test_an_unknown_session_is_an_error_that_lists_the_known(make: Make) -> None:
    computer = make()
    with pytest.raises(UnknownNameError, match=r"^unknown session 'x': known: none$"):
        computer.read_output("x")
    computer.run_command("true")
    with pytest.raises(UnknownNameError, match=r"^unknown session 'x': known: main$"):
        computer.read_output("x")


def test_much_output_is_cut_in_the_middle(make: Make) -> None:
    computer = make()
    result = computer.run_command("seq 1000000")
    assert result.truncated
    assert result.output_bytes == 6_888_896
    assert result.output.startswith("1\n2\n")
    assert "[... 6858896 bytes cut ...]" in result.output
    assert result.output.endswith("999999\n1000000\n")
    assert len(result.output) < 30_100
    assert computer.read_output(lines=2) == "999999\n1000000\n"


def test_many_threads_share_a_computer(make: Make) -> None:
    computer = make()
    outputs: list[str] = []

    def work(n: int) -> None:
        outputs.append(computer.run_command(f"sleep 0.1; echo {n}", session=str(n)).output)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outputs) == [f"{n}\n" for n in range(8)]


def test_closing_wakes_who_waits_at_once(make: Make) -> None:
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
    began = time.monotonic()
    computer.close()
    thread.join(10)
    assert time.monotonic() - began < 5
    assert [str(problem) for problem in caught] == ["the computer was closed"]
    computer.close()
    with pytest.raises(ComputerClosedError, match=r"^the computer was closed$"):
        computer.run_command("true")
    assert "data/datasets/train" in paths(computer)


@confined
def test_a_lost_server_is_a_loss_and_the_next_command_gets_a_new_one(make: Make) -> None:
    computer = make()
    with pytest.raises(ComputerLostError, match=r"^the sandbox was lost$"):
        computer.run_command("echo 1 > data/outputs/a; kill -9 $PPID; sleep 1000")
    assert paths(computer, "data/outputs") == ["a"]
    assert computer.run_command("cat data/outputs/a").output == "1\n"


@confined
def test_want_of_memory_ends_the_command_and_not_the_computer(make: Make) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has control groups here")
    computer = make(limits=Limits(memory=256 << 20))
    result = computer.run_command("head -c 1G /dev/zero | tail -n 1 | wc -c; echo ${PIPESTATUS[1]}")
    assert result.output.splitlines()[-1] == "137"
    assert computer.run_command("echo alive").output == "alive\n"


def test_one_file_cannot_outgrow_the_quota(make: Make) -> None:
    computer = make(disk_quota=1_000_000)
    with contextlib.suppress(DiskQuotaError):  # what head says of it is too much, if it is seen in time
        computer.run_command("head -c 2000000 /dev/zero >data/outputs/a")
    (entry,) = computer.entries("data/outputs")
    with entry.open() as file:
        assert len(file.read()) == 1_000_000


def test_many_files_cannot_outgrow_the_quota(make: Make) -> None:
    computer = make(disk_quota=2_000_000)
    command = "for i in {1..100}; do head -c 100000 /dev/zero > data/outputs/$i; done; sleep 1000"
    with pytest.raises(DiskQuotaError, match=r"^disk quota of 0\.002 GB exceeded$"):
        computer.run_command(command)
    assert computer.stopped == "disk quota of 0.002 GB exceeded"
    with pytest.raises(DiskQuotaError):
        computer.run_command("true")
    assert len(paths(computer, "data/outputs")) > 20


@confined
def test_what_is_printed_counts_too(make: Make) -> None:
    computer = make(disk_quota=3_000_000)
    with pytest.raises(DiskQuotaError):
        computer.run_command("head -c 2000000 /dev/zero > a; head -c 2000000 /dev/zero; sleep 1000")


@confined
def test_a_sandbox_that_cannot_be_set_up_is_the_machines_fault(make: Make, tmp_path: Path) -> None:
    computer = make(binds=[Bind(source=tmp_path / "gone", dest="/env")])
    with pytest.raises(MachineFaultError, match=r"^the sandbox could not be set up$"):
        computer.run_command("true")


@confined
def test_no_command_can_answer_for_the_server(make: Make) -> None:
    computer = make()
    result = computer.run_command(
        "for f in /proc/$PPID/fd/*; do echo '{\"id\": 1}' > $f; done; echo done", wait=10
    )
    assert result.exit_status == 0
    assert result.output.endswith("done\n")
    assert computer.run_command("echo next").output == "next\n"


def test_names_and_commands_may_hold_any_character(make: Make) -> None:
    computer = make()
    name = "a b\n'\"\\ \u00e9\u4e2d"
    assert (
        computer.run_command("echo '\u00e9\u4e2d \U0001f600'", session=name).output
        == "\u00e9\u4e2d \U0001f600\n"
    )
    assert name in {state.session for state in computer.list_sessions()}
