from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.gym import ResearchGym, Verdict
from pytest_innovatorbench.researchgym.ledger import Allowance
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError, Observation
from pytest_innovatorbench.researchgym.parsing.parser import Parser
from pytest_innovatorbench.researchgym.web.browser import Browser
from pytest_innovatorbench.researchgym.web.policy import Policy
from pytest_innovatorbench.sandbox import open_sandbox
from pytest_innovatorbench.tasks.benchmark import open_benchmark
from tests.conftest import Tree


class Place:
    """A gym on a real sandbox, with a judge that gives the scores a test wants."""

    def __init__(self, tree: Tree, folder: Path, **allowance: Any) -> None:
        tree.add_task(manifest="{domain: LD, hint: {penalty: 10}}", hint="use the force")
        task = open_benchmark(tree.root).load("toy")
        folder.mkdir()
        self.events: list[dict[str, Any]] = []
        self.verdicts: list[float | None] = []
        self.seconds = 0.0
        parser = Parser(open_sandbox("bubblewrap"))
        self.gym = ResearchGym(
            task=task,
            seed=0,
            allowance=Allowance(**{"seconds": 60, "evals": 3, "steps": 100, "hint_penalty": 10} | allowance),
            computer=LocalComputer(open_sandbox("bubblewrap"), workspace_lower=task.gym, folder=folder),
            parser=parser,
            browser=Browser(Policy(), parser),
            judge=self._judge,
            record=self._record,
            clock=lambda: self.seconds,
        )

    def act(self, name: str, **arguments: Any) -> Observation:
        return self.gym.act(Action(name=name, arguments=arguments))

    def run(self, command: str, **arguments: Any) -> Observation:
        return self.act("run_command", command=command, wait_for_completion=True, **arguments)

    def _judge(self) -> Verdict:
        score = self.verdicts.pop(0)
        event = {
            "score": score,
            "violation": None,
            "fault": None if score is not None else "evaluator",
            "error": "it hung",
        }
        return Verdict(
            score=score, message="well done", error="it hung", metrics={"metric_0": {"n": 1}}, event=event
        )

    def _record(self, kind: str, /, **data: Any) -> dict[str, Any]:
        event = {"kind": kind, "t": self.seconds, **data}
        self.events.append(event)
        return event


@pytest.fixture
def place(tree: Tree, tmp_path: Path) -> Iterator[Place]:
    place = Place(tree, tmp_path / "computer")
    yield place
    place.gym.computer.close()


def test_a_command_runs_in_the_workspace_and_keeps_its_session(place: Place) -> None:
    assert place.run("cd task && X=5").data["exit_status"] == 0
    seen = place.run("pwd; echo $X; exit 3")
    assert (seen.message, seen.success, seen.data["exit_status"]) == ("/workspace/task\n5\n", False, 3)
    assert seen.to_dict()["observation_type"] == "command_run"


def test_a_command_need_not_be_waited_for(place: Place) -> None:
    seen = place.act("run_command", command="echo early; sleep 0.3; echo late", session_id="work")
    assert (seen.success, seen.data["exit_status"]) == (True, None)
    assert (seen.data["async_execution"], seen.data["timed_out"]) == (True, False)
    assert place.run("sleep 0.6").success
    assert place.act("get_session_output", session_id="work").message.split() == ["early", "late"]
    assert place.act("get_session_output", session_id="work", start_lines=1).message.split() == ["late"]


def test_tokens_and_money_that_are_left_are_told_where_they_are_limited(tree: Tree, tmp_path: Path) -> None:
    place = Place(tree, tmp_path / "computer", tokens=1_000, cost=0.5)
    used = {"input": 200, "output": 50, "cache_read": 40, "cache_write": 10, "cost": 0.123456}
    assert (
        place.act("think", thought="hm").data["budget"].items()
        >= {"tokens_left": 1_000, "cost_left": 0.5}.items()
    )
    place.gym.note("model_answered", **used)
    budget = place.act("think", thought="hm").data["budget"]
    assert (budget["tokens_left"], budget["cost_left"]) == (700, 0.3765)
    place.gym.note("model_answered", **{**used, "input": 5_000, "cost": 0.1})
    assert (place.gym.ending, place.gym.budget()["tokens_left"]) == ("tokens", 0)
    place.gym.computer.close()


