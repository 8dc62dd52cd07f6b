"""Actions on commands and sessions, through a real session server in a real sandbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.alarm import Alarm
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.computers.stations import alone
from pytest_innovatorbench.researchgym.model import Observation
from pytest_innovatorbench.sandbox import open_sandbox


class Desk:
    """What actions on commands use."""

    def __init__(self, computer: LocalComputer) -> None:
        self.computer = computer
        self.computers = alone(computer)
        self.left = 60.0
        self.alarm = Alarm()
        computer.when_finished = self.alarm.job_ended

    def remaining_seconds(self) -> float:
        return self.left

    def sleep(self, seconds: float, until: str) -> str:
        self.alarm.begin()
        busy = {state.session for state in self.computer.list_sessions() if state.running}
        return self.alarm.sleep(seconds, until, busy) or "the time is over"

    def act(self, name: str, **given: Any) -> Observation:
        arguments = ACTIONS[name].arguments(given)
        assert isinstance(arguments, dict), arguments
        return ACTIONS[name].perform(self, arguments)  # type: ignore[arg-type]  # the rest is not for commands

    def run(self, command: str, **arguments: Any) -> Observation:
        return self.act("run_command", command=command, wait_for_completion=True, **arguments)

    def start(self, command: str, session: str = "work") -> None:
        assert self.act("run_command", command=command, session_id=session).success

    def until_printed(self, text: str, session: str = "work") -> str:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            output = self.act("get_session_output", session_id=session).message
            if text in output:
                return output
            time.sleep(0.01)
        raise AssertionError(f"{text!r} was never printed: {output}")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    lower, folder = tmp_path / "gym", tmp_path / "computer"
    lower.mkdir()
    folder.mkdir()
    computer = LocalComputer(open_sandbox("bubblewrap"), workspace_lower=lower, folder=folder)
    yield Desk(computer)
    computer.close()


def test_a_session_is_made_once(desk: Desk) -> None:
    assert desk.act("create_session", session_id="a").message == "session 'a' is ready"
    assert desk.act("create_session", session_id="a").message == "session 'a' is there already"


def test_sessions_are_listed_with_what_they_do(desk: Desk) -> None:
    assert desk.act("list_sessions").message == "no session yet"
    desk.run("false")
    desk.start("sleep 60")
    seen = desk.act("list_sessions")
    idle, busy = "idle, the last command ended with 1", "busy for 0 s with: sleep 60"
    assert seen.message == f"local:main: {idle}\nlocal:work: {busy}"
    told = seen.data["output"]
    assert (told["local:main"]["is_default"], told["local:work"]["is_idle"]) == (True, False)


def test_a_busy_session_takes_no_second_command(desk: Desk) -> None:
    desk.start("sleep 60")
    seen = desk.run("echo x", session_id="work")
    assert not seen.success
    assert seen.error_message == "not run: session 'work' is still busy with: sleep 60"


def test_a_command_that_is_not_waited_for_can_be_typed_to(desk: Desk) -> None:
    desk.start("read -r name; echo hello $name; read -r more; echo [$more] $?")
    assert desk.act("input_in_session", session_id="work", input_text="wörld").success
    desk.until_printed("hello wörld\n")
    desk.act("input_in_session", session_id="work", input_text="\x04")  # the end of input
    assert desk.until_printed("[] 1\n") == "hello wörld\n[] 1\n"


def test_what_nobody_read_is_not_taken_for_a_command_or_for_the_next_ones_input(desk: Desk) -> None:
    desk.start("read -r a; echo got $a")
    desk.act("input_in_session", session_id="work", input_text="one\ntouch /workspace/wrong\n")
    desk.until_printed("got one")
    desk.act("sleep", sleep_time=0.2)
    desk.start("read -t 0.3 -r b; echo got [$b] $(ls /workspace)")
    assert "got []" in desk.until_printed("got [").splitlines()[-1]


def test_a_command_that_is_waited_for_has_no_input(desk: Desk) -> None:
    assert desk.run("cat; read x; echo $?").message == "1\n"
    seen = desk.act("input_in_session", input_text="x")
    assert (
        seen.message
        == "not typed: nothing here takes input; start the command with wait_for_completion false"
    )


def test_input_that_is_not_read_is_refused_and_not_waited_for(desk: Desk) -> None:
    desk.start("sleep 60")
    for _ in range(200):
        seen = desk.act("input_in_session", session_id="work", input_text="x" * 3000 + "\n")
    assert "bytes; it does not read" in seen.message


def test_a_full_screen_program_confuses_nothing(desk: Desk) -> None:
    screen = "import curses; curses.setupterm('xterm'); curses.wrapper(lambda s: s.getch())"
    desk.start(f'python3 -c "{screen}"; stty -F /dev/tty raw')
    desk.act("input_in_session", session_id="work", input_text="q")
    desk.act("sleep", sleep_time=10, until="work")
    assert desk.run("echo fine", session_id="work").message == "fine\n"


def test_output_is_read_by_lines_from_the_end_over_all_commands(desk: Desk) -> None:
    desk.run("seq 3")
    desk.run("true")
    desk.run("seq 4 6")
    assert desk.act("get_session_output", start_lines=4).message == "3\n4\n5\n6\n"
    assert desk.act("get_session_output", start_lines=5, end_lines=3).message == "2\n3\n"
    seen = desk.act("get_session_output", start_lines=2, end_lines=2)
    assert seen.message == "end_lines must be below start_lines (2): both count from the end"


def test_what_is_far_from_the_end_can_be_read(desk: Desk) -> None:
    desk.run("seq 20000")
    seen = desk.act("get_session_output", session_id="main", start_lines=15_000, end_lines=14_950)
    assert seen.message == "".join(f"{number}\n" for number in range(5_001, 5_051))
    first, rest = desk.act("get_session_output", session_id="main", start_lines=20_000).message.split("\n", 1)
    assert first == "[78894 bytes before this are left out: leave out lines at the end to read them]"
    assert rest.endswith("19999\n20000\n")


def test_output_is_whole_on_the_disk(desk: Desk, tmp_path: Path) -> None:
    desk.run("seq 100000 >/dev/stderr")
    desk.run("echo later")
    kept = sorted((tmp_path / "computer/sessions").glob("*.out"))
    assert [len(file.read_bytes().splitlines()) for file in kept] == [100_000, 1]


def test_output_is_read_since_a_time(desk: Desk) -> None:
    desk.run("echo early")
    time.sleep(0.6)
    since = time.time()
    time.sleep(0.6)
    desk.start("echo late; sleep 60", session="main")
    desk.until_printed("late", session="main")
    time.sleep(0.6)
    assert desk.act("get_session_output", since_timestamp=since).message == "late\n"
    assert desk.act("get_session_recent_output", seconds=100).message == "early\nlate\n"
    assert desk.act("get_session_output", since_timestamp=time.time() + 9).message == ""


def test_a_cleared_session_shows_only_what_comes_after(desk: Desk) -> None:
    desk.run("echo before")
    assert desk.act("clear_session_buffer").success
    assert desk.act("get_session_output").message == ""
    desk.run("echo after")
    assert desk.act("get_session_output").message == "after\n"


def children(desk: Desk, session: str, count: int) -> list[str]:
    """The commands that run in a session, once there are as many."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        seen = desk.act("get_session_status", session_id=session).data["status"]["children"]
        if len(seen) == count and all("sleep" in child["command"] for child in seen):
            break
    return sorted(child["command"] for child in seen)


