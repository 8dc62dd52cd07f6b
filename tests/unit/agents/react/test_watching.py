"""What counts as going round in circles, and what as patience."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.react.habits import Habits
from pytest_innovatorbench.agents.react.watching import Watch
from pytest_innovatorbench.researchgym.model import Action, Observation


def do(watch: Watch, number: int, name: str = "list_sessions", seconds: float = 0.1, **data: Any) -> str:
    observation = Observation(success=True, message=f"busy for {number} s", kind=name, data=data)
    return watch.acted(Action(name=name), observation, seconds)


def test_the_same_in_a_row_counts_though_it_comes_out_otherwise() -> None:
    watch = Watch(Habits())
    said = [do(watch, number) for number in range(11)]
    assert said[:4] == [""] * 4
    assert said[4] == (
        "You have done exactly this 5 times in a row. Do something else, or sleep until something has happened; "
        "after 7 more the attempt ends."
    )
    with pytest.raises(AgentFailedError, match="the model did the same 12 times: list_sessions"):
        do(watch, 12)


@pytest.mark.parametrize(
    "way", [{"name": "sleep"}, {"seconds": 60.0}, {"computer_away": True}], ids=["sleep", "long", "away"]
)
def test_patience_does_not(way: dict[str, Any]) -> None:
    watch = Watch(Habits())
    assert [do(watch, number, **way) for number in range(30)] == [""] * 30


@pytest.mark.parametrize("name", ["file_scroll_down", "web_page_search_next", "get_session_output"])
def test_going_on_from_a_place_counts_only_where_nothing_new_comes(name: str) -> None:
    watch = Watch(Habits())
    assert [do(watch, number, name) for number in range(40)] == [""] * 40
    for _ in range(10):
        do(watch, 39, name)
    with pytest.raises(AgentFailedError, match=f"the model did the same 12 times: {name}"):
        do(watch, 39, name)


def test_something_else_in_between_begins_anew() -> None:
    watch = Watch(Habits())
    for number in range(30):
        assert do(watch, number, "think" if number % 4 == 3 else "list_sessions") == ""


def test_answers_without_a_usable_call_are_bounded() -> None:
    watch = Watch(Habits(null_limit=3))
    watch.answered(usable=False)
    watch.answered(usable=False)
    watch.answered(usable=True)
    watch.answered(usable=False)
    watch.answered(usable=False)
    with pytest.raises(AgentFailedError, match="the model made no usable call in 3 answers in a row"):
        watch.answered(usable=False)
