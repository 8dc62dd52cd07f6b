"""MCP clients at work: the official one, and Claude Code with its model behind a server on loopback."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from pytest_innovatorbench.testing.model_server import Answer, Body, Fails, ModelServer, Says, Script
from tests.acceptance.conftest import Bench, events, running

KEY = "sk-secret-0123456789"
WRITE = ("create_file", {"filename": "data/outputs/score.txt", "content": "61\n"})
needs_claude = pytest.mark.skipif(shutil.which("claude") is None, reason="Claude Code is not installed")


class Client:
    """Calls tools of ``ibench mcp`` by the official client."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.errors = folder / "stderr"
        self._server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "pytest_innovatorbench", "mcp", *options],
            cwd=str(folder),
            env=dict(os.environ),
        )

    def call(self, *calls: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
        """Return the tools that there are, and the results of calls."""

        async def run() -> tuple[list[Any], list[Any]]:
            with self.errors.open("w") as errors:
                async with (
                    stdio_client(self._server, errlog=errors) as streams,
                    ClientSession(*streams) as session,
                ):
                    await session.initialize()
                    tools = await session.list_tools()
                    return list(tools.tools), [await session.call_tool(name, given) for name, given in calls]

        return anyio.run(run)

    def said(self) -> str:
        deadline = time.monotonic() + 10
        while "record:" not in self.errors.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.errors.read_text()


def test_the_official_client_makes_an_attempt(bench: Bench) -> None:
    bench.tree.add_task()
    client = Client(bench.pytester.path, "toy", "--name=somebody")
    tools, results = client.call(
        ("run_command", {"command": "pwd", "wait_for_completion": True}),
        ("run_command", {"cmd": "pwd"}),
        ("fly", {}),
        WRITE,
        ("eval", {}),
        ("finish", {}),
    )
    names = {tool.name for tool in tools}
    assert {"run_command", "eval", "finish", "sleep", "edit_file"} <= names
    assert not names & {"null", "view_hint", "web_search"}
    (run,) = [tool for tool in tools if tool.name == "run_command"]
    assert run.input_schema["required"] == ["command"]
    texts = [result.content[0].text for result in results]
    assert "/workspace" in texts[0]
    assert "run_command has no parameter 'cmd'" in texts[1]
    assert "there is no action 'fly'" in texts[2]
    assert "Score 61.00" in texts[4]
    assert [bool(result.is_error) for result in results] == [False, True, True, False, False, False]
    assert client.said().startswith("toy: SCORED 61.0; record: ")
    (record,) = bench.records()
    assert record.name == "toy-somebody-0"


def test_limits_hints_computers_and_snapshots_are_those_asked_for(bench: Bench) -> None:
    bench.tree.add_task(manifest="{domain: LD, hint: {penalty: 10}}", hint="use the force")
    bench.tree.write("computers.yaml", "computers: [{name: desk, kind: local}]")
    client = Client(
        bench.pytester.path,
        *("toy", f"--computers={bench.tree.root}/computers.yaml", "--max-evals=1", "--max-steps=4"),
        *("--hints=deny", "--snapshot-every=2steps", "--working-time=10m"),
    )
    tools, results = client.call(
        ("run_command", {"command": "echo $IBENCH_COMPUTER", "wait_for_completion": True}),
        WRITE,
        ("eval", {}),
        ("view_hint", {}),
    )
    assert "view_hint" not in {tool.name for tool in tools}
    texts = [result.content[0].text for result in results]
    assert texts[0].startswith("desk\n")
    assert "You have remaining 0 eval times." in texts[2]
    assert "Hints are switched off in this run." in texts[3]
    assert client.said().startswith("toy: SCORED 61.0; record: ")
    (record,) = bench.records()
    attempt = {"run_dir": str(record)}
    assert [event["reason"] for event in events(attempt, "snapshot")] == ["steps", "eval"]
    assert [event["reason"] for event in events(attempt, "ended")] == ["steps"]
    allowed = json.loads((record / "attempt.json").read_text())["allowance"]
    assert (allowed["seconds"], allowed["evals"], allowed["steps"]) == (600.0, 1, 4)


def test_the_paper_and_its_repository_cannot_be_seen_where_a_task_names_nothing_else(bench: Bench) -> None:
    paper = "https://arxiv.org/abs/2007.00151"
    sources = f"paper: {{title: T, url: '{paper}', repository: 'https://github.com/owner/elr'}}"
    bench.tree.add_task(manifest=f"{{domain: LD, web: {{mode: open}}, {sources}}}")
    client = Client(bench.pytester.path, "toy")
    urls = (
        paper,
        "https://arxiv.org/pdf/2007.00151v2",
        "http://127.0.0.1:9/cache?of=arxiv.org/abs/2007.00151",
        "https://raw.githubusercontent.com/owner/elr/main/README.md",
        "https://github.com/owner/elr/issues",
    )
    _, results = client.call(*(("web_browse", {"url": url}) for url in (*urls, "http://127.0.0.1:9/other")))
    texts = [result.content[0].text for result in results]
    for url, text in zip(urls, texts, strict=False):
        assert f"{url} is not to be seen in this task: it holds what is to be found out" in text
    assert "127.0.0.1 is a private address, which agents may not reach" in texts[-1]


def test_a_client_that_goes_ends_its_attempt(bench: Bench) -> None:
    bench.tree.add_task()
    client = Client(bench.pytester.path, "toy")
    client.call(WRITE)
    assert client.said().startswith("toy: SCORED 61.0; record: ")


def test_after_the_end_nothing_is_carried_out(bench: Bench) -> None:
    bench.tree.add_task()
    client = Client(bench.pytester.path, "toy")
    _, results = client.call(("finish", {}), ("run_command", {"command": "true"}))
    assert results[1].is_error
    assert results[1].content[0].text == "The attempt is over. Nothing more is carried out."


def test_pictures_are_handed_on(bench: Bench) -> None:
    bench.tree.add_task()
    draw = "import base64,sys; sys.stdout.buffer.write(base64.b64decode('%s'))"
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    command = f'python3 -c "{draw % dot}" > dot.png'
    client = Client(bench.pytester.path, "toy")
    _, results = client.call(
        ("run_command", {"command": command, "wait_for_completion": True}),
        ("parse_image", {"file_path": "dot.png"}),
    )
    assert [part.type for part in results[1].content] == ["text", "image"]
    assert results[1].content[1].mime_type == "image/png"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "ibench: no task was named: write ibench mcp TASK; see ibench list"),
        (("nothing",), "unknown task 'nothing'"),
        (("toy", "--snapshot-every=often"), "--snapshot-every: 'often' is not understood: give a time (15m)"),
        (("toy", "--working-time=0"), "--working-time: '0' is not a duration: give seconds, or 15m, 36h, 2d"),
        (("toy", "--computers=none.yaml"), "none.yaml: does not exist (write it, or name another file)"),
        (("big",), "ibench: no computer has 99 GPUs for role 'main'; there is "),
    ],
)
def test_a_wrong_call_of_the_command(bench: Bench, options: tuple[str, ...], said: str) -> None:
    bench.tree.add_task()
    bench.tree.add_task("other")
    bench.tree.add_task("big", manifest="{domain: LD, resources: {gpus: 99}}")
    result = bench.ibench("mcp", *options)
    assert result.ret != 0
    assert said in result.stderr.str()
    assert len(result.stderr.lines) == 1


