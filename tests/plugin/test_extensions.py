"""Actions and search backends of other people's, through the hooks."""

from __future__ import annotations

from typing import Any

from tests.acceptance.conftest import events
from tests.plugin.conftest import Bench

CONFTEST = """
from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Parameter
from pytest_innovatorbench.researchgym.model import Action, Observation
from pytest_innovatorbench.researchgym.web.backends import SearchBackend
from pytest_innovatorbench.researchgym.web.searching import Result

class Shelf:
    def __init__(self, task):
        self.task = task

    def search(self, query, count):
        return [Result(title=f"{query} of {self.task.id}", url="shelf://1", snippet="a book")]

def open_shelf(task):
    return SHELF(task)

def measure(desk, arguments):
    text = desk.computer.run_command(f"echo {arguments['what']} | wc -c").output.strip()
    return Observation(success=True, message=text, kind="measure", data={"characters": int(text)})

def fail(desk, arguments):
    raise KeyError("a bug")

class Reader:
    binds = ()

    def run(self, gym):
        for name, arguments in (
            ("measure", {"what": "four"}), ("measure", {}), ("broken", {}), ("think", {"thought": "x"}),
            ("web_search", {"query": "losses"}), ("run_command", {"command": "echo 7 >data/outputs/score.txt",
            "wait_for_completion": True}),
        ):
            gym.act(Action(name=name, arguments=arguments))

def pytest_ibench_agents(settings):
    return [AgentKind(name="reader", make=lambda request: Reader())]

def pytest_ibench_actions(settings):
    what = Parameter(name="what", kind="string", meaning="what to measure", required=True)
    own = dict(family="special", parameters=())
    return [
        ActionKind(name="measure", family="special", meaning="Measure.", parameters=(what,), perform=measure),
        ActionKind(name="broken", meaning="Break.", perform=fail, **own),
        ActionKind(name="think", meaning="Think otherwise.", parameters=(what,), family="special", perform=measure),
    ]

def pytest_ibench_search_backends(settings):
    return [SearchBackend(name="nothing", open=lambda task: None),
            SearchBackend(name="shelf", open=open_shelf, is_local=True)]
"""


def observations(bench: Bench, conftest: str, *args: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    bench.tree.add_task()
    bench.pytester.makeconftest(conftest)
    _, report = bench.report(*args, agent="reader")
    (attempt,) = report["attempts"]
    return events(attempt, "observation"), attempt


def test_actions_and_backends_come_through_the_hooks(bench: Bench) -> None:
    seen, attempt = observations(bench, CONFTEST.replace("SHELF(", "Shelf("))
    assert attempt["final"] == 7
    messages = [event["message"] for event in seen]
    assert messages[:4] == [
        "5",
        "measure needs 'what': what to measure",
        "broken failed: KeyError. That is no fault of yours; do without it.",
        "think has no parameter 'thought'; it takes: what",
    ]
    assert messages[4] == "1. losses of toy\n   shelf://1\n   a book"
    assert seen[0]["characters"] == 5
    (trouble,) = events(attempt, "trouble")
    assert trouble["error"] == "broken: KeyError('a bug')"
    assert "in fail" in trouble["detail"]


def test_a_backend_that_cannot_be_opened_is_said(bench: Bench) -> None:
    _, attempt = observations(bench, CONFTEST)
    assert attempt["status"] == "unscoreable"
    assert attempt["error"] == (
        "search backend 'shelf' cannot be opened: NameError: name 'SHELF' is not defined: mend its package"
    )


def test_what_is_no_action_is_refused_at_the_start(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest("def pytest_ibench_actions(settings): return [5]")
    assert "5 is no ActionKind: mend pytest_ibench_actions" in bench.run().stderr.str()
    bench.pytester.makeconftest("def pytest_ibench_search_backends(settings): return ['x']")
    assert "'x' is no SearchBackend: mend pytest_ibench_search_backends" in bench.run().stderr.str()
