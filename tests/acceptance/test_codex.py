"""Codex at work, its model behind a server on loopback that speaks Responses."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from pytest_innovatorbench.testing.model_server import Answer, Body, Fails, ModelServer, Says, scripted
from tests.acceptance.conftest import Bench, events, running

KEY = "sk-secret-0123456789"
SPACE = "mcp__innovatorbench"
WRITE = (f"{SPACE}/create_file", {"filename": "data/outputs/score.txt", "content": "65\n"})
# Without our tools, the model would be left with these, none of which reaches a file or a command.
HARMLESS = {"list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource", "request_user_input"}
needs_codex = pytest.mark.skipif(shutil.which("codex") is None, reason="Codex is not installed")


def tool(name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return f"{SPACE}/{name}", arguments


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def offered(request: dict[str, Any]) -> set[str]:
    """Names of the tools of a request, those of spaces with the space before them."""
    names = set()
    for offer in request["tools"]:
        inner = offer.get("tools")
        names |= {f"{offer['name']}/{each['name']}" for each in inner} if inner else {offer["name"]}
    return names


@needs_codex
def test_codex_works_through_our_tools_alone(bench: Bench) -> None:
    bench.tree.add_task()
    script = scripted(
        Says(
            text="I look.", calls=(tool("run_command", {"command": "pwd; ls", "wait_for_completion": True}),)
        ),
        Says(text="I write.", calls=(WRITE,)),
        Says(text="I evaluate.", calls=(tool("eval", {}),)),
        Says(text="Done.", calls=(tool("finish", {}),)),
        Says(text="Bye."),
    )
    with ModelServer(script).running() as server:
        result, report = bench.report(f"--ibench-model-base-url={server.url}/v1", agent="codex:some-model")
    (attempt,) = report["attempts"]
    assert result.ret == 0
    assert (attempt["status"], attempt["final"], attempt["evals"]) == ("scored", 65.0, 1)
    first = server.requests[0]
    assert first["model"] == "some-model"
    assert "Write a number into" in str(first["input"])
    names = offered(first)
    assert {f"{SPACE}/run_command", f"{SPACE}/eval"} <= names
    assert {name for name in names if not name.startswith(f"{SPACE}/")} <= HARMLESS
    assert "/workspace" in str(server.requests[1]["input"][-1])
    assert [event["name"] for event in events(attempt, "action")] == [
        "run_command",
        "create_file",
        "eval",
        "finish",
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    for file in bench.pytester.path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


@needs_codex
def test_codex_asks_the_model_of_the_users_file(bench: Bench) -> None:
    bench.tree.add_task()
    file = bench.tree.write("agents.yaml", "agents: {codex: {model: model-of-the-file}}")
    with ModelServer(scripted(Says(text="Bye."))).running() as server:
        options = (f"--ibench-agent-config={file}", f"--ibench-model-base-url={server.url}/v1")
        for agent in ("codex", "codex:other-model"):
            bench.report(*options, agent=agent)
    assert [request["model"] for request in server.requests] == ["model-of-the-file", "other-model"]


@needs_codex
def test_what_codex_took_is_in_the_record(bench: Bench) -> None:
    bench.tree.add_task()
    with ModelServer(
        scripted(Says(calls=(WRITE,)), Says(text="That is all.", read=900, cached=400))
    ).running() as server:
        _, report = bench.report(f"--ibench-model-base-url={server.url}/v1", agent="codex:some-model")
    (attempt,) = report["attempts"]
    assert (attempt["final"], attempt["error"]) == (65.0, None)
    _, took = events(attempt, "model_answered")
    assert (took["cache_read"], took["input"], took["model"]) == (400, 500, "some-model")
    assert took["output"] > 0


@needs_codex
def test_codex_ends_with_its_attempt(bench: Bench) -> None:
    bench.tree.add_task()
    script = scripted(
        Says(calls=(WRITE,)), Says(calls=(tool("sleep", {"sleep_time": 600, "until": "none"}),))
    )
    with ModelServer(script).running() as server:
        options = (f"--ibench-model-base-url={server.url}/v1", "--ibench-working-time=8")
        result, report = bench.report(*options, agent="codex:some-model")
    (attempt,) = report["attempts"]
    assert (result.ret, attempt["final"]) == (0, 65.0)
    assert attempt["error"] == "the working time is used up"
    assert [line for line in running(str(bench.pytester.path)) if "codex" in line or "relay.py" in line] == []


@needs_codex
def test_codex_that_fails_is_marked(bench: Bench) -> None:
    bench.tree.add_task()
    with ModelServer(scripted(Says(calls=(WRITE,)), Fails(status=400))).running() as server:
        _, report = bench.report(f"--ibench-model-base-url={server.url}/v1", agent="codex:some-model")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"]) == ("scored", 65.0)
    assert attempt["error"].startswith("codex ended with status 1: ")


@needs_codex
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "the model's server answered 404"),
        (("--ibench-max-cost=5",), "the cost is limited, and the price of some-model is not known"),
    ],
)
def test_codex_whose_model_never_answers_has_no_score(
    bench: Bench, options: tuple[str, ...], said: str
) -> None:
    bench.tree.add_task()
    with ModelServer(lambda _: Fails(status=404)).running() as server:
        options = (f"--ibench-model-base-url={server.url}/v1", *options)
        _, report = bench.report(*options, agent="codex:some-model")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    assert attempt["error"] == f"{said}: check the model's name, its settings and the key"


@needs_codex
@pytest.mark.parametrize(
    ("option", "ending"),
    [("--ibench-max-tokens=250000", "tokens are"), ("--ibench-max-cost=2.5", "money is")],
)
def test_codex_stops_when_its_budget_is_used_up(bench: Bench, option: str, ending: str) -> None:
    bench.tree.add_task()
    count = [0]

    def script(_: Body) -> Answer:
        count[0] += 1
        return Says(calls=(tool("think", {"thought": f"thought {count[0]}"}),), read=100_000)

    prices = bench.tree.write("agents.yaml", '{"prices": {"some-model": {"input": 10, "output": 10}}}')
    with ModelServer(script).running() as server:
        options = (f"--ibench-agent-config={prices}", f"--ibench-model-base-url={server.url}/v1", option)
        _, report = bench.report(*options, agent="codex:some-model")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["error"]) == ("scored", f"the {ending} used up")
    assert (count[0], len(events(attempt, "model_answered"))) == (3, 3)
    assert 300_000 <= attempt["tokens"] < 301_000
    assert attempt["cost"] == pytest.approx(3, rel=0.01)


def test_without_codex_there_is_an_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    result = bench.run(agent="codex")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*there is no program 'codex': npm install -g @openai/codex"])