def claude_says(*answers: Answer) -> Script:
    """Answer requests that offer tools one after the other; others, such as for a title, with a word."""
    left = list(answers)

    def script(body: Body) -> Answer:
        if not body.get("tools"):
            return Says(text="A title")
        return left.pop(0) if len(left) > 1 else left[0]

    return script


def tool(name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return f"mcp__innovatorbench__{name}", arguments


def serve(monkeypatch: pytest.MonkeyPatch, server: ModelServer) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


@needs_claude
def test_claude_code_works_through_our_tools_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    script = claude_says(
        Says(
            text="I look.", calls=(tool("run_command", {"command": "pwd; ls", "wait_for_completion": True}),)
        ),
        Says(text="I write.", calls=(tool(*WRITE),)),
        Says(text="I evaluate.", calls=(tool("eval", {}),)),
        Says(text="Done.", calls=(tool("finish", {}),)),
        Says(text="Bye."),
    )
    with ModelServer(script).running() as server:
        serve(monkeypatch, server)
        result, report = bench.report(agent="claude-code:some-model")
    (attempt,) = report["attempts"]
    assert result.ret == 0
    assert (attempt["status"], attempt["final"], attempt["evals"]) == ("scored", 61.0, 1)
    asked = [request for request in server.requests if request.get("tools")]
    names = {offer["name"] for request in asked for offer in request["tools"]}
    assert names
    assert all(name.startswith("mcp__innovatorbench__") for name in names)
    assert asked[0]["model"] == "some-model"
    assert "Write a number into" in str(asked[0]["messages"])
    assert "/workspace" in str(asked[1]["messages"][-1])
    assert [event["name"] for event in events(attempt, "action")] == [
        "run_command",
        "create_file",
        "eval",
        "finish",
    ]
    assert sum(event["output"] for event in events(attempt, "model_answered")) > 0
    for file in bench.pytester.path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


@needs_claude
def test_claude_code_ends_with_its_attempt(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    marker = str(bench.pytester.path)
    script = claude_says(
        Says(calls=(tool(*WRITE),)), Says(calls=(tool("sleep", {"sleep_time": 600, "until": "none"}),))
    )
    with ModelServer(script).running() as server:
        serve(monkeypatch, server)
        result, report = bench.report("--ibench-working-time=8", agent="claude-code")
    (attempt,) = report["attempts"]
    assert (result.ret, attempt["final"]) == (0, 61.0)
    assert attempt["error"] == "the working time is used up"
    assert [line for line in running(marker) if "claude" in line or "relay.py" in line] == []


@needs_claude
def test_claude_code_that_fails_is_marked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    script = claude_says(Says(calls=(tool(*WRITE),)), Fails(status=400))
    with ModelServer(script).running() as server:
        serve(monkeypatch, server)
        _, report = bench.report(agent="claude-code")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"]) == ("scored", 61.0)
    assert attempt["error"].startswith("claude ended with status 1: ")


@needs_claude
def test_claude_code_whose_model_never_answers_has_no_score(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.tree.add_task()
    with ModelServer(lambda _: Fails(status=404)).running() as server:
        serve(monkeypatch, server)
        _, report = bench.report(agent="claude-code")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    assert attempt["error"] == (
        "the model's server answered 404: check the model's name, its settings and the key"
    )


def thinks_for_ever(prefix: str) -> tuple[Script, list[int]]:
    """Answers that each read 100,000 tokens and call an action, and how many there were."""
    count = [0]

    def script(body: Body) -> Answer:
        if not body.get("tools"):
            return Says(text="A title.", read=10)
        count[0] += 1
        return Says(calls=((f"{prefix}think", {"thought": f"thought {count[0]}"}),), read=100_000)

    return script, count


@needs_claude
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--ibench-max-tokens=250000", "the tokens are used up"),
        ("--ibench-max-cost=0.5", "the money is used up"),
    ],
)
def test_claude_code_stops_when_its_budget_is_used_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, option: str, said: str
) -> None:
    bench.tree.add_task()
    script, count = thinks_for_ever("mcp__innovatorbench__")
    with ModelServer(script).running() as server:
        serve(monkeypatch, server)
        _, report = bench.report(option, agent="claude-code:claude-sonnet-5-5")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["error"], count[0]) == ("scored", said, 3)
    assert 300_000 <= attempt["tokens"] < 301_000
    assert attempt["cost"] == pytest.approx(0.6, rel=0.01)


@needs_claude
def test_what_claude_code_costs_elsewhere_cannot_be_limited(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.tree.add_task()
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    result = bench.run("--ibench-max-cost=5", agent="claude-code")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            "*--ibench-max-cost: without a key of Anthropic's API, Claude Code tells its cost only at its end: *"
        ]
    )


def test_without_claude_code_there_is_an_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    result = bench.run(agent="claude-code")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*there is no program 'claude': npm install -g @anthropic-ai/claude-code"])
