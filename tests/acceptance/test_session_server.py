"""An agent that takes the place of the session server in its own sandbox."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tests.acceptance.conftest import Bench, by_task

# Both run as one user, so the agent can take the server's connection from it (Linux 5.6 and later).
IMPOSTOR = r"""
import ctypes, os, signal, socket, sys, time

open("data/outputs/score.txt", "w").write("32")
server = os.getppid()
while b"session_server" not in open(f"/proc/{server}/cmdline", "rb").read():
    server = int(open(f"/proc/{server}/stat").read().rsplit(")", 1)[1].split()[1])
libc = ctypes.CDLL(None, use_errno=True)
os.kill(server, signal.SIGSTOP)
pidfd = os.pidfd_open(server)
fd = libc.syscall(438, pidfd, 0, 0)
if fd < 0:
    os.kill(server, signal.SIGCONT)
    sys.exit("no connection for me: " + os.strerror(ctypes.get_errno()))
connection = socket.socket(fileno=fd)
connection.sendall(MESSAGE)
time.sleep(60)
"""
ANSWER = '{"id": 0, "output": %s, "output_bytes": 1, "seconds": 0.5, "timed_out": false, "truncated": false, "exit_status": %s}'
TALK = {
    "escapes": ANSWER % (r'"\u001b]0;owned\u0007\u001b[2J\ud800 \u0000\r\nPASSED <script>"', "7"),
    "huge": ANSWER % (r'"x"', "1" + "0" * 4000),
    "nan": ANSWER.replace("0.5", "NaN") % (r'"x"', "0"),
    "not_an_object": "[]",
    "not_json": "GET / HTTP/1.0",
    "deep": "[" * 100_000,
    "wrong_types": '{"id": 0, "output": {"a": 1}, "exit_status": []}',
}


def test_what_an_impostor_says_is_taken_for_what_it_is(bench: Bench) -> None:
    for how in TALK:
        _add(bench, how)
    bench.tree.add_task("other")
    mode = ("--ibench-concurrency=4", "--ibench-working-time=2")
    result, report = bench.report(*mode, "--junit-xml=j.xml", "-W", "error")
    attempts = by_task(report)
    assert {name: (a["status"], a["fault"], a["final"]) for name, a in attempts.items()} == {
        **dict.fromkeys(TALK, ("scored", None, 32)),
        "other": ("scored", None, 75),
    }
    assert result.ret == 0
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert "\x1b" not in result.stdout.str()
    ET.parse(bench.pytester.path / "j.xml")  # noqa: S314 - our own file


def test_what_an_impostor_says_does_not_end_a_distributed_run(bench: Bench) -> None:
    _add(bench, "escapes")
    bench.tree.add_task("other")
    result, report = bench.report("-n1")
    assert "INTERNALERROR" not in result.stdout.str()
    assert [attempt["final"] for attempt in report["attempts"]] == [32, 75]


def _add(bench: Bench, how: str) -> None:
    program = f"MESSAGE = {TALK[how].encode() + bytes([10])!r}\n{IMPOSTOR}"
    bench.tree.add_task(how, solution="python3 /solution/impostor.py")
    bench.tree.write(f"evaluations/{how}/solution/impostor.py", program)
