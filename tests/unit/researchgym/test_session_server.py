"""The session server by itself, spoken to as a client would, outside of any sandbox."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parents[3] / "pytest_innovatorbench/researchgym/session_server.py"


class Conversation:
    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [python, "-I", "-S", str(SERVER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        self._ids = itertools.count()
        assert self.hear() == {"event": "ready"}

    def send(self, **request: Any) -> int:
        number = next(self._ids)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({**request, "id": number}).encode() + b"\n")
        self.process.stdin.flush()
        return number

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def ask(self, **request: Any) -> dict[str, Any]:
        number = self.send(**request)
        answer = self.hear()
        assert answer["id"] == number
        return answer

    def run(
        self, command: str, *, session: str = "main", wait: float | None = 10, limit: int = 30_000
    ) -> dict[str, Any]:
        return self.ask(do="run", session=session, command=command, wait=wait, limit=limit)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Conversation]:
    conversation = Conversation(tmp_path)
    yield conversation
    conversation.close()


def outcome(answer: dict[str, Any]) -> tuple[int | None, str]:
    return answer["exit_status"], answer["output"]


def test_a_session_keeps_its_state(server: Conversation) -> None:
    assert outcome(server.run("cd /usr; export A=1; B=2; f() { echo $A$B; }")) == (0, "")
    assert outcome(server.run("pwd; f; false")) == (1, "/usr\n12\n")


def test_sessions_are_apart(server: Conversation) -> None:
    server.run("A=1")
    assert outcome(server.run("echo [$A]", session="other")) == (0, "[]\n")
    listed = [entry["session"] for entry in server.ask(do="list")["sessions"]]
    assert listed == ["main", "other"]


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("cat", 0, ""),
        ("read x; echo $?", 0, "1\n"),
        ("cat <<X\nhere $((1+1))\nX", 0, "here 2\n"),
        ("exec >/dev/null", 0, ""),
        ("echo out; echo err >&2", 0, "out\nerr\n"),
        ("false | true; echo ${PIPESTATUS[*]}", 0, "1 0\n"),
        ("trap '' INT; unset PS1", 0, ""),
        ("printf() { :; }; eval() { :; }; echo() { :; }", 0, ""),
        ("tty", 1, "not a tty\n"),
        ("", 0, ""),
        ("# nothing", 0, ""),
        ("(exit 300)", 44, ""),
        ("sleep 1000 &", 0, ""),
        ("for i in 1 2; do\n  echo $i\ndone", 0, "1\n2\n"),
        ("set -C; set -u; umask 777", 0, ""),
        ("exec 251>&-; exec 250>&1", 0, ""),
        ("printf 'no newline'", 0, "no newline"),
    ],
)
def test_odd_commands_neither_hang_nor_mix(
    server: Conversation, command: str, status: int, output: str
) -> None:
    assert outcome(server.run(command)) == (status, output)
    assert outcome(server.run("builtin echo next")) == (0, "next\n")


def test_an_unclosed_quote_is_an_error_of_the_command(server: Conversation) -> None:
    status, output = outcome(server.run("echo 'abc"))
    assert status == 2
    assert "unexpected EOF" in output
    assert outcome(server.run("echo next")) == (0, "next\n")


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 3", 3), ("set -e; false", 1), ("kill -9 $$", 137), ("exec sh -c 'exit 5'", 5)],
)
def test_a_command_that_ends_the_shell_is_told_and_the_next_has_a_new_one(
    server: Conversation, command: str, status: int
) -> None:
    server.run("A=1")
    answer = server.run(command)
    assert answer["exit_status"] == status
    assert answer["note"] == f"the shell ended with status {status}; the next command gets a new one"
    answer = server.run("echo [$A]")
    assert outcome(answer) == (0, "[]\n")
    assert answer["note"] is None


def test_a_shell_that_ended_unasked_is_told_with_the_next_command(server: Conversation) -> None:
    server.run("(sleep 0.1; kill -9 $$) &")
    deadline = time.monotonic() + 10
    while server.ask(do="list")["sessions"] and time.monotonic() < deadline:
        time.sleep(0.02)
    answer = server.run("echo next")
    assert outcome(answer) == (0, "next\n")
    assert answer["note"] == "the shell had ended with status 137; this is a new one"


def test_what_outlives_its_wait_goes_on_and_is_reported_by_an_event(server: Conversation) -> None:
    answer = server.run("echo early; sleep 0.3; echo late; exit 4", wait=0.1)
    assert outcome(answer) == (None, "early\n")
    assert answer["timed_out"] is True
    assert server.run("echo no") == {"busy": "echo early; sleep 0.3; echo late; exit 4", "id": 1}
    event = server.hear()
    assert (event["event"], event["session"]) == ("finished", "main")
    assert outcome(event) == (4, "early\nlate\n")


def test_without_a_wait_there_is_no_time_out(server: Conversation) -> None:
    assert outcome(server.run("sleep 0.2; echo done", wait=None)) == (0, "done\n")


def test_a_command_can_be_interrupted(server: Conversation) -> None:
    server.run("A=1")
    assert server.run("sleep 1000; echo never", wait=0.1)["timed_out"]
    assert server.ask(do="interrupt", session="main")["running"] is True
    assert outcome(server.hear()) == (130, "")
    assert outcome(server.run("echo $A")) == (0, "1\n")


def test_a_command_can_be_interrupted_in_a_run_that_a_script_put_into_the_background(tmp_path: Path) -> None:
    """Shells without job control have what they put there ignore the signal, and all it starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = Conversation(tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert server.run("sleep 10", wait=0.1)["timed_out"]
    server.ask(do="interrupt", session="main")
    assert outcome(server.hear()) == (130, "")
    server.close()


def test_a_question_at_the_terminal_can_be_interrupted(server: Conversation) -> None:
    assert server.run("read -p 'Sure? ' x </dev/tty", wait=0.2)["timed_out"]
    server.ask(do="interrupt", session="main")
    assert server.hear()["exit_status"] == 130


def test_a_session_that_stopped_itself_can_be_killed(server: Conversation) -> None:
    assert server.run("kill -STOP 0", wait=0.2)["timed_out"]
    server.send(do="kill", session="main")
    assert (server.hear()["event"], server.hear()["killed"]) == ("finished", True)
    assert outcome(server.run("echo next")) == (0, "next\n")


def test_a_session_can_be_killed_with_what_it_started(server: Conversation) -> None:
    script = "trap '' INT TERM HUP; sleep 1000 & setsid sleep 1001 & echo $! $$; sleep 1000"
    answer = server.run(script, wait=0.3)
    server.send(do="kill", session="main")
    event, reply = server.hear(), server.hear()
    assert event["exit_status"] == 137
    assert reply["killed"] is True
    for pid in answer["output"].split():
        assert not is_alive(pid)
    assert outcome(server.run("echo next")) == (0, "next\n")


DAEMON = "(setsid sh -c 'trap \"\" HUP; echo $$; exec sleep 1002' &) ; sleep 0.3"
TWICE = "sh -c '(setsid sh -c \"env -i sleep 1003 & echo \\$!\" &)'; sleep 0.3"


@pytest.mark.parametrize("script", [DAEMON, TWICE])
def test_daemons_belong_to_the_session_that_started_them(server: Conversation, script: str) -> None:
    mine, others = (server.run(script, session=name)["output"].strip() for name in ("main", "other"))
    status = server.ask(do="status", session="main")
    assert [process["pid"] for process in status["processes"]] == [int(mine)]
    assert server.ask(do="terminate", session="main")["processes"] == [int(mine)]
    wait_until_dead(mine)
    assert is_alive(others)
    assert server.ask(do="kill", session="other")["killed"] is True
    wait_until_dead(others)


def test_a_shell_takes_no_notice_of_daemons_that_end(server: Conversation) -> None:
    server.run("(setsid sleep 0.2 &) ; (setsid sh -c 'sleep 0.2; exit 7' &)")
    assert outcome(server.run("sleep 0.1 & wait $!; echo $?; wait; sleep 0.4; echo $? $(jobs | wc -l)")) == (
        0,
        "0\n0 0\n",
    )
    assert outcome(server.run("set -m; (setsid sleep 0.1 &) ; sleep 0.3; wait; false")) == (1, "")
    assert server.ask(do="status", session="main")["processes"] == []


def wait_until_dead(pid: str) -> None:
    deadline = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} lives"
        time.sleep(0.01)


