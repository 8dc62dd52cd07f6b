"""Everything an agent can shout into the socket of ibench-tool."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.conftest import Bench, events

GARBAGE = r"""
#!/usr/bin/env python3
import json, socket, time

def ask(data, *, read=True, wait=1.0):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(wait)
        link.connect("/ibench/socket")
        try:
            link.sendall(data)
            return link.makefile("rb").readline() if read else b""
        except OSError as problem:
            return type(problem).__name__.encode()

def line(value):
    return json.dumps(value).encode() + b"\n"

open("data/outputs/score.txt", "w").write("31")
odd = [b"\n", b"\0\xff\xfe\n", b"[" * 4000 + b"\n", b'{"action":' * 400 + b"\n", b"x" * 5000, b"1e999\n", b'"eval"\n']
odd += [line(value) for value in (None, [], {}, 7, {"action": None}, {"action": {}}, {"action": []}, {"action": [["eval"]]})]
odd += [line({"action": name}) for name in ("run_command", "end", "evaluate_finally", "__class__", "EVAL", "eval ", 1, True, "\ud800")]
odd += [line({"action": {"name": "eval"}}), line({"action": "eval", "x": 10 ** 3}).replace(b"1000", b"9" * 3900)[:3900] + b"\n"]
answers = [ask(data) for data in odd]
for data, answer in zip(odd, answers):
    print(data[:30], "->", answer[:80])
ask(b"x" * 100_000_000, read=False)
links = []
for _ in range(100):
    link = socket.socket(socket.AF_UNIX)
    link.setblocking(False)
    try:
        link.connect("/ibench/socket")
    except BlockingIOError:
        pass
    links.append(link)
for link in links[::2]:
    link.close()
for link in links[1::2]:
    try:
        link.send(b'{"action"')
    except OSError:
        pass
    link.close()
for _ in range(100):
    try:
        print("STATUS", ask(line({"action": "status"}), wait=15).decode())
        break
    except BlockingIOError:
        time.sleep(0.1)
"""


def test_garbage_is_answered_and_the_tool_still_works(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("agent.py", GARBAGE, mode=0o755)
    result, report = bench.report("-W", "error", agent="command:./agent.py")
    (attempt,) = report["attempts"]
    assert attempt["error"] is None
    said = "".join(event["message"] for event in events(attempt, "observation"))
    assert json.loads(said.split("STATUS ")[1])["evals_left"] == 3, said
    refused = [line for line in said.splitlines() if "->" in line]
    assert all("ask for eval, view_hint, status or finish" in line for line in refused), "\n".join(refused)
    assert (attempt["evals"], attempt["final"]) == (0, 31)
    assert result.ret == 0
    for noise in ("Traceback", "Warning", "Exception"):
        assert noise not in result.stdout.str() + result.stderr.str()


STORM = """
#!/bin/bash
echo 10 >data/outputs/score.txt
for i in $(seq 12); do ibench-tool --json eval >answer.$i & done
wait
cat answer.*
"""

SLOW = """
import time
from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        time.sleep(0.4)
        return {"score": 10}
"""


def test_a_storm_of_evaluations_keeps_to_the_cap(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("agent.sh", STORM, mode=0o755)
    _, report = bench.report(agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert (attempt["evals"], attempt["max_evals"], attempt["ending"]) == (3, 3, "evals")
    _check_ledger(attempt)


def test_an_end_in_the_middle_of_evaluations_leaves_the_books_right(bench: Bench) -> None:
    bench.tree.add_task(evaluation=SLOW)
    bench.tree.write("agent.sh", STORM.replace("wait\n", "sleep 0.3; exit\n"), mode=0o755)
    _, report = bench.report("--ibench-max-evals=9", agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    _check_ledger(attempt)
    assert attempt["evals"] <= 2, "evaluations went on after the end"


def test_a_hint_that_is_denied_stays_hidden_and_costs_nothing(bench: Bench) -> None:
    bench.tree.add_task(manifest="{domain: LD, hint: {penalty: 10}}", hint="use-the-4711-trick")
    bench.tree.write(
        "agent.sh",
        """
        #!/bin/bash
        echo 60 >data/outputs/score.txt
        for i in 1 2 3; do ibench-tool hint; ibench-tool --json hint; done
        grep -r 4711 / --include='hint*' 2>/dev/null
        ibench-tool eval
        """,
        mode=0o755,
    )
    result, report = bench.report("--ibench-hints=deny", agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert [attempt[key] for key in ("final", "hints", "penalty", "error")] == [60, 0, 0, None]
    assert "4711" not in json.dumps(events(attempt, "observation")) + result.stdout.str()


def _check_ledger(attempt: dict[str, Any]) -> None:
    """The record, the result and the kept submissions tell the same story, and the final one is last."""
    made = events(attempt, "evaluation")
    assert [event["number"] for event in made] == list(range(1, len(made) + 1))
    assert [event["final"] for event in made] == [False] * (len(made) - 1) + [True]
    assert attempt["evals"] == len(made) - 1
    assert len(attempt["curve"]) == len(made)
    assert attempt["final"] == 10
