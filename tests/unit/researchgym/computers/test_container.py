"""Containers, in a real engine where one answers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.computers.base import ComputerLostError
from pytest_innovatorbench.researchgym.computers.container import (
    LABEL,
    ContainerComputer,
    ask_engine,
    gpu_options,
    image_problem,
    remove_leftovers,
)
from pytest_innovatorbench.researchgym.computers.gpus import Gpu
from pytest_innovatorbench.researchgym.computers.inventory import ContainerImage
from pytest_innovatorbench.researchgym.computers.transport import UnusableError
from pytest_innovatorbench.researchgym.computers.workspace import Workspace
from pytest_innovatorbench.sandbox.model import Bind
from tests.containers import IMAGE, OPTIONS, prepare_podman

Make = Callable[..., ContainerComputer]
CONTAINER = "ibench-test-one"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "engine"
    folder.mkdir()
    yield prepare_podman(folder, monkeypatch)
    for container in ask_engine("podman", "ps", "-aq").output.decode().split():
        ask_engine("podman", "rm", "-f", "-t", "0", container)


@pytest.fixture
def make(engine: str, tmp_path: Path) -> Iterator[Make]:
    made: list[ContainerComputer] = []
    lower, record = tmp_path / "gym", tmp_path / "record"
    for folder in (lower, record, record / "workspace", record / "station"):
        folder.mkdir()
    (lower / "given").write_text("data\n")

    def make(image: str = IMAGE, **options: object) -> ContainerComputer:
        computer = ContainerComputer(
            ContainerImage(engine=engine, image=image, options=OPTIONS),  # type: ignore[arg-type]  # podman
            name=CONTAINER,
            record=record,
            folder=record / "station",
            workspace=Workspace(lower, record / "workspace", is_shared=True),
            **options,  # type: ignore[arg-type]  # of each test
        )
        made.append(computer)
        return computer

    yield make
    for computer in made:
        computer.close()


def test_packed_programs_go_before_those_of_the_image(make: Make, tmp_path: Path) -> None:
    program = tmp_path / "conda" / "bin" / "ls"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho packed\n")
    program.chmod(0o755)
    packed = Bind(source=tmp_path / "conda", dest="/workspace/conda")
    computer = make(binds=[packed], programs="/workspace/conda/bin")
    assert computer.run_command("ls").output == "packed\n"
    assert computer.run_command("echo mine > conda/bin/ls").exit_status != 0
    assert "packed" in program.read_text()


def containers() -> list[str]:
    return ask_engine("podman", "ps", "-aq").output.decode().split()


def test_commands_run_in_the_workspace_and_the_container_goes_at_the_end(make: Make, tmp_path: Path) -> None:
    computer = make(environment={"X": "5"})
    assert containers() == []
    seen = computer.run_command("pwd; cat given; echo $X > data/outputs/made; exit 3")
    assert (seen.output, seen.exit_status) == ("/workspace\ndata\n", 3)
    assert (tmp_path / "record/workspace/copy/data/outputs/made").read_text() == "5\n"
    assert (tmp_path / "gym/given").read_text() == "data\n"
    assert [entry.path for entry in computer.entries("data/outputs")] == ["made"]
    answer = computer.do_with_file({"op": "create", "path": "note", "content": "hello"})
    assert answer["path"] == "/workspace/note"
    assert len(containers()) == 1
    computer.close()
    assert containers() == []
    assert [entry.path for entry in computer.entries("data/outputs")] == ["made"]


def test_a_container_is_cut_off_and_without_rights(make: Make, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("shown")
    computer = make(binds=[Bind(source=tmp_path / "tool", dest="/tool")], memory=256 << 20)
    seen = computer.run_command("ls /sys/class/net; grep -E 'CapEff|NoNewPrivs' /proc/self/status; cat /tool")
    assert seen.output.split() == ["lo", "CapEff:", "0000000000000000", "NoNewPrivs:", "1", "shown"]
    assert computer.run_command("echo x > /tool").exit_status == 1
    told = json.loads(ask_engine("podman", "inspect", CONTAINER).output)[0]
    if os.geteuid() == 0:  # without root, an engine passes over what it cannot hold
        assert told["HostConfig"]["Memory"] == 256 << 20
    assert told["Config"]["Labels"][LABEL] == str(tmp_path / "record")


def test_another_harness_goes_on_with_the_sessions(make: Make) -> None:
    first = make()
    first.run_command("X=kept")
    first.run_command("sleep 1; echo done > late", session="job", wait=0)
    first.detach()
    second = make()
    assert second.run_command("echo $X").output == "kept\n"
    time.sleep(1)
    assert second.run_command("cat late").output == "done\n"


def test_a_container_that_is_gone_is_a_loss_and_starts_again_with_its_files(make: Make) -> None:
    computer = make()
    computer.run_command("echo kept > note")
    ask_engine("podman", "kill", CONTAINER)
    with pytest.raises(ComputerLostError, match=r"was started again|was lost"):
        computer.run_command("true", wait=5)
    assert computer.run_command("cat note").output == "kept\n"


def test_what_is_left_of_attempts_that_are_over_is_removed(engine: str, tmp_path: Path) -> None:
    (over, going) = (tmp_path / "over", tmp_path / "going")
    for folder in (over, going):
        folder.mkdir()
        words = ["run", "-d", "--network=none", f"--label={LABEL}={folder}", *OPTIONS, IMAGE, "sleep", "100"]
        assert ask_engine(engine, *words).status == 0
    assert ask_engine(engine, "run", "-d", "--network=none", *OPTIONS, IMAGE, "sleep", "100").status == 0
    (over / "result.json").touch()
    assert remove_leftovers(engine) == [str(over)]
    going.rmdir()
    assert remove_leftovers(engine) == [str(going)]
    assert len(containers()) == 1  # somebody else's


def test_an_image_that_is_not_there_is_named(make: Make) -> None:
    with pytest.raises(UnusableError, match=r"image localhost/none-such cannot be used: .*none-such"):
        make(image="localhost/none-such")


def test_an_engine_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = "docker was not found: install it, or change the inventory"
    assert image_problem(ContainerImage(engine="docker", image="x")) == said
    with pytest.raises(UnusableError, match=said):
        ask_engine("docker", "ps")


def test_gpus_are_asked_for_as_each_engine_wants_it() -> None:
    gpus = [Gpu(index=0, uuid="GPU-a"), Gpu(index=1)]
    assert gpu_options("docker", gpus) == ['--gpus="device=GPU-a,1"']
    assert gpu_options("podman", gpus) == ["--device=nvidia.com/gpu=GPU-a", "--device=nvidia.com/gpu=1"]
    assert gpu_options("docker", []) == gpu_options("podman", []) == []


def test_the_engine_is_asked_for_what_it_is_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker, where none answers: what it would be told."""
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncase $1 in image) echo "[]";; inspect|exec) exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("gym", "record", "workspace", "station"):
        (tmp_path / name).mkdir()
    computer = ContainerComputer(
        ContainerImage(engine="docker", image="lab/image", options=("--shm-size=1g",)),
        name="one",
        record=tmp_path / "record",
        folder=tmp_path / "station",
        workspace=Workspace(tmp_path / "gym", tmp_path / "workspace", is_shared=True),
        memory=1000,
    )
    with pytest.raises(UnusableError):  # it says nothing of Python
        computer.run_command("true")
    computer.close()
    asked = (tmp_path / "asked").read_text().splitlines()
    run = next(line for line in asked if line.startswith("run "))
    assert "--network=none --memory=1000b --shm-size=1g lab/image -c" in run
    assert "--cap-drop=all --security-opt=no-new-privileges --pids-limit=4096" in run
    assert asked[-1] == "rm -f one"
