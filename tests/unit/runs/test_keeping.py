"""Snapshots of an attempt while it works, on a real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.agents.base import ResumableAgent
from pytest_innovatorbench.agents.scripted import Nop
from pytest_innovatorbench.researchgym.computers.workspace import Workspace
from pytest_innovatorbench.runs import keeping
from pytest_innovatorbench.runs.keeping import REQUEST_FILE, STATE_FILE, Keeper, open_store
from pytest_innovatorbench.settings import Interval
from tests.conftest import Tree
from tests.unit.researchgym.test_gym import Place


class Counts:
    """An agent whose state is what a test makes of it."""

    binds = ()

    def __init__(self) -> None:
        self.kept: Any = {"count": 1}

    def run(self, gym: Any) -> None:
        """Do nothing."""

    def state(self) -> dict[str, Any]:
        if isinstance(self.kept, Exception):
            raise self.kept
        return self.kept  # type: ignore[no-any-return]  # any JSON value

    def restore(self, state: Any) -> None:
        self.kept = state


class Kept:
    """A gym with a keeper."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        self.place = Place(tree, folder / "computer")
        self.folder = folder
        self.agent = Counts()
        self.keepers: list[Keeper] = []

    def begin(self, every: Interval | None, agent: Any = None) -> Keeper:
        keeper = Keeper(
            gym=self.place.gym,
            agent=agent or self.agent,
            folder=self.folder,
            tree=Workspace(self.place.gym.task.gym, self.folder / "computer").tree,
            store=self.folder / "store",
            every=every,
            about={"task": "toy"},
            seconds=lambda: self.place.seconds,
            parent=None,
        )
        self.keepers.append(keeper)
        return keeper

    def told(self, kind: str = "snapshot") -> list[dict[str, Any]]:
        return [event for event in self.place.events if event["kind"] == kind]


@pytest.fixture
def kept(tree: Tree, tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tree, tmp_path)
    yield kept
    kept.place.gym.computer.close()
    for keeper in kept.keepers:
        keeper.close()


def test_one_is_taken_after_so_many_steps_and_at_evaluations(kept: Kept) -> None:
    kept.begin(Interval(steps=2))
    for number in range(5):
        kept.place.run(f"echo {number} >data/outputs/n")
    kept.place.verdicts = [50.0]
    kept.place.act("eval")
    told = kept.told()
    assert [event["reason"] for event in told] == ["steps", "steps", "steps"]
    assert all(event["between_steps"] for event in told)
    kept.begin(Interval())
    kept.place.run("true")
    kept.place.verdicts = [60.0]
    kept.place.act("eval")
    assert [event["reason"] for event in kept.told()[3:]] == ["eval"]
    payload = open_store(kept.folder / "store").payload(kept.told()[-1]["id"])
    assert (payload["task"], payload["ledger"]["evals"], payload["layer"]) == ("toy", 2, "upper")
    assert payload["state"] == {"count": 1}


def test_one_is_taken_after_so_much_working_time(kept: Kept) -> None:
    kept.begin(Interval(seconds=10))
    for kept.place.seconds in (4.0, 9.9, 10.0, 19.9, 20.5):
        kept.place.run("true")
    assert [event["t"] for event in kept.told()] == [10.0, 20.5]


def test_step_that_lasts_does_not_hold_one_up_for_ever(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_LOOK", 0.05)
    monkeypatch.setattr(keeping, "_LONGEST_WAIT", 0.2)
    kept.begin(Interval(seconds=10))
    kept.place.run("echo before >data/outputs/n")
    kept.place.seconds = 11.0
    kept.place.run("echo meanwhile >data/outputs/n; sleep 2")
    (first, *_) = kept.told()
    assert (first["reason"], first["between_steps"]) == ("time", False)
    open_store(kept.folder / "store").restore(first["id"], kept.folder / "seen")
    assert (kept.folder / "seen/data/outputs/n").read_text() == "meanwhile\n"


def test_one_is_taken_once_it_is_asked_for(kept: Kept) -> None:
    kept.begin(None)
    kept.place.run("true")
    (kept.folder / REQUEST_FILE).touch()
    kept.place.run("true")
    kept.place.run("true")
    assert [event["reason"] for event in kept.told()] == ["asked"]
    assert not (kept.folder / REQUEST_FILE).exists()


def test_store_that_cannot_be_used_is_told_and_the_attempt_goes_on(kept: Kept) -> None:
    (kept.folder / "store").write_text("in the way")
    kept.begin(Interval(steps=1))
    assert kept.place.run("true").success
    (failed,) = kept.told("snapshot_failed")
    assert (failed["reason"], kept.told()) == ("steps", [])
    assert failed["error"].startswith("the store of snapshots cannot be used (")


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (ValueError("no\nstate"), "ValueError: no state"),
        ({"when": object()}, "TypeError: Object of type object is not JSON serializable"),
        ({"n": float("nan")}, "ValueError: Out of range float values are not JSON compliant"),
    ],
)
def test_agent_whose_state_cannot_be_kept_works_on(kept: Kept, state: Any, error: str) -> None:
    kept.begin(None)
    kept.place.run("true")
    kept.agent.kept = state
    assert kept.place.run("true").success
    (failed,) = kept.told("snapshot_failed")
    assert failed["reason"] == "state"
    assert failed["error"].startswith(error)
    assert (kept.folder / STATE_FILE).read_text() == '{"count": 1}'


def test_agents_without_a_state_have_none(kept: Kept) -> None:
    assert isinstance(kept.agent, ResumableAgent)
    assert not isinstance(Nop(), ResumableAgent)
    kept.begin(Interval(steps=1), Nop())
    kept.place.run("true")
    assert not (kept.folder / STATE_FILE).exists()
    assert open_store(kept.folder / "store").payload(kept.told()[0]["id"])["state"] is None


def test_parent_that_was_pruned_is_left_out(kept: Kept) -> None:
    kept.begin(Interval(steps=1))
    kept.place.run("true")
    store = open_store(kept.folder / "store")
    store.prune(lambda _: ())
    kept.place.run("true")
    kept.place.run("true")
    assert [snapshot.parent for snapshot in store.list()] == [None, kept.told()[1]["id"]]


def test_nothing_is_taken_once_it_is_over(kept: Kept) -> None:
    keeper = kept.begin(Interval(steps=1))
    keeper.close()
    kept.place.run("true")
    keeper.take("asked", is_between=False)
    assert kept.told() == []