def test_the_processes_of_a_session_are_shown(desk: Desk) -> None:
    desk.start("sleep 71 & sleep 72")
    desk.start("sleep 73", session="other")
    assert children(desk, "work", 2) == ["sleep 71", "sleep 72"]
    assert desk.act("get_session_status", session_id="work").data["is_idle"] is False
    assert desk.act("check_session_idle", session_id="other").data["is_idle"] is False


def test_processes_of_one_session_are_ended_and_no_others(desk: Desk) -> None:
    desk.start("sleep 71; echo survived with $?")
    desk.start("sleep 72", session="other")
    children(desk, "work", 1)
    assert desk.act("kill_session_processes", session_id="work").data["killed"] == 1
    desk.until_printed("survived with 143")
    assert desk.act("check_session_idle", session_id="other").data["is_idle"] is False


def test_a_daemon_ends_with_its_session_and_no_other(desk: Desk) -> None:
    for session in ("work", "other"):
        desk.run("(setsid sleep 73 &) ; sleep 0.2", session_id=session)
    assert children(desk, "work", 1) == ["sleep 73"]
    assert desk.act("kill_session_processes", session_id="work").data["killed"] == 1
    assert not children(desk, "work", 0)
    assert children(desk, "other", 1) == ["sleep 73"]


def test_a_process_that_does_not_end_is_killed(desk: Desk) -> None:
    desk.start("bash -c 'trap \"\" TERM; echo up; while :; do sleep 0.05; done'; echo ended $?")
    desk.until_printed("up")
    desk.act("kill_session_processes", session_id="work")
    assert "ended 137" in desk.until_printed("ended")


