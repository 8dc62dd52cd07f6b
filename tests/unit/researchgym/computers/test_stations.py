from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.computers.stations import (
    Computers,
    Station,
    UnknownComputerError,
    alone,
)
from pytest_innovatorbench.researchgym.computers.workspace import Workspace
from pytest_innovatorbench.sandbox import open_sandbox


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Computers]:
    """Two sandboxes with one workspace; the second has the outputs."""
    lower = tmp_path / "gym"
    lower.mkdir()
    (lower / "given").write_text("data")
    private = tmp_path / "private"
    private.mkdir()
    workspace = Workspace(lower, private, is_shared=True)
    stations = []
    for name, role in (("desk", "prepare"), ("box", "train")):
        folder = tmp_path / name
        folder.mkdir()
        computer = LocalComputer(
            open_sandbox("bubblewrap"),
            workspace_lower=lower,
            folder=folder,
            environment={"HERE": name},
            workspace=workspace,
        )
        stations.append(Station(name=name, role=role, computer=computer, has_outputs=name == "box"))
    computers = Computers(stations=tuple(stations))
    yield computers
    computers.close()


def test_computers_are_found_by_name_and_role(pair: Computers) -> None:
    desk, box = pair
    assert [pair.find(name) for name in ("desk", "prepare", "box", "train")] == [desk, desk, box, box]
    assert [pair.find(name) for name in ("", "localhost", "127.0.0.1")] == [desk] * 3
    assert pair.first is desk
    assert pair.outputs is box.computer


def test_a_computer_that_there_is_not_is_an_error_that_lists_those_there_are(pair: Computers) -> None:
    said = r"unknown computer 'gpu': known: desk \(prepare\), box \(train\)"
    with pytest.raises(UnknownComputerError, match=said):
        pair.find("gpu")


def test_the_name_of_a_computer_goes_before_a_role() -> None:
    computer = alone(LocalComputer.__new__(LocalComputer)).first.computer
    first = Station(name="a", role="b", computer=computer)
    second = Station(name="b", role="a", computer=computer)
    assert Computers(stations=(first, second)).find("b") is second


def test_sessions_are_addressed_with_their_computers(pair: Computers) -> None:
    desk, box = pair
    assert pair.address({"session_id": "box:main"}) == (box, {"session_id": "main"})
    assert pair.address({"session_id": "desk:main"}) == (desk, {"session_id": "main"})
    assert pair.address({"session_id": "a:main", "computer_ip": "train"})[1]["session_id"] == "a:main"
    assert pair.address({"session_id": "box:a", "computer_ip": "desk"})[0] is desk
    assert pair.address({"session_id": "main"}) == (desk, {"session_id": "main"})
    assert pair.address({}) == (desk, {})
    assert (pair.label(desk, "s"), pair.label(box, "s")) == ("s", "box:s")
    assert (pair.plain("desk:s"), pair.plain("box:s"), pair.plain("s")) == ("s", "box:s", "s")


def test_computers_of_this_machine_have_one_workspace(pair: Computers) -> None:
    desk, box = (station.computer for station in pair)
    assert desk.run_command("cat given; echo $HERE > data/outputs/made").output == "data"
    assert box.run_command("cat data/outputs/made; echo more >> given; echo $HERE").output == "desk\nbox\n"
    assert desk.run_command("cat given").output == "datamore\n"
    assert isinstance(desk, LocalComputer)
    assert desk.workspace_note == "it is shared"
    assert [entry.path for entry in pair.outputs.entries("data/outputs")] == ["made"]


def test_what_there_is_is_described() -> None:
    computer = alone(LocalComputer.__new__(LocalComputer)).first.computer
    assert alone(computer).describe() == ""
    gpu = Station(name="box", role="train", computer=computer, gpus="GPU 1 (24 GB)")
    assert Computers(stations=(gpu,)).describe() == "box (role train, GPU 1 (24 GB))"
    desk = Station(name="desk", role="prepare", computer=computer)
    both = "desk (role prepare, no GPU); box (role train, GPU 1 (24 GB)). computer_ip takes a name or a role, and is desk if left out."
    assert Computers(stations=(desk, gpu)).describe() == f"{both} All have the same workspace"
    apart = Computers(stations=(desk, gpu), is_workspace_shared=False)
    assert apart.describe() == (
        f"{both} Each has a workspace of its own; the outputs on desk are evaluated. "
        "Paths for files are on desk unless they begin with another name, as box:data"
    )
