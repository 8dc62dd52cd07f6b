"""What is shown while attempts run: a status line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from tests.plugin.conftest import Bench


def run_on_a_terminal(bench: Bench, *args: str) -> str:
    """Run pytest with a terminal as its output and return all that was written to it."""
    leader, follower = pty.openpty()
    # pytester switches colours off, and with them what needs a real terminal.
    environment = {key: value for key, value in os.environ.items() if key != "PY_COLORS"}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ibench-agent=oracle", *args],
        cwd=bench.pytester.path,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        env={**environment, "TERM": "xterm", "COLUMNS": "100"},
    ) as run:
        os.close(follower)
        seen = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        assert run.wait(60) == 0, seen
    os.close(leader)
    return seen.decode()


def test_a_terminal_shows_what_runs_and_is_left_clean(bench: Bench) -> None:
    bench.tree.add_task(solution="sleep 1.6; echo 75 > data/outputs/score.txt")
    seen = run_on_a_terminal(bench, "-v", "--ibench-concurrency=2")
    assert re.search(r"\r\x1b\[2K0 of 1 attempt done, 1 running \| toy-oracle-0 1\.\ds", seen)
    last = seen.rindex("1 running")
    assert "\r\x1b[2K" in seen[last:]
    assert re.search(r"SCORED 75\.0", seen[last:])


def test_a_run_without_a_terminal_writes_no_control_characters(bench: Bench) -> None:
    bench.tree.add_task(solution="sleep 1; echo 75 > data/outputs/score.txt")
    result = bench.run("-v", "--ibench-concurrency=2")
    assert "\x1b" not in result.stdout.str()
    assert "\r" not in result.stdout.str()


def test_making_an_environment_is_announced(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("gym/toy/task/requirements.txt", "# nothing\n")
    first = bench.run()
    first.stdout.fnmatch_lines(["toy-oracle-0: building the environment of *requirements.txt (once)"])
    again = bench.run()
    again.stdout.no_fnmatch_line("*building*")
