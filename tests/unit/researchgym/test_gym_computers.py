"""The gym over two computers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
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


@pytest.fixture
def apart(place: Place, tmp_path: Path) -> Place:
    """The second sandbox has a workspace of its own."""
    desk, box = place.gym.computers
    there = LocalComputer(
        open_sandbox("bubblewrap"), workspace_lower=place.gym.task.gym, folder=_made(tmp_path / "apart")
    )
    stations = (desk, replace(box, computer=there, has_outputs=True))
    box.computer.close()
    place.gym.computers = Computers(stations=stations, is_workspace_shared=False)
    return place


def test_paths_name_the_computer_they_are_on(apart: Place) -> None:
    lines = "".join(f"{number}\n" for number in range(1, 301))
    made = apart.act("create_file", filename="box:data/a.txt", content=lines)
    assert (made.success, made.data["computer_ip"]) == (True, "box")
    apart.act("create_file", filename="a.txt", content="desk\n")
    assert apart.run("cat /workspace/data/a.txt | wc -l", computer_ip="box").message == "300\n"
    assert not apart.act("open_file", path="data/a.txt").success
    assert "computer_ip" not in apart.act("list_files", path="data").data
    assert apart.act("list_files", path="box:").data["list_directories"][0] == "data"
    assert apart.act("search_dir", search_term="299", dir_path="box:/workspace").data["num_matches"] == 1
    assert apart.act("find_file", file_name="a.txt", dir_path="box:.").data["num_matches"] == 1
    edited = apart.act("edit_file", path="box:data/a.txt", start=1, end=1, content="first")
    assert edited.success
    assert apart.act("get_file_info", file_path="box:/workspace/data/a.txt").data["size"] == len(lines) + 4


def test_the_open_file_stays_open_where_it_is(apart: Place) -> None:
    apart.act("create_file", filename="box:a.txt", content="".join(f"box {n}\n" for n in range(1, 301)))
    apart.act("create_file", filename="a.txt", content="".join(f"desk {n}\n" for n in range(1, 301)))
    apart.act("open_file", path="box:a.txt")
    assert "box 101" in apart.act("file_scroll_down").message
    assert "box 250" in apart.act("file_goto_line", line_number=250).message
    assert apart.act("search_file", search_term="box 7").data["num_matches"] == 11
    assert apart.act("get_file_info").data["computer_ip"] == "box"
    assert not apart.act("open_file", path="nothing.txt").success
    assert "box 1" in apart.act("file_goto_line", line_number=1).message
    apart.act("open_file", path="a.txt")
    assert "desk 101" in apart.act("file_scroll_down").message


def test_names_that_look_like_a_computer_are_files_all_the_same(apart: Place) -> None:
    assert (
        apart.act("create_file", filename="./box:a", content="1")
        .data["file_path"]
        .endswith("/workspace/box:a")
    )
    assert apart.act("create_file", filename="train:a", content="1").data["file_path"].endswith("/train:a")
    assert apart.run("ls").message.split() == ["box:a", "data", "task", "train:a"]


def test_a_call_is_about_one_computer(apart: Place) -> None:
    refused = apart.act("parse_pdf", file_path="box:a.pdf", save_path="desk:b.txt")
    assert refused.message == "parse_pdf: paths on box and desk in one call; give one computer"
    apart.run("printf '%s' hello >/workspace/data/a.tex", computer_ip="box")
    seen = apart.act("parse_latex", file_path="box:data/a.tex", save_path="box:b.txt")
    assert (seen.success, seen.data["computer_ip"]) == (True, "box")
    assert apart.run("cat /workspace/b.txt", computer_ip="box").message == "hello"


def test_agents_are_told_how_to_reach_files_elsewhere(apart: Place) -> None:
    assert apart.gym.computers.describe().endswith(
        "the outputs on box are evaluated. Paths for files are on desk unless they begin with another name, as box:data"
    )
