"""The gym while one of its two computers cannot be reached."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.agents.react.habits import Habits
from pytest_innovatorbench.agents.react.watching import Watch
from pytest_innovatorbench.researchgym.computers.remote import RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import SyncedWorkspace
from pytest_innovatorbench.researchgym.computers.stations import Computers, Station
from pytest_innovatorbench.researchgym.computers.steady_client import Pace
from pytest_innovatorbench.researchgym.model import Action
from tests.breakable import Breakable
from tests.conftest import Tree
from tests.unit.researchgym.test_gym import Place

IMPATIENT = Pace(beat=0.2, deadline=1, first_pause=0.05, longest_pause=0.1, patience=0.5)


class Divided(Place):
    """A gym over a local computer, ``desk``, and one that can be cut off, ``box``."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        folder.mkdir()
        super().__init__(tree, folder / "desk")
        (folder / "mirror").mkdir()
        self.way = Breakable()
        workspace = SyncedWorkspace(self.gym.task.gym, folder / "mirror")
        box = RemoteComputer(
            self.way,
            workspace,
            name="a",
            root=str(folder / "box"),
            python=sys.executable,
            lease=60,
            pace=IMPATIENT,
        )
        desk = self.gym.computer
        box.when_finished = lambda session: self.gym._alarm.job_ended(f"box:{session}")
        stations = (
            Station(name="desk", role="prepare", computer=desk),
            Station(name="box", role="train", computer=box),
        )
        self.gym.computers = Computers(stations=stations)
        assert self.run("true", computer_ip="box").success


@pytest.fixture
def place(tree: Tree, tmp_path: Path) -> Iterator[Divided]:
    place = Divided(tree, tmp_path / "computers")
    yield place
    place.gym.computers.close()


@pytest.mark.parametrize("until", ["any", "none"])
def test_a_sleep_is_a_sleep_while_a_computer_is_away(place: Divided, until: str) -> None:
    place.way.cut()
    began = time.monotonic()
    seen = place.act("sleep", sleep_time=1, until=until)
    assert (seen.success, seen.message) == (True, "Slept 1 s: the time is over.")
    assert time.monotonic() - began >= 1


def test_a_command_on_a_computer_that_is_away_can_be_waited_for(place: Divided) -> None:
    place.act("run_command", command="sleep 2; echo trained", computer_ip="box")
    place.way.cut()
    threading.Timer(1.2, lambda: setattr(place.way, "is_cut", False)).start()
    seen = place.act("sleep", sleep_time=30, until="box:main")
    assert "the command in session 'box:main' ended" in seen.message
    assert place.act("get_session_output", computer_ip="box").message == "trained\n"


def test_sessions_of_the_others_are_listed(place: Divided) -> None:
    place.run("true")
    place.way.cut()
    seen = place.act("list_sessions")
    assert seen.success
    desk, box = seen.message.splitlines()
    assert desk == "desk:main: idle, the last command ended with 0"
    assert box.startswith("box: the test host does not answer")
    assert list(seen.data["output"]) == ["desk:main"]
    alone = place.act("list_sessions", computer_ip="box")
    assert (alone.success, alone.data["computer_away"]) == (False, True)


def test_asking_again_for_a_computer_that_is_away_is_no_going_round_in_circles(place: Divided) -> None:
    place.way.cut()
    action = Action(name="run_command", arguments={"command": "true", "computer_ip": "box"})
    seen = place.gym.act(action)
    assert seen.message.endswith("it may come back. What runs on it goes on; sleep, and try again.")
    watch = Watch(Habits(repeat_warning=2, repeat_limit=3))
    assert [watch.acted(action, seen, 0.1) for _ in range(9)] == [""] * 9


def test_words_that_were_heard_do_not_end_the_next_sleep(place: Divided) -> None:
    place.gym.tell("Mind the outliers.")
    assert place.gym.hear() == ("Mind the outliers.",)
    assert place.act("sleep", sleep_time=0.3).message.endswith("the time is over.")
    place.gym.tell("And the units.")
    assert place.act("sleep", sleep_time=30).message.endswith("a person has something to say.")


def test_a_word_said_while_others_are_heard_is_not_lost(
    place: Divided, monkeypatch: pytest.MonkeyPatch
) -> None:
    hush = place.gym._alarm.hush

    def tell_and_hush(reason: str) -> None:
        place.gym.tell("b")
        hush(reason)

    place.gym.tell("a")
    monkeypatch.setattr(place.gym._alarm, "hush", tell_and_hush)
    heard = place.gym.hear()
    slept = place.act("sleep", sleep_time=0.3).message
    assert heard == ("a", "b") or slept.endswith("a person has something to say.")