def test_sessions_are_closed(desk: Desk) -> None:
    desk.run("true")
    desk.start("sleep 60")
    seen = desk.act("close_session", session_id="work")
    assert seen.message == "session 'work': busy for 0 s with: sleep 60; close it with force true"
    assert desk.act("close_all_sessions").message == (
        "1 sessions are closed; busy and kept: 'work' (close them with force true)"
    )
    assert desk.act("close_session", session_id="work", force=True).message == "session 'work' is closed"
    assert desk.act("close_session", session_id="work").message == (
        "there is no session 'work'; list_sessions names those there are"
    )
    assert desk.act("list_sessions").message == "no session yet"


def test_ctrl_c_ends_a_command_and_not_its_session(desk: Desk) -> None:
    desk.start("X=5; echo up; sleep 60")
    desk.until_printed("up")
    assert desk.act("interrupt_session", session_id="work").success
    desk.act("sleep", sleep_time=10, until="work")
    assert desk.run("echo $X", session_id="work").message == "5\n"


@pytest.mark.parametrize(
    "name",
    ["get_session_output", "clear_session_buffer", "get_session_status", "kill_session_processes"],
)
def test_an_unknown_session_is_an_observation(desk: Desk, name: str) -> None:
    desk.run("true")
    seen = desk.act(name, session_id="gone")
    assert (seen.success, seen.message) == (False, "there is no session 'gone'; there are: main")


def test_a_sleep_ends_when_a_command_does(desk: Desk) -> None:
    desk.start("sleep 0.3")
    started = time.monotonic()
    seen = desk.act("sleep", sleep_time=30)
    assert seen.data["reason"] == "the command in session 'work' ended"
    assert 0.1 < time.monotonic() - started < 20


def test_a_sleep_waits_for_the_command_it_was_told(desk: Desk) -> None:
    desk.start("sleep 0.2", session="short")
    desk.start("sleep 0.6", session="long")
    assert (
        desk.act("sleep", sleep_time=30, until="long").data["reason"] == "the command in session 'long' ended"
    )
    assert (
        desk.act("sleep", sleep_time=30, until="long").data["reason"] == "no command runs in session 'long'"
    )


def test_an_end_before_the_sleep_is_no_news(desk: Desk) -> None:
    desk.start("true")
    time.sleep(0.2)
    desk.start("sleep 60")
    assert desk.act("sleep", sleep_time=0.2).data["reason"] == "the time is over"


def test_a_sleep_is_ended_by_a_bell(desk: Desk) -> None:
    threading.Timer(0.2, desk.alarm.ring, ["a person has something to say"]).start()
    assert desk.act("sleep", sleep_time=30, until="none").data["reason"] == "a person has something to say"
