"""Programs of vendors with their own tools, in the sandbox, their model behind a server on loopback."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import pytest

from pytest_innovatorbench.testing.model_server import (
    Answer,
    Body,
    Fails,
    ModelServer,
    Says,
    Script,
    scripted,
)
from tests.acceptance.conftest import Bench, events

KEY = "sk-secret-0123456789"
NATIVE = "--ibench-native-tools"
needs_claude = pytest.mark.skipif(shutil.which("claude") is None, reason="Claude Code is not installed")
needs_codex = pytest.mark.skipif(shutil.which("codex") is None, reason="Codex is not installed")

# What a program can find of the world outside, as one line of text.
LOOK = (
    "echo begin; id -u; pwd; env; cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '; ls -a /root /home; "
    "ls /ibench; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; cat /ibench/plan.json; ls evaluations; "
    "python3 -c \"import socket; socket.create_connection(('192.0.2.1', 80), 3)\" 2>&1 | tail -1; echo end"
)


# In place of a vendor's program: it asks the model by itself, for what it may have and for what it may not.
SPY = """#!/usr/bin/python3 -I
import json, os, socket, sys, urllib.error, urllib.request

base, key = os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"]
asked = {"model": "some-model", "max_tokens": 9, "messages": [{"role": "user", "content": sys.stdin.read()}]}

def ask(path, body, key=key):
    headers = {"x-api-key": key, "content-type": "application/json"}
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    try:
        return json.load(urllib.request.urlopen(request, timeout=20))["content"][0]["text"]
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]["message"]

