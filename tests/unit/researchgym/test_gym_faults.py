"""What agents do that no agent should, through a whole gym: each is an observation, and nothing else is harmed."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError
from pytest_innovatorbench.researchgym.web.backends import Search
from pytest_innovatorbench.researchgym.web.browser import Browser
from pytest_innovatorbench.researchgym.web.policy import Policy
from pytest_innovatorbench.researchgym.web.searching import Corpus
from pytest_innovatorbench.sandbox import open_sandbox
from tests.conftest import Tree
from tests.unit.researchgym.test_gym import Place

HOSTILE: tuple[Any, ...] = (
    None, "", "\0", "a\0b", "\ud800", "../../etc/passwd", "n" * 300, "/" * 5000, "{}", "http://[", "corpus://\0",
    "corpus://" + "n" * 300, "http://a\0b/", "http://" + "x" * 70_000, -1, 0, 1, 2**53, 2**63, 10**30, 10**5000,
    -(10**5000), 0.5, 1e308, math.nan, math.inf, -math.inf, True, [], {}, [[]], {"a": 1}, b"bytes", object(),
)  # fmt: skip

PRINTED = int(os.environ.get("IBENCH_TEST_PRINTED", "1000000000"))  # bytes of much output


@pytest.fixture
def place(tree: Tree, tmp_path: Path) -> Iterator[Place]:
    place = Place(tree, tmp_path / "computer", steps=10**9)
    place.run("printf 'one\\ntwo\\n' >file")
    yield place
    place.gym.computer.close()


def call_with(name: str, parameter: str, value: object) -> dict[str, Any]:
    """Arguments of a call with one hostile value, and decent ones where they are needed."""
    decent = {"string": "file", "integer": 1, "number": 1, "boolean": False}
    needed = {p.name: decent[p.kind] for p in ACTIONS[name].parameters if p.required}
    return {**needed, parameter: value}


@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in {"finish", "eval"}])
def test_no_argument_breaks_an_action(place: Place, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SERPER_API_KEY", "BING_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    values = HOSTILE if name != "sleep" else tuple(v for v in HOSTILE if v not in (1, 0.5, 2**53))
    for parameter in [*(p.name for p in ACTIONS[name].parameters), "unknown"]:
        for value in values:
            seen = place.act(name, **call_with(name, parameter, value))
            assert isinstance(seen.message, str)
            json.dumps(seen.to_dict(), allow_nan=False)
    assert place.run("echo $((1+1))", session_id="after").message == "2\n"
    assert not [event for event in place.events if event["kind"] in {"fault", "trouble"}]
    json.dumps(place.events, allow_nan=False)


@pytest.mark.parametrize("name", ["web_search", "web_browse"])
def test_no_address_or_query_breaks_an_open_web(place: Place, name: str, tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    (tmp_path / "a.txt").write_text("one document")
    search = Search(engine=corpus, is_local=True)
    place.gym.browser = Browser(Policy(mode="open"), place.gym.parser, corpus=corpus, search=search)
    parameter = {"web_search": "query", "web_browse": "url"}[name]
    values = (*HOSTILE, "word " * 50_000, '"' * 1000, "NEAR(a b)", "a AND OR *", "\u2028", "http://127.0.0.1:9/", "corpus://.",
              "http://[::ffff:127.0.0.1]:9/", "http://\u202e.org/", "https://" + "a." * 200 + "org")  # fmt: skip
    for value in values:
        seen = place.act(name, **{parameter: value})
        assert seen.success is False or name == "web_search"
        json.dumps(seen.to_dict(), allow_nan=False)
    assert not [event for event in place.events if event["kind"] in {"fault", "trouble"}]


def test_what_is_no_call_is_an_observation(place: Place) -> None:
    for name, arguments in ((5, {}), (None, {}), ("fly" * 999, {}), ([], {}), ({}, {})):
        seen = place.gym.act(Action(name=name, arguments=arguments))  # type: ignore[arg-type]  # as models do
        assert seen.message.startswith("there is no action '")
        assert len(seen.message) < 2000
    others: tuple[Any, ...] = (None, [], "command", 5)
    for given in others:
        seen = place.gym.act(Action(name="run_command", arguments=given))
        assert seen.message == "run_command: give the arguments by name, as an object"
    seen = place.act("create_file", filename="x", content="x" * (17 << 20))
    assert seen.message.startswith("create_file: 'content' must have 16,777,216 characters at most")
    assert place.act("sleep", sleep_time=math.nan).message.startswith("sleep: 'sleep_time' must be a number")


def test_a_thousand_sessions_are_too_many_and_harm_nothing(place: Place) -> None:
    place.act("run_command", command="sleep 300", session_id="job")
    said = [place.act("create_session", session_id=f"s{number}") for number in range(1000)]
    assert sum(seen.success for seen in said) == 126  # and main, and job
    assert said[-1].message == "128 sessions are open, as many as there may be; close one first"
    assert place.run("true", session_id="other").error_message == f"not run: {said[-1].message}"
    assert place.run("echo fine", session_id="s5").message == "fine\n"
    assert place.run("echo fine").message == "fine\n"
    assert place.act("check_session_idle", session_id="job").data["is_idle"] is False
    assert place.act("open_file", path="file").success
    assert place.act("close_session", session_id="s7").success
    assert place.act("create_session", session_id="new").success
    assert place.act("create_session", session_id="n" * 201).message == (
        "the name of a session has 200 characters at most"
    )
    assert place.gym.computer.list_sessions()[1].running == "sleep 300"


def test_sessions_that_come_and_go_leave_nothing(place: Place) -> None:
    for number in range(1200):
        session = f"s{number}"
        assert place.run("echo $RANDOM", session_id=session).success, number
        assert place.act("close_session", session_id=session).success
    assert place.act("get_session_output", session_id="s1199").success
    assert place.act("get_session_output", session_id="s5").message.startswith("there is no session 's5'")
    assert place.run("echo fine").message == "fine\n"


def test_a_session_without_processes_left_is_an_observation(place: Place) -> None:
    place.run("ulimit -u 0 2>/dev/null; true", session_id="poor")
    seen = place.run("true | cat; (exit 7); echo $?", session_id="poor")
    assert isinstance(seen.message, str)
    assert place.run("echo fine").message == "fine\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("set -e; false; echo not here", ""),
        ("exit 7", ""),
        ("exec 1>&-; echo lost", ""),
        ("cat <<'END'\n$HOME `x`\nEND", "$HOME `x`\n"),
        ("(sleep 30; echo late) & echo now", "now\n"),
        ("sleep 30 & disown; jobs; echo done", "done\n"),
        ("sleep 30 & kill %1; wait; echo $?", "0\n"),
        ("yes | head -3", "y\ny\ny\n"),
        ("printf '\\000\\377\\033[2J'", "\0\ufffd\x1b[2J"),
        ("top -b -n1 | head -1 | cut -c1-5", "top -"),
        ("echo text | less", "text\n"),
        ("trap '' INT TERM HUP; echo trapped", "trapped\n"),
        ("stty raw -echo </dev/tty; echo raw", "raw\n"),
    ],
)
def test_odd_commands_neither_hang_nor_confuse(place: Place, command: str, said: str) -> None:
    for program in {"top", "less"} & set(command.split()):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    started = time.monotonic()
    assert place.run(command, session_id="odd").message.startswith(said)
    assert time.monotonic() - started < 5
    assert place.run("echo fine", session_id="odd").message == "fine\n"


def test_an_editor_on_the_whole_screen_can_be_used_and_left(place: Place) -> None:
    editor = place.run("command -v vi || command -v vim || command -v nano").message.strip()
    if not editor.endswith(("vi", "vim")):
        pytest.skip("no vi is installed")
    place.act("run_command", command="TERM=xterm vi file", session_id="vi")
    for typed in ("ggOzero\x1b", ":wq"):
        place.act("input_in_session", session_id="vi", input_text=typed)
    assert place.act("sleep", sleep_time=10, until="vi").data["reason"] == "the command in session 'vi' ended"
    assert place.run("cat file", session_id="vi").message == "zero\none\ntwo\n"


def test_ctrl_c_can_be_typed_too(place: Place) -> None:
    place.act("run_command", command="sleep 300; echo $?", session_id="work")
    time.sleep(0.2)
    seen = place.act("input_in_session", session_id="work", input_text="\x03")
    assert seen.message == "Ctrl-C was pressed in session 'work'"
    place.act("sleep", sleep_time=10, until="work")
    assert place.act("check_session_idle", session_id="work").data["is_idle"] is True


def server_memory(place: Place) -> int:
    """Resident bytes of the session server, the first process inside."""
    init = place.gym.computer._running.child.root  # type: ignore[attr-defined]  # a local computer
    sizes = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it may have ended
            if not entry.name.isdigit() or b"session_server" not in (entry / "cmdline").read_bytes():
                continue
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            sizes += [int((entry / "statm").read_text().split()[1]) * 4096] if parent == init else []
    return max(sizes)


@pytest.mark.slow
def test_much_output_is_kept_whole_and_memory_stays_flat(place: Place, tmp_path: Path) -> None:
    """A tenth of 10 GB unless told otherwise, for the sake of small disks."""
    harness, server = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, server_memory(place)
    seen = place.run(f"yes 0123456789 | head -c {PRINTED}")
    assert (seen.data["exit_status"], seen.data["output_bytes"], seen.data["truncated"]) == (0, PRINTED, True)
    assert len(seen.message) < 31_000
    assert f"[... {PRINTED - 30_000} bytes cut ...]" in seen.message
    place.run("echo; echo end")
    shown = place.act("get_session_output", start_lines=3).message.splitlines()
    assert shown[-1] == "end"
    assert server_memory(place) - server < 4 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - harness < 50_000, "in KB"
    assert max(file.stat().st_size for file in (tmp_path / "computer/sessions").glob("*.out")) == PRINTED


def test_output_without_an_end_ends_the_attempt(tree: Tree, tmp_path: Path) -> None:
    place = Place(tree, tmp_path / "computer")
    place.gym.computer = LocalComputer(
        open_sandbox("bubblewrap"),
        workspace_lower=place.gym.task.gym,
        folder=tmp_path / "computer",
        disk_quota=200 << 20,
    )
    place.run("echo 50 >data/outputs/score.txt")
    place.act("run_command", command="yes", session_id="endless")
    seen = place.run("sleep 20")
    assert (seen.done, place.gym.ending) == (True, "disk")
    assert seen.message == "disk quota of 0.209715 GB exceeded"
    with pytest.raises(AttemptOverError, match=r"the attempt is over \(disk\)"):
        place.run("true")
    assert [entry.path for entry in place.gym.computer.entries("data/outputs")] == ["score.txt"]
    place.gym.computer.close()


def test_paths_lead_nowhere_that_commands_do_not(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    place.run(f"ln -s {outside} link; ln -s / root; mkdir -p a/b")
    for path in (
        str(outside), "link", f"root{outside}", f"../..{outside}", f"a/b/../../../..{outside}", "/proc/1/root/etc/shadow",
    ):  # fmt: skip
        for name, arguments in (
            ("open_file", {"path": path}),
            ("parse_latex", {"file_path": path}),
            ("search_file", {"file_path": path, "search_term": "secret"}),
            ("edit_file", {"path": path, "start": 1, "end": 1, "content": "changed"}),
        ):
            seen = place.act(name, **arguments)
            assert not seen.success, (name, path)
            assert "secret" not in json.dumps(seen.to_dict() | {"search_term": ""}), (name, path)
    place.act("create_file", filename=f"../..{outside}", content="changed")
    assert outside.read_text() == "secret"


def test_names_that_are_long_or_no_text_can_be_worked_with(place: Place) -> None:
    place.run("printf x >$'bad\\xff'; mkdir $'dir\\xfe'; printf word >$'dir\\xfe/f'")
    assert place.act("search_dir", search_term="word").data["num_matches"] == 1
    assert place.act("find_file", file_name="bad*").data["num_matches"] == 1
    assert place.act("open_file", path="bad\udcff").message.endswith("     1|x")
    assert place.act("create_file", filename="n" * 255, content="x").success
    assert place.act("edit_file", path="n" * 255, start=1, end=1, content="y").success
    assert place.run(f"cat {'n' * 255}").message == "y"


def test_one_session_is_killed_and_no_other(place: Place) -> None:
    for session in ("a", "b"):
        place.act("run_command", command="(setsid sleep 300 &) ; sleep 300", session_id=session)
    time.sleep(0.3)
    assert place.act("close_session", session_id="a", force=True).success
    listed = place.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep [3]00' | wc -l").message
    assert int(listed) == 2, "both of the other, and neither of what was closed"
    assert place.act("check_session_idle", session_id="b").data["is_idle"] is False
