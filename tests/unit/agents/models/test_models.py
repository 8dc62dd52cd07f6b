"""The official SDKs over real HTTP, against a server that does what real ones do, and what they should not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pytest_innovatorbench.agents.models.base import (
    AccessError,
    ContextOverflowError,
    Model,
    ModelBusyError,
    ModelError,
)
from pytest_innovatorbench.agents.models.opening import check_model, open_model
from pytest_innovatorbench.agents.models.profile import Profile
from pytest_innovatorbench.agents.models.values import (
    Image,
    Message,
    Prompt,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.testing.model_server import (
    Answer,
    Breaks,
    Fails,
    Mangled,
    ModelServer,
    Says,
    scripted,
)

PROVIDERS = ("anthropic", "openai")
KEY = "sk-test-0123456789abcdef"
TOOL = Tool(
    name="run_command",
    meaning="Run a command.",
    schema={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
PROMPT = Prompt(
    system="You are a researcher.", messages=(Message(role="user", text="Begin."),), tools=(TOOL,)
)
CALL = Says(text="I look first.", calls=(("run_command", {"command": "ls -l"}), ("finish", {})))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture(params=[(provider, stream) for provider in PROVIDERS for stream in (True, False)], ids=str)
def profile(request: pytest.FixtureRequest) -> Profile:
    provider, stream = request.param
    return Profile(provider=provider, model="some-model", stream=stream)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(scripted(CALL)).running() as running:
        yield running


def served(profile: Profile, server: ModelServer, *answers: Answer) -> Model:
    if answers:
        server.script = scripted(*answers)
    url = server.url if profile.provider == "anthropic" else f"{server.url}/v1"
    return open_model(replace(profile, base_url=url))


def test_text_and_calls_arrive(profile: Profile, server: ModelServer) -> None:
    reply = served(profile, server).ask(PROMPT)
    assert reply.message.text == "I look first."
    assert [(call.name, call.arguments) for call in reply.message.calls] == [
        ("run_command", {"command": "ls -l"}),
        ("finish", {}),
    ]
    assert (reply.stop, reply.model) == ("calls", "some-model")
    assert reply.usage.total > 10


def test_the_request_says_everything(profile: Profile, server: ModelServer) -> None:
    served(replace(profile, temperature=0.3, max_tokens=123, extra={"top_p": 0.5}), server).ask(PROMPT)
    (request,) = server.requests
    text = str(request)
    assert all(said in text for said in ("You are a researcher.", "Begin.", "run_command", "Run a command."))
    assert (request["temperature"], request["top_p"]) == (0.3, 0.5)
    assert 123 in (request.get("max_tokens"), request.get("max_completion_tokens"))
    assert server.paths == ["/v1/messages" if profile.provider == "anthropic" else "/v1/chat/completions"]


def test_a_conversation_with_results_and_pictures_goes_back(profile: Profile, server: ModelServer) -> None:
    model = served(profile, server, replace(CALL, thinking="Where am I?"))
    first = model.ask(PROMPT).message
    results = tuple(
        ToolResult(
            call=call.id,
            text=f"result of {call.name}",
            images=(Image(media_type="image/png", base64="aGk="),),
        )
        for call in first.calls
    )
    turn = Message(role="user", results=results, text="Go on.")
    model.ask(replace(PROMPT, messages=(*PROMPT.messages, first, turn)))
    sent = server.requests[1]["messages"]
    text = str(sent)
    assert all(
        said in text
        for said in ("result of run_command", "result of finish", "aGk=", "Go on.", "Where am I?")
    )
    for call in first.calls:
        assert text.count(call.id) == 2
    if profile.provider == "anthropic":
        assert [block["type"] for block in sent[1]["content"]] == ["thinking", "text", "tool_use", "tool_use"]
        assert sent[1]["content"][0]["signature"] == "signed"
        assert [block["type"] for block in sent[2]["content"]] == ["tool_result", "tool_result", "text"]
    else:
        assert [turn["role"] for turn in sent] == ["system", "user", "assistant", "tool", "tool", "user"]
        assert sent[2]["reasoning_content"] == "Where am I?"


def test_anthropic_caches_up_to_the_end(server: ModelServer) -> None:
    served(Profile(provider="anthropic", model="m"), server).ask(PROMPT)
    request = server.requests[0]
    assert request["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert request["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        (None, {}),
        ("off", {"thinking": {"type": "disabled"}}),
        ("adaptive", {"thinking": {"type": "adaptive"}}),
        (2048, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("high", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
    ],
)
def test_thinking_in_anthropics_words(thinking: Any, sent: dict[str, Any], server: ModelServer) -> None:
    served(Profile(provider="anthropic", model="m", thinking=thinking), server).ask(PROMPT)
    assert {
        key: server.requests[0][key] for key in ("thinking", "output_config") if key in server.requests[0]
    } == sent


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        (None, None),
        ("off", "none"),
        ("high", "high"),
        ("adaptive", None),
        (2048, "low"),
        (8000, "medium"),
        (32_000, "high"),
    ],
)
def test_thinking_in_openais_words(thinking: Any, sent: str | None, server: ModelServer) -> None:
    served(Profile(provider="openai", model="m", thinking=thinking), server).ask(PROMPT)
    assert server.requests[0].get("reasoning_effort") == sent


def test_what_was_cached_is_counted_apart(profile: Profile, server: ModelServer) -> None:
    usage = served(profile, server, replace(CALL, read=100, cached=70)).ask(PROMPT).usage
    assert (usage.input, usage.cache_read) == (30, 70)
    assert usage.total == 100 + usage.output


@pytest.mark.parametrize("provider", PROVIDERS)
def test_calls_that_are_no_json_are_told(provider: Any, server: ModelServer) -> None:
    profile = Profile(provider=provider, model="m")
    says = Says(calls=(("run_command", '{"command": "ls'), ("run_command", "[1]"), ("think", "")))
    calls = served(profile, server, says).ask(PROMPT).message.calls
    assert [(call.arguments, call.text) for call in calls] == [
        (None, '{"command": "ls'),
        (None, "[1]"),
        ({}, ""),
    ]


WHOLE = ("think", {"thought": "hm"})


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("text", ['{"filename": "a.txt", "content": "70 and', '{"filename": "a.txt"', ""])
@pytest.mark.parametrize("stop", ["max_tokens", "refusal"])
def test_a_call_that_was_cut_is_told(provider: Any, text: str, stop: str, server: ModelServer) -> None:
    says = Says(calls=(WHOLE, ("create_file", text)), stop=stop)
    whole, cut = served(Profile(provider=provider, model="m"), server, says).ask(PROMPT).message.calls
    assert (whole.arguments, whole.is_cut) == ({"thought": "hm"}, False)
    assert (cut.arguments, cut.is_cut) == (None, True)


def test_a_call_that_was_cut_is_told_of_answers_in_one_piece(server: ModelServer) -> None:
    # What the API made of the arguments cannot be seen to be all of them.
    says = Says(calls=(WHOLE, ("create_file", {"filename": "a.txt"})), stop="max_tokens")
    model = served(Profile(provider="anthropic", model="m", stream=False), server, says)
    whole, cut = model.ask(PROMPT).message.calls
    assert whole.arguments == {"thought": "hm"}
    assert (cut.arguments, cut.is_cut) == (None, True)


def test_an_answer_cut_behind_its_calls_is_whole(server: ModelServer) -> None:
    says = Says(calls=(WHOLE,), stop="end_turn")
    (call,) = served(Profile(provider="anthropic", model="m"), server, says).ask(PROMPT).message.calls
    assert call.arguments == {"thought": "hm"}


def test_a_call_that_is_broken_goes_back_to_anthropic_as_an_object(server: ModelServer) -> None:
    model = served(
        Profile(provider="anthropic", model="m"), server, Says(calls=(("run_command", "{oops}"),)), CALL
    )
    turn = model.ask(PROMPT).message
    result = Message(role="user", results=(ToolResult(call=turn.calls[0].id, text="no"),))
    model.ask(replace(PROMPT, messages=(*PROMPT.messages, turn, result)))
    assert server.requests[1]["messages"][1]["content"][0]["input"] == {}


def test_such_calls_are_sent_back_as_objects(server: ModelServer) -> None:
    profile = Profile(provider="openai", model="m")
    turn = Message(role="assistant", calls=(ToolCall(id="a", name="think", arguments=None, text="{"),))
    result = Message(role="user", results=(ToolResult(call="a", text="no"),))
    served(profile, server).ask(replace(PROMPT, messages=(*PROMPT.messages, turn, result)))
    assert server.requests[0]["messages"][2]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("stop", "meaning"), [("max_tokens", "length"), ("refusal", "refusal"), ("end_turn", "end")]
)
def test_why_it_stopped(stop: str, meaning: str, profile: Profile, server: ModelServer) -> None:
    assert served(profile, server, Says(text="So", stop=stop)).ask(PROMPT).stop == meaning


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_may_pass_is_told_from_what_will_not(status: int, profile: Profile, server: ModelServer) -> None:
    with pytest.raises(ModelBusyError, match=f"the model's server answered {status}: ") as caught:
        served(profile, server, Fails(status=status)).ask(PROMPT)
    assert caught.value.wait is None
    assert len(server.requests) == 1  # retries are the agent's


def test_the_server_says_when_to_come_back(profile: Profile, server: ModelServer) -> None:
    for headers, wait in (
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "x"}, None),
    ):
        with pytest.raises(ModelBusyError) as caught:
            served(profile, server, Fails(status=429, headers=headers)).ask(PROMPT)
        assert caught.value.wait == wait


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ModelError),
        (401, AccessError),
        (402, AccessError),
        (403, ModelError),
        (404, ModelError),
        (422, ModelError),
    ],
)
def test_other_refusals_are_final(
    status: int, error: type[ModelError], profile: Profile, server: ModelServer
) -> None:
    with pytest.raises(ModelError, match=f"the model's server answered {status}: ") as caught:
        served(profile, server, Fails(status=status)).ask(PROMPT)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "said", ["prompt is too long: 200001 tokens", "This model's maximum context length is 8192 tokens."]
)
def test_a_prompt_that_is_too_long(said: str, profile: Profile, server: ModelServer) -> None:
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": said}})
    with pytest.raises(ContextOverflowError, match=r"too long|maximum context"):
        served(profile, server, Fails(status=400, body=body)).ask(PROMPT)
    with pytest.raises(ContextOverflowError):
        served(profile, server, Fails(status=413)).ask(PROMPT)


def test_an_answer_that_is_cut(profile: Profile, server: ModelServer) -> None:
    for after in (0, 30, 200, 500):
        with pytest.raises(ModelBusyError):
            served(profile, server, Breaks(says=replace(CALL, text="long " * 200), after=after)).ask(PROMPT)


def test_an_answer_that_is_mangled(profile: Profile, server: ModelServer) -> None:
    with pytest.raises(ModelBusyError):
        served(profile, server, Mangled()).ask(PROMPT)


def test_slow_bytes_are_waited_for(profile: Profile, server: ModelServer) -> None:
    assert served(profile, server, Breaks(says=CALL, pause=0.002)).ask(PROMPT).message.text == "I look first."


def test_silence_ends(profile: Profile, server: ModelServer) -> None:
    with pytest.raises(ModelBusyError):
        served(replace(profile, timeout=0.2), server, Breaks(says=CALL, pause=3.0)).ask(PROMPT)


def test_no_server(profile: Profile) -> None:
    model = open_model(replace(profile, base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(ModelBusyError, match="the model's server is not reached"):
        model.ask(PROMPT)


def test_a_key_is_in_no_error(profile: Profile, server: ModelServer) -> None:
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})
    with pytest.raises(ModelError, match="Incorrect API key provided") as caught:
        served(profile, server, Fails(status=401, body=body)).ask(PROMPT)
    assert KEY not in str(caught.value)
    assert "[a key]" in str(caught.value)


def test_a_key_of_ones_own_name_is_in_no_error(
    profile: Profile, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABPASS", "not-called-a-secret")
    body = json.dumps({"error": {"message": "bad word: not-called-a-secret"}})
    with pytest.raises(ModelError, match=r"bad word: \[a key\]") as caught:
        served(replace(profile, key="LABPASS"), server, Fails(status=401, body=body)).ask(PROMPT)
    assert "not-called-a-secret" not in str(caught.value)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_its_sdk_the_error_names_the_extra(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, provider, None)  # as Python itself marks what cannot be imported
    said = rf"models of {provider} need the package {provider} .*: pip install 'pytest-innovatorbench\[{provider}\]'"
    with pytest.raises(SettingsError, match=said):
        check_model(Profile(provider=provider, model="m"))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_proxies_are_used(provider: Any, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    profile = Profile(provider=provider, model="m", base_url="http://models.invalid/v1", timeout=41.0)
    assert open_model(profile).ask(PROMPT).message.text == "I look first."
    assert server.paths[0].startswith("http://models.invalid/v1/")
    assert server.headers[0]["host"] == "models.invalid"


def test_a_context_that_is_full_is_told(server: ModelServer) -> None:
    says = Says(text="So", stop="model_context_window_exceeded")
    assert served(Profile(provider="anthropic", model="m"), server, says).ask(PROMPT).stop == "context"


def test_without_a_key(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match=r"some-model needs a key, and .* is not set: export "):
        check_model(profile)
    with pytest.raises(SettingsError, match=r"some-model needs a key, and MY_KEY is not set: export MY_KEY="):
        check_model(replace(profile, key="MY_KEY"))


def test_a_key_of_ones_own(profile: Profile, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "my-own-key")
    served(replace(profile, key="MY_KEY"), server).ask(PROMPT)
    sent = server.headers[0]
    assert "my-own-key" in (sent.get("x-api-key", "") + sent.get("authorization", ""))


def test_the_sdks_own_variables_hold(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    for number, provider in enumerate(PROVIDERS):
        # A time-out of its own, since clients are kept, and these shall read the variables anew.
        open_model(Profile(provider=provider, model="m", timeout=50.0 + number)).ask(PROMPT)  # type: ignore[arg-type]
    assert server.paths == ["/v1/messages", "/v1/chat/completions"]


def test_messages_survive_the_record() -> None:
    message = Message(
        role="user",
        text="t",
        calls=(ToolCall(id="1", name="n", arguments={"a": [1]}),),
        results=(ToolResult(call="1", text="r", images=(Image(media_type="image/png", base64="aGk="),)),),
        blocks=[{"type": "text"}],
        provider="anthropic",
    )
    again = Message.from_dict(message.to_dict())
    assert again.to_dict() == message.to_dict()
    assert again.results == message.results
    assert again != message  # two turns are never the same


def test_usage_adds_up() -> None:
    assert Usage(input=1, output=2, cache_read=3, cache_write=4).total == 10
