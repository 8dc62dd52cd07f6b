"""Summaries that can be used, and what is said of those that cannot."""

from __future__ import annotations

from pytest_innovatorbench.agents.react.summary import PARTS, judge


def snapshot(**parts: str) -> str:
    body = "".join(f"<{name}>{parts.get(name, 'x')}</{name}>" for name in PARTS)
    return f"<state_snapshot>{body}</state_snapshot>"


def test_there_are_nine_parts() -> None:
    assert len(PARTS) == 9


def test_a_whole_one_is_taken_without_what_is_around_it() -> None:
    judged = judge(f"Sure!\n{snapshot()}\nGood luck.", 0)
    assert (judged.text, judged.problem) == (snapshot(), "")


def test_an_empty_one_is_none() -> None:
    empty = snapshot(**dict.fromkeys(PARTS, " "))
    assert judge(empty, 0).problem == "all of its parts are empty"


def test_missing_parts_are_named() -> None:
    text = (
        snapshot()
        .replace("<hypotheses>x</hypotheses>", "")
        .replace("<reflection>x</reflection>", "<reflection>")
    )
    assert judge(text, 0).problem == "it lacks <hypotheses>, <reflection>"


def test_people_are_answered_for() -> None:
    said = "[real_user]use the GPU[/real_user] I will. [real_user]hurry[/real_user] I do."
    assert judge(snapshot(reflection=said), 2).problem == ""
    assert judge(snapshot(reflection=said), 3).problem.startswith(
        "<reflection> cites 2 of 3 messages of <real_user>"
    )
