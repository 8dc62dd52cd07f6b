"""People who say something to agents at work, by the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pytest_innovatorbench.testing.model_server import Answer, Body, Says
from tests.acceptance.conftest import Bench, events, wait_until
from tests.acceptance.test_react import FINISH, WRITE, Serve, serve

__all__ = ["serve"]

WORD = "Mind the <outliers>."
HEARD = f"<real_user>{WORD}</real_user>"
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")


def say(attempt: Path, text: str = WORD) -> str:
    """Say something by the real command; return what that prints."""
    ibench = Path(sys.executable).with_name("ibench")
    done = subprocess.run([ibench, "tell", attempt, text], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_word_ends_a_sleep_and_is_read_before_the_next_step(bench: Bench, serve: Serve) -> None:
    bench.tree.add_task()
    server = serve(
        Says(text="I write.", calls=(WRITE,)),
        Says(text="I sleep.", calls=(("sleep", {"sleep_time": 50, "until": "none"}),)),
        FINISH,
    )
    argv = [*PYTEST, "--ibench-agent=claude", "--ibench-run-id=r"]
    run = subprocess.Popen(argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL)
    attempt = bench.pytester.path / ".ibench/runs/r/attempts/toy-claude-0"

    def sleeps() -> bool:
        file = attempt / "events.jsonl"
        return file.exists() and '"name":"sleep"' in file.read_text()

    wait_until(sleeps)
    said = say(attempt)
    assert said == "told: the event heard in events.jsonl will say that the agent was given it\n"
    assert run.wait(30) == 0
    record = {"run_dir": str(attempt)}
    slept = events(record, "observation")[1]
    assert "a person has something to say" in slept["message"]
    assert json.dumps(server.requests[2]["messages"][-1]).count(HEARD) == 1
    assert [event["text"] for event in events(record, "human")] == [WORD]
    assert [event["count"] for event in events(record, "heard")] == [1]
    assert say(attempt) == "ibench: the attempt toy-claude-0 is over: nobody listens any more\n"


def test_a_word_that_a_killed_run_did_not_pass_on_is_read_when_it_goes_on(bench: Bench, serve: Serve) -> None:
    bench.tree.add_task()
    attempt = bench.pytester.path / ".ibench/runs/r/attempts/toy-claude-0"
    runs: list[subprocess.Popen[bytes]] = []

    def script(body: Body) -> Answer:
        if len(runs) == 1:
            assert say(attempt).startswith("told: ")
            wait_until(lambda: '"kind":"human"' in (attempt / "events.jsonl").read_text())
            runs.pop().kill()
            return Says(text="Nobody reads this.")
        return FINISH if HEARD in json.dumps(body["messages"]) else Says(text="I hear nothing.")

    server = serve(script=script)
    argv = [*PYTEST, "--ibench-agent=claude", "--ibench-run-id=r"]
    run = subprocess.Popen(argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL)
    runs.append(run)
    run.wait(60)
    assert (attempt / "ear").exists()
    assert say(attempt).startswith(
        "ibench: the attempt toy-claude-0 does not go on now: wait until its agent"
    )
    result = bench.pytester.runpytest_subprocess("--ibench-resume=r", timeout=120)
    assert result.ret == 0
    assert json.dumps(server.requests[-1]["messages"]).count(HEARD) == 1
    assert len(server.requests) == 2
