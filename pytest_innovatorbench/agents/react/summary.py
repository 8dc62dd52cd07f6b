"""Summaries: what the older part of a conversation is reduced to, and whether one is fit for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_CITED = re.compile(r"\[real_user\](.+?)\[/real_user\]", re.DOTALL)
_LEAST_CITED = 12  # characters by which a message is known
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A summary that was looked at.

    Attributes:
        text: The snapshot, tags included; ``""`` if it cannot be used.
        problem: What is wrong with it, for the model to mend.
    """

    text: str = ""
    problem: str = ""


def judge(answer: str, said_by_people: Sequence[str]) -> Judged:
    """Look whether an answer is a state snapshot.

    Args:
        answer: What the model wrote.
        said_by_people: The messages of people that it stands for; each has to be cited in the reflection.
    """
    found = _SNAPSHOT.search(answer)
    if found is None:
        return Judged(problem="there is no <state_snapshot>...</state_snapshot> in it")
    body = found[1]
    parts = {name: _part(name, body) for name in PARTS}
    missing = [name for name, text in parts.items() if text is None]
    if missing:
        return Judged(problem=f"it lacks {', '.join(f'<{name}>' for name in missing)}")
    empty = [name for name, text in parts.items() if not (text or "").strip()]
    if empty:
        return Judged(
            problem=f"empty: {', '.join(f'<{name}>' for name in empty)}; write none if there is none"
        )
    cited = [_plain(text) for text in _CITED.findall(parts["reflection"] or "")]
    for message in said_by_people:
        if not any(_is_of(citation, _plain(message)) for citation in cited):
            return Judged(
                problem=f"<reflection> does not cite this message of <real_user>: {message[:_SHOWN]!r}; "
                "answer each and cite it, word for word, in [real_user]...[/real_user]"
            )
    return Judged(text=f"<state_snapshot>{body}</state_snapshot>")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _is_of(citation: str, message: str) -> bool:
    """Whether a citation is a message, has it in it, or is enough of it."""
    return message in citation or (len(citation) >= _LEAST_CITED and citation in message)


def _part(name: str, body: str) -> str | None:
    found = re.search(rf"<{name}>(.*?)</{name}>", body, re.DOTALL)
    return found[1] if found else None