print(json.dumps({"type": "spied", "found": [
    ask("/v1/messages", asked),
    ask("/v1/messages", {**asked, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
    ask("/v1/files", {}),
    ask("/v1/messages", asked, "guessed"),
]}))
second = socket.socket(socket.AF_UNIX)
second.connect("/ibench/said")
second.sendall(b'{"type": "forged"}\\n')
open("/workspace/data/outputs/score.txt", "w").write("67\\n")
"""


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def native_claude(
    bench: Bench, server: ModelServer, *options: str, model: str = "claude-sonnet-5-5"
) -> dict[str, Any]:
    os.environ["ANTHROPIC_BASE_URL"] = server.url
    try:
        _, report = bench.report(NATIVE, *options, agent=f"claude-code:{model}")
    finally:
        del os.environ["ANTHROPIC_BASE_URL"]
    (attempt,) = report["attempts"]
    return dict(attempt)


def priced(bench: Bench, model: str) -> str:
    price = {"input": 1.0, "output": 5.0, "cache_read": 0.1}
    file = bench.tree.write("agents.yaml", json.dumps({"prices": {model: price}}))
    return f"--ibench-agent-config={file}"


def native_codex(bench: Bench, server: ModelServer, model: str) -> dict[str, Any]:
    url = f"--ibench-model-base-url={server.url}/v1"
    _, report = bench.report(NATIVE, url, agent=f"codex:{model}")
    (attempt,) = report["attempts"]
    return dict(attempt)


def claude_says(*answers: Answer) -> Script:
    """Answer requests that offer tools one after the other; others, such as for a title, with a word."""
    inner = scripted(*answers)

    def script(body: Body) -> Any:
        return inner(body) if body.get("tools") else Says(text="A title")

    return script


def ours(name: str) -> tuple[str, dict[str, Any]]:
    return f"mcp__innovatorbench__{name}", {}


def check_confined(seen: str) -> None:
    """Check what `LOOK` found."""
    assert "begin" in seen
    assert "/workspace" in seen
    assert KEY not in seen
    assert "attempt-" in seen
    assert "Network is unreachable" in seen
    assert "Error" not in seen.replace("OSError", "")
    assert "cannot access 'evaluations'" in seen


def no_key_is_kept(bench: Bench) -> None:
    for file in bench.pytester.path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


@needs_claude
def test_claude_code_works_with_its_own_tools(bench: Bench) -> None:
    bench.tree.add_task()
    note = {"file_path": "/workspace/notes.md", "content": "It is a number.\n"}
    server = ModelServer(
        claude_says(
            Says(text="I look.", calls=(("Bash", {"command": LOOK, "description": "look"}),)),
            Says(text="I note.", calls=(("Write", note),)),
            Says(
                text="I write.",
                calls=(("Bash", {"command": "echo 63 > data/outputs/score.txt; cat notes.md"}),),
            ),
            Says(text="I evaluate.", calls=(ours("eval"),)),
            Says(text="Done.", calls=(ours("finish"),)),
            Says(text="Bye."),
        )
    )
    with server.running():
        attempt = native_claude(bench, server)
    assert (attempt["status"], attempt["final"], attempt["evals"], attempt["error"]) == (
        "scored",
        63.0,
        1,
        None,
    )
    asked = [request for request in server.requests if request.get("tools")]
    names = {offer["name"] for offer in asked[0]["tools"]}
    assert {"Bash", "Write", "Read", "Edit"} <= names
    assert not {"WebSearch", "WebFetch"} & names
    assert {name for name in names if name.startswith("mcp__")} == {
        "mcp__innovatorbench__eval",
        "mcp__innovatorbench__finish",
        "mcp__innovatorbench__sleep",
    }
    check_confined(json.dumps(asked[1]["messages"][-1]))
    assert "It is a number." in json.dumps(asked[3]["messages"][-1])
    assert [event["name"] for event in events(attempt, "action")] == ["run_command", "eval", "finish"]
    assert {headers["x-api-key"] for headers in server.headers} == {KEY}
    no_key_is_kept(bench)


@needs_claude
def test_what_claude_code_says_and_takes_is_in_the_record(bench: Bench) -> None:
    bench.tree.add_task()
    with ModelServer(claude_says(Says(text="That is all.", read=900, cached=400))).running() as server:
        attempt = native_claude(bench, server, priced(bench, "claude-sonnet-5-*"))
    assert (attempt["status"], attempt["final"], attempt["error"]) == ("scored", 0.0, None)
    said = json.dumps([event["event"] for event in events(attempt, "client")])
    assert "That is all." in said
    took = events(attempt, "model_answered")
    assert len(took) == len(server.requests)
    assert took[-1]["model"] == "claude-sonnet-5-5"
    assert (took[-1]["input"], took[-1]["cache_read"]) == (500, 400)
    assert took[-1]["output"] > 0
    assert took[-1]["cost"] == pytest.approx((500 + 5 * took[-1]["output"] + 0.1 * 400) / 1e6)
    assert took[-1]["stop"] == "end_turn"


@needs_claude
def test_claude_code_stops_when_its_tokens_are_used_up(bench: Bench) -> None:
    bench.tree.add_task()
    write = ("Bash", {"command": "echo 64 > data/outputs/score.txt"})
    with ModelServer(claude_says(Says(calls=(write,), read=1000))).running() as server:
        attempt = native_claude(bench, server, "--ibench-max-tokens=5000")
    assert (attempt["status"], attempt["final"]) == ("scored", 64.0)
    assert attempt["error"] == "the tokens are used up"
    assert len(server.requests) <= 7


@needs_claude
def test_where_the_cost_is_limited_a_model_has_a_price(bench: Bench) -> None:
    bench.tree.add_task()
    with ModelServer(claude_says(Says(text="That is all."))).running() as server:
        attempt = native_claude(bench, server, "--ibench-max-cost=5", model="claude-nobody-knows")
    assert server.requests == []
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    said = "the cost is limited, and the price of claude-nobody-knows is not known: check the model's name"
    assert attempt["error"].startswith(said)


@needs_claude
def test_claude_code_that_fails_is_marked(bench: Bench) -> None:
    bench.tree.add_task()
    script = claude_says(Says(calls=(ours("eval"),)), Fails(status=400))
    with ModelServer(script).running() as server:
        attempt = native_claude(bench, server)
    assert (attempt["status"], attempt["final"]) == ("scored", 0.0)
    assert attempt["error"].startswith("the agent's program ended with status 1")


@needs_claude
def test_claude_code_whose_model_never_answers_has_no_score(bench: Bench) -> None:
    bench.tree.add_task()
    with ModelServer(lambda _: Fails(status=404)).running() as server:
        attempt = native_claude(bench, server)
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    assert attempt["error"] == (
        "the model's server answered 404: check the model's name, its settings and the key"
    )


@needs_claude
def test_it_works_without_a_sandbox_too(bench: Bench) -> None:
    bench.tree.add_task()
    write = ("Bash", {"command": "echo 64 > data/outputs/score.txt"})
    with ModelServer(claude_says(Says(calls=(write,)), Says(text="Bye."))).running() as server:
        attempt = native_claude(bench, server, "--ibench-sandbox=none")
    assert (attempt["status"], attempt["final"], attempt["error"]) == ("scored", 64.0, None)


@needs_codex
def test_codex_works_with_its_own_tools(bench: Bench) -> None:
    bench.tree.add_task()
    server = ModelServer(
        scripted(
            Says(text="I look.", calls=(("exec_command", {"cmd": LOOK, "yield_time_ms": 20_000}),)),
            Says(
                text="I write.",
                calls=(
                    ("exec_command", {"cmd": "echo 66 > data/outputs/score.txt", "yield_time_ms": 5_000}),
                ),
            ),
            Says(text="I evaluate.", calls=(("mcp__innovatorbench/eval", {}),)),
            Says(text="Done.", calls=(("mcp__innovatorbench/finish", {}),)),
            Says(text="Bye."),
        )
    )
    with server.running():
        attempt = native_codex(bench, server, "some-model")
    assert (attempt["status"], attempt["final"], attempt["evals"], attempt["error"]) == (
        "scored",
        66.0,
        1,
        None,
    )
    check_confined(json.dumps(server.requests[1]["input"][-1]))
    assert [event["name"] for event in events(attempt, "action")] == ["run_command", "eval", "finish"]
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert set(server.paths) == {"/v1/responses"}
    assert len(events(attempt, "model_answered")) >= 4
    assert "I look." in json.dumps(events(attempt, "client"))
    no_key_is_kept(bench)


@needs_codex
def test_codex_works_with_its_own_tools_from_javascript(bench: Bench) -> None:
    """As some models are offered them."""
    bench.tree.add_task()
    patch = "*** Begin Patch\n*** Add File: /workspace/data/outputs/score.txt\n+69\n*** End Patch\n"
    script = 'text(JSON.stringify(await tools.exec_command({cmd: "cat data/outputs/score.txt"})))'
    says = (
        Says(calls=(("apply_patch!", patch),)),
        Says(calls=(("exec!", script),)),
        Says(calls=(("exec!", "text(JSON.stringify(await tools.mcp__innovatorbench__eval({})))"),)),
        Says(text="Bye."),
    )
    with ModelServer(scripted(*says)).running() as server:
        attempt = native_codex(bench, server, "gpt-6.1-sol")
    assert (attempt["final"], attempt["evals"], attempt["error"]) == (69.0, 1, None)
    outputs = [item for item in server.requests[3]["input"] if item["type"] == "custom_tool_call_output"]
    assert "69" in json.dumps(outputs[1]["output"])
    assert "Score 69.00" in json.dumps(outputs[2]["output"])


def test_a_program_in_the_vendors_place_reaches_its_model_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.tree.add_task()
    program = bench.tree.write("bin/claude", SPY)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with ModelServer(scripted(Says(text="Hello."))).running() as server:
        attempt = native_claude(bench, server)
    assert (attempt["final"], attempt["error"]) == (67.0, None)
    (spied,) = [event["event"] for event in events(attempt, "client")]
    assert spied["found"] == [
        "Hello.",
        "tools of kind 'web_search_20250305' are not passed on",
        "POST /v1/files is not passed on",
        "the key is not that of this attempt",
    ]
    assert len(server.requests) == len(events(attempt, "model_answered")) == 1
    assert server.headers[0]["x-api-key"] == KEY
    assert "Write a number into" in json.dumps(server.requests[0])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "ANTHROPIC_API_KEY",
            "",
            "*Claude Code needs a key there, and ANTHROPIC_API_KEY is not set: export ANTHROPIC_API_KEY=...",
        ),
        (
            "CLAUDE_CODE_USE_BEDROCK",
            "1",
            "*asks Anthropic's API there, and CLAUDE_CODE_USE_BEDROCK is set: unset CLAUDE_CODE_USE_BEDROCK, *",
        ),
    ],
)
def test_claude_code_without_a_key_of_its_api(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    bench.tree.add_task()
    monkeypatch.setenv(name, value)
    result = bench.run(NATIVE, agent="claude-code")
    assert result.ret == 4
    result.stderr.fnmatch_lines([said])


def test_the_option_may_stand_in_the_ini_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    bench.pytester.makeini("[pytest]\nibench_native_tools = true\n")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    result = bench.run(agent="claude-code")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--ibench-native-tools: Claude Code needs a key there*"])