def test_what_is_not_limited_is_not_told(place: Place) -> None:
    assert set(place.act("think", thought="hm").data["budget"]) == {
        "seconds_left",
        "evals_left",
        "steps_left",
    }


def test_a_timeout_returns_what_there_was(place: Place) -> None:
    seen = place.run("echo before; sleep 30", timeout=0.3)
    assert (seen.data["timed_out"], seen.message) == (True, "before\n")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("fly", {}, "there is no action 'fly'; known: create_session, list_sessions, get_session_status"),
        ("run_command", {}, "run_command needs 'command': what bash is to run"),
        ("run_command", {"command": 5}, "run_command: 'command' must be of type string: what bash is to run"),
        ("run_command", {"command": "x", "wait_for_completion": "yes"}, "run_command: 'wait_for_completion' must be of type boolean"),
        ("run_command", {"command": "x", "timeout": True}, "run_command: 'timeout' must be of type number"),
        ("eval", {"score": 100}, "eval has no parameter 'score'; it takes: none"),
        ("get_session_output", {"start_lines": 0}, "get_session_output: 'start_lines' must be at least 1: lines"),
        ("get_session_output", {"session_id": "no"}, "there is no session 'no'; there are: none"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_an_observation_that_says_how_to_do_it_right(
    place: Place, name: str, arguments: dict[str, Any], message: str
) -> None:
    seen = place.act(name, **arguments)
    assert not seen.success
    assert message in seen.message
    assert seen.error_message == seen.message
    assert place.gym.ledger.steps == 1


def test_upstreams_proxy_parameters_are_accepted(place: Place) -> None:
    assert place.run("true", computer_ip="127.0.0.1", http_port=8123, use_proxy=True).success


def test_evaluations_have_upstreams_keys_and_a_cap(place: Place) -> None:
    place.verdicts = [41.0, 42.0, 43.0]
    seen = place.act("eval")
    assert seen.to_dict() | {"message": "", "timestamp": ""} == {
        "success": True,
        "message": "",
        "error_message": None,
        "observation_type": "eval",
        "done": False,
        "timestamp": "",
        "source": "environment",
        "overall_score": 41.0,
        "already_eval_num": 1,
        "metric_0": {"n": 1},
        "budget": {"seconds_left": 60.0, "evals_left": 2, "steps_left": 99},
    }
    assert seen.message == "Eval finish! You have remaining 2 eval times. Score 41.00. well done"
    place.act("eval")
    assert "remaining 0 eval times. If you use eval again, the attempt ends." in place.act("eval").message
    over = place.act("eval")
    assert (over.done, over.success, place.gym.ending) == (True, False, "evals")
    assert "overall_score" not in over.to_dict()
    with pytest.raises(AttemptOverError, match=r"the attempt is over \(evals\)"):
        place.act("eval")
    assert place.gym.ledger.evals == 3


def test_an_evaluation_that_fails_costs_nothing_but_not_for_ever(place: Place) -> None:
    place.verdicts = [None, None, None]
    for _ in range(3):
        seen = place.act("eval")
        assert seen.message == "The evaluation failed: it hung. It costs none of your 3 evaluations."
    assert place.act("eval").done
    assert place.gym.ledger.evals == 0


def test_concurrent_evaluations_keep_to_the_cap(place: Place) -> None:
    place.verdicts = [1.0] * 3
    seen: list[Observation] = []

    def ask() -> None:
        with contextlib.suppress(AttemptOverError):
            seen.append(place.act("eval"))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(observation.success for observation in seen) == 3
    assert place.gym.ledger.evals == 3


def test_the_hint_costs_once_and_lowers_later_scores(place: Place) -> None:
    place.verdicts = [50.0, 50.0, 50.0]
    place.act("eval")
    assert place.act("view_hint").message == (
        "10 points are taken off every score from now on.\n\nuse the force"
    )
    place.act("view_hint")
    assert place.act("eval").data["overall_score"] == 40.0
    assert sum(event["kind"] == "hint" for event in place.events) == 1


def test_steps_run_out(tree: Tree, tmp_path: Path) -> None:
    place = Place(tree, tmp_path / "computer", steps=2)
    assert not place.act("eval", x=1).done
    assert place.act("eval", x=1).done
    assert place.gym.ending == "steps"
    with pytest.raises(AttemptOverError):
        place.act("finish")


def test_time_runs_out_before_an_action(place: Place) -> None:
    place.seconds = 60.0
    with pytest.raises(AttemptOverError, match=r"\(time\)"):
        place.run("true")
    assert place.gym.ledger.steps == 0


def test_the_end_stops_a_command_that_runs(place: Place) -> None:
    threading.Timer(0.5, place.gym.end, ["time"]).start()
    seen = place.run("sleep 30")
    assert (seen.done, seen.message) == (True, "the attempt is over (time)")


def test_finish_ends_the_attempt(place: Place) -> None:
    ended: list[str] = []
    place.gym.when_ended = ended.append
    assert place.act("finish").done
    assert ended == ["finished"]


def test_every_action_and_observation_is_an_event(place: Place) -> None:
    place.run("echo hi")
    action, observation = place.events
    assert (action["kind"], action["name"], action["arguments"]["command"]) == (
        "action",
        "run_command",
        "echo hi",
    )
    assert (observation["kind"], observation["step"], observation["message"]) == ("observation", 1, "hi\n")


def test_a_computer_that_cannot_start_is_a_machine_fault(place: Place, tmp_path: Path) -> None:
    place.gym.computer = LocalComputer(
        open_sandbox("bubblewrap"), workspace_lower=tmp_path / "gone", folder=_made(tmp_path / "other")
    )
    with pytest.raises(MachineFaultError):
        place.run("true")
    assert place.events[-1]["kind"] == "fault"


def test_a_computer_that_the_agent_kills_is_started_again_but_not_for_ever(place: Place) -> None:
    place.run("echo kept > data/outputs/note")
    for _ in range(3):
        seen = place.run("kill -9 -1")
        assert (seen.success, seen.done) == (False, False)
        assert seen.message == (
            "the sandbox was lost: all that ran on the computer has ended. Files are as they were."
        )
        assert place.run("cat data/outputs/note").message == "kept\n"
    assert place.run("kill -9 -1").done
    assert place.gym.ending == "lost"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_sleep_is_ended_by_a_person_and_says_so(place: Place) -> None:
    place.act("run_command", command="sleep 60", session_id="job")
    threading.Timer(0.3, place.gym.wake, ["a person has something to say"]).start()
    seen = place.act("sleep", sleep_time=30, until="job")
    assert seen.data["reason"] == "a person has something to say"
    assert seen.message == f"Slept {seen.data['seconds']:.0f} s: a person has something to say."
    assert seen.data["seconds"] < 10


def test_a_sleep_is_ended_by_the_job_it_was_told_of_and_by_no_other(place: Place) -> None:
    place.act("run_command", command="sleep 0.2", session_id="other")
    place.act("run_command", command="sleep 0.8", session_id="job")
    assert (
        place.act("sleep", sleep_time=30, until="job").data["reason"] == "the command in session 'job' ended"
    )
    assert place.act("sleep", sleep_time=30, until="job").data["reason"] == "no command runs in session 'job'"


def test_a_sleep_ends_with_its_time_or_the_attempts(place: Place) -> None:
    assert place.act("sleep", sleep_time=0.1).data["reason"] == "the time is over"
    place.seconds = 59.8
    seen = place.act("sleep", sleep_time=30)
    assert seen.data["reason"] == "the working time is over"
    assert seen.data["seconds"] < 5


def test_a_sleep_is_ended_by_the_end_of_the_attempt(place: Place) -> None:
    threading.Timer(0.3, place.gym.end, ["interrupted"]).start()
    seen = place.act("sleep", sleep_time=30, until="none")
    assert (seen.done, seen.data["reason"]) == (True, "the attempt is over (interrupted)")
