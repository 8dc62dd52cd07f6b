"""Summaries that can be used, and what is said of those that cannot."""

from __future__ import annotations

import pytest

from pytest_innovatorbench.agents.react.summary import PARTS, judge


def snapshot(**parts: str) -> str:
    body = "".join(f"<{name}>{parts.get(name, 'x')}</{name}>" for name in PARTS)
    return f"<state_snapshot>{body}</state_snapshot>"


def test_there_are_nine_parts() -> None:
    assert len(PARTS) == 9


def test_a_whole_one_is_taken_without_what_is_around_it() -> None:
    judged = judge(f"Sure!\n{snapshot()}\nGood luck.", ())
    assert (judged.text, judged.problem) == (snapshot(), "")


def test_empty_parts_are_named() -> None:
    text = snapshot(hypotheses=" \n", recent_actions="")
    assert judge(text, ()).problem == ("empty: <hypotheses>, <recent_actions>; write none if there is none")


def test_missing_parts_are_named() -> None:
    text = (
        snapshot()
        .replace("<hypotheses>x</hypotheses>", "")
        .replace("<reflection>x</reflection>", "<reflection>")
    )
    assert judge(text, ()).problem == "it lacks <hypotheses>, <reflection>"


SAID = ("Use the GPU,\n  please: it is free now.", "hurry")


def test_people_are_answered_for() -> None:
    text = "[real_user]use the gpu, please[/real_user] I will. [real_user]Hurry[/real_user] I do."
    assert judge(snapshot(reflection=text), SAID).problem == ""


@pytest.mark.parametrize(
    ("reflection", "missing"),
    [
        ("[real_user]Use the GPU, please: it is free now.[/real_user] Yes.", "hurry"),
        ("[real_user]the[/real_user] [real_user]hurry[/real_user]", "Use the GPU"),
        ("[real_user]anything that is long enough[/real_user] [real_user]hurry[/real_user]", "Use the GPU"),
        ("Use the GPU, please: it is free now. hurry", "Use the GPU"),
    ],
    ids=["one is missing", "too short", "of nothing", "without tags"],
)
def test_citations_are_of_what_was_said(reflection: str, missing: str) -> None:
    problem = judge(snapshot(reflection=reflection), SAID).problem
    assert problem.startswith(f"<reflection> does not cite this message of <real_user>: '{missing}")
    assert problem.endswith("answer each and cite it, word for word, in [real_user]...[/real_user]")
