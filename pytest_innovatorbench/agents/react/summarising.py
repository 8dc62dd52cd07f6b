"""Putting a summary in the place of the older part of a conversation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.models.base import ContextOverflowError
from pytest_innovatorbench.agents.models.values import Message
from pytest_innovatorbench.agents.react.rendering import quoted
from pytest_innovatorbench.agents.react.summary import judge
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.model import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.agents.models.values import Reply
    from pytest_innovatorbench.agents.react.asking import Asker
    from pytest_innovatorbench.agents.react.conversation import Conversation
    from pytest_innovatorbench.agents.react.habits import Habits
    from pytest_innovatorbench.agents.react.prompting import Prompts
    from pytest_innovatorbench.researchgym.gym import ResearchGym

TOO_LONG = "the conversation is too long for the model, with all but the task summarised"
_OPENING, _CLOSING = "<real_user>", "</real_user>"
_LEAST = 2000  # characters of an older part that are worth a summary
_LEAST_OF_A_TURN = 40
_LEAST_AFTER_SUMMARY = 3  # turns: the task, the summary, the sessions


def persons_message(text: str) -> Message:
    """Return what a person said, as a turn."""
    return Message(role="user", text=f"{_OPENING}{text}{_CLOSING}")


class Summariser:
    """Has a model summarise its own conversation.

    Args:
        asker: Asks the model.
        prompts: The templates.
        habits: How often a summary may be wrong.
    """

    def __init__(self, asker: Asker, prompts: Prompts, habits: Habits) -> None:
        self._asker = asker
        self._prompts = prompts
        self._tries = habits.summary_tries

    def summarise(self, gym: ResearchGym, conversation: Conversation, keep: float) -> None:
        """Replace the older part.

        Args:
            gym: The environment.
            conversation: What has become too long.
            keep: About which share stays as it is; 0 for nothing but the task.

        Raises:
            AgentFailedError: The model makes none that can be used, or everything was summarised already.
            MachineFaultError: There is nothing but the task, which is too long already.
        """
        turns = conversation.turns()
        if not conversation.has_answers:
            raise _too_long(turns)
        cut = (conversation.cut(keep) if keep else 0) or len(turns)
        said = [
            turn.text.removeprefix(_OPENING).removesuffix(_CLOSING)
            for turn in turns[:cut]
            if turn.text.startswith(_OPENING)
        ]
        snapshot = self._snapshot(gym, conversation, cut, said)
        text = self._prompts.render("after_summary", snapshot=quoted(snapshot))
        conversation.replace(cut, Message(role="user", text=text))
        sessions = self._prompts.render("recheck", sessions=list_sessions(gym))
        conversation.add(Message(role="user", text=sessions))

    def _snapshot(self, gym: ResearchGym, conversation: Conversation, cut: int, said: Sequence[str]) -> str:
        problem = ""
        for _ in range(self._tries):
            text = self._prompts.render("summarise", said=len(said), problem=problem)
            reply = self._ask(gym, conversation, cut, text)
            conversation.transcript.message(reply.message, aside=True)
            judged = judge(reply.message.text, said)
            if judged.text:
                return judged.text
            problem = judged.problem
        raise AgentFailedError(f"the model made no summary that can be used: {problem}")

    def _ask(self, gym: ResearchGym, conversation: Conversation, cut: int, text: str) -> Reply:
        """Ask for a summary; where the older part is itself too long for that, of an excerpt of it."""
        closing = Message(role="user", text=text)
        try:
            return self._asker.ask(gym, conversation.prompt("summary", older=cut, closing=closing))
        except ContextOverflowError:
            turns = conversation.turns()[1:cut]
        limit = sum(len(_text(turn)) for turn in turns) // 2
        while limit >= _LEAST:
            closing = Message(role="user", text=f"{excerpt(turns, limit)}\n\n{text}")
            try:
                return self._asker.ask(gym, conversation.prompt("summary", older=1, closing=closing))
            except ContextOverflowError:
                limit //= 2
        raise AgentFailedError("the conversation is too long for the model, even to be summarised")


def _too_long(turns: Sequence[Message]) -> AgentFailedError | MachineFaultError:
    """Tell whose doing it is that nothing is left to summarise."""
    if len(turns) < _LEAST_AFTER_SUMMARY:
        return MachineFaultError(
            "the task alone is longer than the model takes: use one with a longer context"
        )
    return AgentFailedError(TOO_LONG)


def list_sessions(gym: ResearchGym) -> str:
    """Look what is there; a step of the record like any other."""
    return quoted(gym.act(Action(name="list_sessions")).message)


def excerpt(turns: Sequence[Message], limit: int) -> str:
    """Return turns as text, the middle of each that is long cut out.

    Args:
        turns: The turns.
        limit: Characters, about.
    """
    each = max(_LEAST_OF_A_TURN, limit // max(1, len(turns)))
    return "\n\n".join(f"[{turn.role}] {_cut(_text(turn), each)}" for turn in turns)


def _text(turn: Message) -> str:
    calls = [
        f"{call.name} {json.dumps(call.arguments) if call.text == '' else call.text}" for call in turn.calls
    ]
    return "\n".join(filter(None, (*(result.text for result in turn.results), turn.text, *calls)))


def _cut(text: str, limit: int) -> str:
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}\n[...]\n{text[-half:]}"
