"""The gym over two computers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.computers.stations import Computers, Station
from pytest_innovatorbench.researchgym.computers.workspace import Workspace
from pytest_innovatorbench.researchgym.gym import ResearchGym, Verdict
from pytest_innovatorbench.researchgym.ledger import Allowance
from pytest_innovatorbench.researchgym.model import Action, Observation
from pytest_innovatorbench.researchgym.parsing.parser import Parser
from pytest_innovatorbench.researchgym.web.browser import Browser
from pytest_innovatorbench.researchgym.web.policy import Policy
from pytest_innovatorbench.sandbox import open_sandbox
from pytest_innovatorbench.tasks.benchmark import open_benchmark
from tests.conftest import Tree


class Place:
    """A gym over two sandboxes with one workspace."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        tree.add_task()
        task = open_benchmark(tree.root).load("toy")
        sandbox = open_sandbox("bubblewrap")
        workspace = Workspace(task.gym, _made(folder), is_shared=True)
        stations = tuple(
            Station(
                name=name,
                role=role,
                computer=LocalComputer(
                    sandbox,
                    workspace_lower=task.gym,
                    folder=_made(folder / name),
                    environment={"HERE": name},
                    workspace=workspace,
                ),
            )
            for name, role in (("desk", "prepare"), ("box", "train"))
        )
        parser = Parser(sandbox)
        self.gym = ResearchGym(
            task=task,
            seed=0,
            allowance=Allowance(seconds=60, evals=1, steps=99),
            computer=Computers(stations=stations),
            parser=parser,
            browser=Browser(Policy(mode="none"), parser),
            judge=lambda: Verdict(score=1.0, message=""),
            record=lambda kind, /, **data: {"kind": kind, "t": 0.0, **data},
            clock=lambda: 0.0,
        )

    def act(self, name: str, **arguments: Any) -> Observation:
        return self.gym.act(Action(name=name, arguments=arguments))

    def run(self, command: str, **arguments: Any) -> Observation:
        return self.act("run_command", command=command, wait_for_completion=True, **arguments)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def place(tree: Tree, tmp_path: Path) -> Iterator[Place]:
    place = Place(tree, tmp_path / "computers")
    yield place
    place.gym.computers.close()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "desk"),
        ({"computer_ip": "desk"}, "desk"),
        ({"computer_ip": "box"}, "box"),
        ({"computer_ip": "train"}, "box"),
        ({"session_id": "box:main"}, "box"),
        ({"computer_ip": "box", "session_id": "other"}, "box"),
    ],
)
def test_commands_run_where_they_are_sent(place: Place, where: dict[str, str], expected: str) -> None:
    assert place.run("echo $HERE", **where).message == f"{expected}\n"


def test_a_wrong_name_is_an_observation_that_lists_the_right_ones(place: Place) -> None:
    seen = place.run("true", computer_ip="gpu")
    assert not seen.success
    assert seen.message == "run_command: unknown computer 'gpu': known: desk (prepare), box (train)"
    assert place.act("list_sessions", computer_ip="gpu").message.startswith("list_sessions: unknown computer")


def test_sessions_are_listed_with_their_computers(place: Place) -> None:
    place.run("cd task")
    place.run("false", computer_ip="box")
    rows = ["desk:main: idle, the last command ended with 0", "box:main: idle, the last command ended with 1"]
    assert place.act("list_sessions").message == "\n".join(rows)
    assert place.act("list_sessions", computer_ip="train").message == rows[1]


def test_sessions_of_one_name_are_apart(place: Place) -> None:
    place.run("X=desk")
    place.run("X=box", computer_ip="box")
    assert place.run("echo $X").message == "desk\n"
    assert place.act("close_session", session_id="main", computer_ip="box").success
    assert place.act("get_session_output", session_id="main").message == "desk\n"


@pytest.mark.parametrize("until", ["any", "box:work"])
def test_a_sleep_ends_with_a_command_on_another_computer(place: Place, until: str) -> None:
    place.act("run_command", command="sleep 0.5", session_id="work", computer_ip="box")
    began = time.monotonic()
    seen = place.act("sleep", sleep_time=30, until=until)
    assert seen.data["reason"] == "the command in session 'box:work' ended"
    assert time.monotonic() - began < 10


def test_a_sleep_can_wait_for_a_session_of_the_first_by_its_whole_name(place: Place) -> None:
    place.act("run_command", command="sleep 0.5", session_id="work")
    seen = place.act("sleep", sleep_time=30, until="desk:work")
    assert seen.data["reason"] == "the command in session 'work' ended"


def test_the_end_of_an_attempt_stops_all_computers(place: Place) -> None:
    place.act("run_command", command="sleep 60", session_id="work", computer_ip="box")
    place.gym.end("time")
    assert place.gym.computers.find("box").computer.list_sessions() == ()
