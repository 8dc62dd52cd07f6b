"""A person at a real terminal, and attempts that are done again."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import Bench, events


class Terminal:
    """A terminal with pytest in it.

    Attributes:
        shown: What it has shown so far.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.shown = ""
        argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execv(argv[0], argv)  # noqa: S606 - the child of the fork

    def wait_for(self, text: str) -> str:
        """Read until a text comes, and return what came with it."""
        before = len(self.shown)
        deadline = time.monotonic() + 60
        while text not in self.shown[before:]:
            assert time.monotonic() < deadline, self.shown
            if select.select([self._fd], [], [], 1)[0]:
                self.shown += os.read(self._fd, 65536).decode(errors="replace")
        return self.shown[before:]

    def say(self, text: str) -> str:
        """Type a line and return what is shown until the next prompt."""
        os.write(self._fd, f"{text}\n".encode())
        return self.wait_for(" > ")

    def type_last(self, text: str) -> int:
        """Type the last line and return the exit status."""
        os.write(self._fd, f"{text}\n".encode())
        try:
            while part := os.read(self._fd, 65536):
                self.shown += part.decode(errors="replace")
        except OSError:  # the terminal has gone with its last process
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


MEASURES = """
from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
from pytest_innovatorbench.researchgym.model import Observation

def measure(desk, arguments):
    return Observation(success=True, message="seven metres", kind="measure")

def pytest_ibench_actions(settings):
    return [ActionKind(name="measure", family="special", meaning="Measure.", parameters=(), perform=measure)]
"""


def test_a_person_has_the_actions_of_plug_ins(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(MEASURES)
    terminal = Terminal(bench.pytester.path, "--ibench-agent=human")
    terminal.wait_for(" > ")
    assert ":measure" in terminal.say(":actions")
    assert "seven metres" in terminal.say(":measure")
    assert terminal.type_last(":finish") == 0


def test_a_person_works_at_the_terminal(bench: Bench) -> None:
    bench.tree.add_task()
    report = bench.pytester.path / "report.json"
    terminal = Terminal(bench.pytester.path, "--ibench-agent=human", f"--ibench-report=json:{report}")
    greeting = terminal.wait_for(" > ")
    assert "Write a number into" in greeting
    assert "a shell command" in greeting
    assert "/workspace" in terminal.say("pwd; printf '\\033[31mred'")
    assert "\x1b[31m" not in terminal.shown
    assert ":create_file" in terminal.say(":actions")
    assert "filename" in terminal.say(":actions create_file")
    assert "there is no action 'fly'" in terminal.say(":fly")
    assert "open_file needs 'path'" in terminal.say(":open_file")
    assert "No closing quotation" in terminal.say(":open_file path='x")
    assert "noted" in terminal.say(":why the number has to be there")
    assert "score.txt" in terminal.say(":create_file filename=data/outputs/score.txt <<\n62\n.")
    assert "62" in terminal.say(':open_file {"path": "data/outputs/score.txt"}')
    assert "Score 62.00" in terminal.say(":eval")
    assert terminal.type_last(":finish") == 0
    (attempt,) = json.loads(report.read_text())["attempts"]
    assert (attempt["agent"], attempt["final"], attempt["evals"], attempt["error"]) == (
        "human",
        62.0,
        1,
        None,
    )
    assert [event["text"] for event in events(attempt, "why")] == ["the number has to be there"]


def test_a_person_who_goes_is_scored(bench: Bench) -> None:
    bench.tree.add_task()
    terminal = Terminal(bench.pytester.path, "--ibench-agent=human")
    terminal.wait_for(" > ")
    terminal.say("echo 63 > data/outputs/score.txt")
    assert terminal.type_last("\x04") == 0
    assert "63.0" in terminal.shown


def test_without_a_terminal_there_is_nobody(bench: Bench) -> None:
    bench.tree.add_task()
    command = ["setsid", sys.executable, "-m", "pytest", "--ibench-agent=human"]
    result = bench.pytester.run(*command)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*there is no terminal to work at: *: run it in a terminal, without -n"])


AGENT = """
from pytest_innovatorbench import Action, AgentKind

class Two:
    binds = ()
    def run(self, gym):
        gym.act(Action(name="run_command", arguments={"command": "echo 64 > data/outputs/score.txt", "wait_for_completion": True}))
        gym.act(Action(name="run_command", arguments={"command": "date +%N", "wait_for_completion": True}))
        gym.act(Action(name="fly"))
        gym.act(Action(name="eval"))

def pytest_ibench_agents():
    return [AgentKind(name="two", make=lambda _: Two())]
"""


@pytest.mark.parametrize("how", ["folder", "name"])
def test_an_attempt_is_done_again(bench: Bench, how: str) -> None:
    bench.tree.add_task()
    bench.tree.write("conftest.py", AGENT)
    bench.report("--ibench-run-id=first", agent="two")
    (record,) = bench.records()
    argument = str(record) if how == "folder" else f"first/{record.name}"
    result, report = bench.report(agent=f"replay:{argument}")
    (attempt,) = report["attempts"]
    assert (result.ret, attempt["final"], attempt["evals"]) == (0, 64.0, 1)
    assert [event["name"] for event in events(attempt, "action")] == [
        "run_command",
        "run_command",
        "fly",
        "eval",
    ]
    assert [event["is_same"] for event in events(attempt, "replayed")] == [True, False, True, True]


def test_an_attempt_that_was_killed_is_done_again_as_far_as_it_went(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("conftest.py", AGENT)
    bench.report("--ibench-run-id=first", agent="two")
    (record,) = bench.records()
    lines = (record / "events.jsonl").read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if '"kind":"action"' in line)
    (record / "events.jsonl").write_text("".join(lines[: last + 1]) + '{"kind":"obs')
    _, report = bench.report(agent="replay:first/" + record.name)
    (attempt,) = report["attempts"]
    assert (attempt["final"], attempt["evals"]) == (64.0, 1)


def test_attempts_that_cannot_be_done_again(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.add_task("other")
    result = bench.run(agent="replay:nothing/here")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*there is no attempt 'nothing/here': give its folder, or RUN/ATTEMPT below *"]
    )
    bench.run("--ibench-run-id=first", "--ibench-task=toy", agent="nop")
    result = bench.run("--ibench-task=other", agent="replay:first/toy-nop-0")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*toy-nop-0 is an attempt at toy, not at other: choose --ibench-task=toy*"])