def is_alive(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def test_late_output_of_a_background_job_does_not_mix_in(server: Conversation) -> None:
    server.run("(sleep 0.1; echo late) &")
    assert outcome(server.run("sleep 0.3; echo mine")) == (0, "mine\n")


def test_binary_output_is_made_presentable(server: Conversation) -> None:
    answer = server.run(r"printf 'a\377\000\r\nb\303'")
    assert answer["output"] == "a\ufffd\0\r\nb\ufffd"
    assert answer["output_bytes"] == 7


def test_long_output_keeps_its_ends_and_is_whole_on_disk(server: Conversation) -> None:
    answer = server.run("head -c 20 /dev/zero | tr '\\0' a; head -c 1000000 /dev/zero; echo end", limit=40)
    assert answer["output_bytes"] == 1_000_024
    assert answer["truncated"] is True
    assert answer["output"].startswith("a" * 20 + "\n[... 999984 bytes cut ...]\n\0")
    assert answer["output"].endswith("\0end\n")
    (path,) = server.folder.glob("*.out")
    assert path.stat().st_size == 1_000_024


def test_output_can_be_read_again_by_lines_or_from_an_offset(server: Conversation) -> None:
    server.run("seq 100")
    answer = server.ask(do="read", session="main", lines=3, limit=1000)
    assert (answer["output"], answer["output_bytes"]) == ("98\n99\n100\n", 292)
    answer = server.ask(do="read", session="main", lines=4, skip=2, limit=1000)
    assert answer["output"] == "97\n98\n"
    assert server.ask(do="read", session="gone", lines=3, limit=9)["error"] == "there is no session 'gone'"


@pytest.mark.parametrize("ends", ["\n", "\r", "\r\n", "\n\r\n"])
@pytest.mark.parametrize("is_finished", [True, False])
def test_every_window_of_much_output_can_be_read(
    server: Conversation, ends: str, *, is_finished: bool
) -> None:
    text = ends.join(f"{number:05}" for number in range(20_000)) + ends * is_finished
    server.run("printf early; echo")
    (server.folder / "much").write_text(text)
    server.run("cat much")
    lines = f"early\n{text}".splitlines(keepends=True)
    for first, skip in (
        (1, 0),
        (50, 0),
        (7, 3),
        (15_000, 14_950),
        (20_000, 19_990),
        (50_000, 19_950),
        (9, 9),
    ):
        answer = server.ask(do="read", session="main", lines=first, skip=skip, limit=30_000)
        wanted = "".join(lines[-first : -skip or None])
        assert answer["output"].encode() == wanted.encode()[-30_000:], (first, skip)
        assert answer["left_out"] == 0 or answer["left_out"] == len(wanted) - 30_000


def test_of_a_window_that_is_too_large_the_end_is_read(server: Conversation) -> None:
    server.run("seq 20000")
    answer = server.ask(do="read", session="main", lines=15_000, skip=5_000, limit=1000)
    wanted = "".join(f"{number}\n" for number in range(5_001, 15_001))
    assert (answer["output"], answer["left_out"]) == (wanted[-1000:], len(wanted) - 1000)


def test_what_was_printed_lately_is_told_by_the_clock_there(server: Conversation) -> None:
    server.run("echo 1")
    time.sleep(0.6)
    server.run("sleep 0.6; echo 2")
    assert server.ask(do="read", session="main", recent=0.5, limit=100)["output"] == "2\n"
    assert server.ask(do="read", session="main", recent=60, limit=100)["output"] == "1\n2\n"


def test_output_can_be_read_while_it_grows_and_after_the_shell_ended(server: Conversation) -> None:
    server.run("echo 1; sleep 1000", wait=0.1)
    assert server.ask(do="read", session="main", lines=5, limit=100)["output"] == "1\n"
    server.send(do="kill", session="main")
    server.hear()
    server.hear()
    assert server.ask(do="read", session="main", lines=5, limit=100)["output"] == "1\n"


def test_commands_have_nothing_of_the_server(server: Conversation) -> None:
    assert server.run("ls /proc/self/fd")["output"].split() == ["0", "1", "2", "3"]
    assert "pipe" not in server.run("ls -l /proc/self/fd")["output"]


def test_nothing_grows_with_the_number_of_commands(server: Conversation) -> None:
    def state() -> tuple[str, int]:
        """The table of descriptors, which starts with room for 64, and files; the former cannot be listed."""
        (room,) = re.findall(r"FDSize:\s(\d+)", Path("/proc", str(server.process.pid), "status").read_text())
        return room, len(list(server.folder.iterdir()))

    server.run("true")
    before = state()
    for _ in range(200):
        server.run("true")
    assert state() == before
    for _ in range(2):
        server.run("exit")
    before = state()
    for _ in range(70):
        server.run("exit")
    assert state() == before == ("64", before[1])


def test_an_unknown_or_broken_request_is_refused(server: Conversation) -> None:
    assert server.ask(do="dance")["error"] == "there is no request 'dance'"
    assert server.ask(do="run", session="main")["error"] == "KeyError: 'command'"
    assert outcome(server.run("echo fine")) == (0, "fine\n")


def test_it_ends_when_asked_or_when_its_input_does(tmp_path: Path) -> None:
    for way in ("shutdown", "close"):
        folder = tmp_path / way
        folder.mkdir()
        server = Conversation(folder)
        server.run("true")
        if way == "shutdown":
            assert server.ask(do="shutdown") == {"id": 1}
        else:
            assert server.process.stdin is not None
            server.process.stdin.close()
        assert server.process.wait(10) == 0
        server.close()


def test_start_up_imports_next_to_nothing_before_the_first_shell() -> None:
    code = (
        "import __future__, os, sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1]); import session_server;"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(SERVER.parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['fcntl', 'select', 'session_server', 'termios']\n"


@pytest.mark.parametrize("python", ["python3.8", "python3.9", "python3.12", "python3.13"])
def test_it_runs_under_other_pythons(tmp_path: Path, python: str) -> None:
    if subprocess.run(["/usr/bin/env", python, "-V"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} is not installed")
    server = Conversation(tmp_path, python)
    assert outcome(server.run("echo hello")) == (0, "hello\n")
    server.close()


TAKE = """
import ctypes, os, sys
pid, fd = map(int, sys.argv[1:])
taken = ctypes.CDLL(None, use_errno=True).syscall(438, os.pidfd_open(pid), fd, 0)
print(os.strerror(ctypes.get_errno()) if taken < 0 else "taken", os.path.exists(f"/proc/{pid}/fd/{fd}"))
"""


def test_no_command_can_take_the_servers_connection(server: Conversation, tmp_path: Path) -> None:
    if holds_ptrace():
        pytest.skip("this user may look into every process")
    (tmp_path / "take.py").write_text(TAKE)
    answer = server.run(f"{sys.executable} take.py $PPID 1; {sys.executable} take.py $$ 0")
    assert outcome(answer) == (0, "Operation not permitted False\ntaken True\n")


def test_want_of_memory_ends_commands_first(server: Conversation) -> None:
    assert outcome(server.run("cat /proc/self/oom_score_adj")) == (0, "500\n")
    assert outcome(server.run("cat /proc/self/oom_score_adj", session="other")) == (0, "500\n")


def test_a_connection_can_have_a_descriptor_of_its_own(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    argv = [sys.executable, "-I", "-S", str(SERVER), str(tmp_path), str(theirs.fileno())]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=tmp_path)
    with ours, theirs, ours.makefile("rwb") as lines:
        number = theirs.fileno()
        theirs.close()
        assert json.loads(lines.readline()) == {"event": "ready"}
        command = f"test -e /proc/self/fd/{number} || echo not for commands"
        request = {"id": 1, "do": "run", "session": "main", "command": command, "wait": 10, "limit": 100}
        lines.write(json.dumps(request).encode() + b"\n")
        lines.flush()
        assert json.loads(lines.readline())["output"] == "not for commands\n"
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(10) == 0


def holds_ptrace() -> bool:
    """Tell whether this process has CAP_SYS_PTRACE."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "CapEff" in line)
    return bool(int(line.split()[1], 16) & 1 << 19)
