"""Summaries: what the older part of a conversation is reduced to, and whether one is fit for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = (
    "overall_goal",
    "state_of_the_art",
    "hypotheses",
    "key_knowledge",
    "reflection",
    "file_and_browser_state",
    "recent_sessions",
    "recent_actions",
    "experiment_history",
)
_SNAPSHOT = re.compile(r"<state_snapshot>(.*)</state_snapshot>", re.DOTALL)
_CITED = re.compile(r"\[real_user\].+?\[/real_user\]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A summary that was looked at.

    Attributes:
        text: The snapshot, tags included; ``""`` if it cannot be used.
        problem: What is wrong with it, for the model to mend.
    """

    text: str = ""
    problem: str = ""


def judge(answer: str, said_by_people: int) -> Judged:
    """Look whether an answer is a state snapshot.

    Args:
        answer: What the model wrote.
        said_by_people: How many messages of people it stands for; each has to be cited in the reflection.
    """
    found = _SNAPSHOT.search(answer)
    if found is None:
        return Judged(problem="there is no <state_snapshot>...</state_snapshot> in it")
    body = found[1]
    parts = {name: _part(name, body) for name in PARTS}
    missing = [name for name, text in parts.items() if text is None]
    if missing:
        return Judged(problem=f"it lacks {', '.join(f'<{name}>' for name in missing)}")
    if all(not (text or "").strip() for text in parts.values()):
        return Judged(problem="all of its parts are empty")
    cited = len(_CITED.findall(parts["reflection"] or ""))
    if cited < said_by_people:
        return Judged(
            problem=f"<reflection> cites {cited} of {said_by_people} messages of <real_user>; answer each "
            "and cite it in [real_user]...[/real_user]"
        )
    return Judged(text=f"<state_snapshot>{body}</state_snapshot>")


def _part(name: str, body: str) -> str | None:
    found = re.search(rf"<{name}>(.*?)</{name}>", body, re.DOTALL)
    return found[1] if found else None
