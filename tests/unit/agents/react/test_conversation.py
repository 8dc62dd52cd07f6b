"""What stays in a prompt, and what a summary takes the place of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.models.values import Message, Reply, ToolCall, ToolResult, Usage
from pytest_innovatorbench.agents.react.conversation import Conversation, estimate
from pytest_innovatorbench.agents.react.transcript import Transcript, prompts

if TYPE_CHECKING:
    import pytest

Events = list[dict[str, Any]]


def start() -> tuple[Conversation, Events]:
    events: Events = []

    def note(kind: str, /, **data: Any) -> None:
        events.append({"kind": kind, "t": 0.0, **data})

    return Conversation(Transcript(note), "system", ()), events


def user(text: str) -> Message:
    return Message(role="user", text=text)


def answer(number: int, usage: Usage | None = None) -> Reply:
    call = ToolCall(id=f"c{number}", name="think", arguments={"thought": "x" * 30})
    message = Message(role="assistant", text=f"answer {number}", calls=(call,))
    return Reply(message=message, stop="calls", usage=usage or Usage())


def result(number: int) -> Message:
    return Message(role="user", results=(ToolResult(call=f"c{number}", text="y" * 90),))


def grown(turns: int) -> tuple[Conversation, Events]:
    conversation, events = start()
    conversation.add(user("the task"))
    for number in range(turns):
        conversation.add_reply(answer(number))
        conversation.add(result(number))
    return conversation, events


def test_tokens_are_the_providers_count_and_a_guess_at_the_rest() -> None:
    conversation, _ = start()
    conversation.add(user("x" * 300))
    assert conversation.tokens == 101
    conversation.add_reply(answer(0, Usage(input=40, output=10, cache_read=50)))
    assert conversation.tokens == 100
    conversation.add(result(0))
    assert conversation.tokens == 100 + estimate(result(0))


def test_a_cut_keeps_the_task_and_begins_with_an_answer() -> None:
    conversation, _ = grown(10)
    cut = conversation.cut(0.5)
    turns = conversation.turns()
    assert turns[cut].role == "assistant"
    assert 8 <= cut <= 12
    conversation.replace(cut, user("the summary"))
    kept = conversation.turns()
    assert [kept[0].text, kept[1].text, kept[2]] == ["the task", "the summary", turns[cut]]


def test_too_little_cannot_be_cut() -> None:
    assert grown(0)[0].cut(0.5) == 0
    assert grown(1)[0].cut(0.5) == 0
    assert grown(2)[0].cut(0.99) == 3


def test_after_a_cut_the_count_is_of_what_is_left() -> None:
    conversation, _ = grown(10)
    before = conversation.tokens
    conversation.replace(conversation.cut(0.5), user("s"))
    assert conversation.tokens < 0.7 * before


def test_prompts_are_rebuilt_also_around_cuts() -> None:
    conversation, events = grown(4)
    sent = [conversation.prompt("act")]
    cut = conversation.cut(0.5)
    sent.append(conversation.prompt("summary", older=cut, closing=user("summarise")))
    conversation.replace(cut, user("the summary"))
    conversation.add(user("more"))
    sent.append(conversation.prompt("act"))
    for rebuilt, prompt in zip(prompts(events), sent, strict=True):
        assert [turn.to_dict() for turn in rebuilt.messages] == [turn.to_dict() for turn in prompt.messages]
        assert rebuilt.system == "system"


def test_no_turn_is_written_twice() -> None:
    conversation, events = grown(50)
    for _ in range(50):
        conversation.prompt("act")
    assert [event["number"] for event in events if event["kind"] == "message"] == list(range(101))
    asked = [event for event in events if event["kind"] == "model_asked"]
    assert asked[-1]["messages"] == [[0, 100]]


def test_keys_in_parameters_are_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", "sk-0123456789")
    written: Events = []
    extra = {"headers": [{"authorization": "Bearer sk-0123456789"}], "top_k": 3}
    Transcript(lambda kind, /, **data: written.append({"kind": kind, **data})).head(
        "system", (), {"max_tokens": 9, "extra": extra}
    )
    assert written[0]["parameters"] == {
        "max_tokens": 9,
        "extra": {"headers": [{"authorization": "Bearer [a key]"}], "top_k": 3},
    }
