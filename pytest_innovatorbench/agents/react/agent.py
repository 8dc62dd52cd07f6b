"""The loop: ask the model, carry out its calls, show it what came of them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.models.base import ContextOverflowError
from pytest_innovatorbench.agents.models.values import Message, ToolResult
from pytest_innovatorbench.agents.react.asking import Asker
from pytest_innovatorbench.agents.react.briefing import system_prompt, task_prompt
from pytest_innovatorbench.agents.react.conversation import Conversation
from pytest_innovatorbench.agents.react.prompting import Prompts
from pytest_innovatorbench.agents.react.rendering import offered, render
from pytest_innovatorbench.agents.react.summarising import (
    TOO_LONG,
    Summariser,
    list_sessions,
    persons_message,
)
from pytest_innovatorbench.agents.react.transcript import Transcript, last_window
from pytest_innovatorbench.agents.react.watching import Watch
from pytest_innovatorbench.errors import MachineFaultError, SettingsError
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.agents.models.profile import Profile
    from pytest_innovatorbench.agents.models.values import Reply, ToolCall
    from pytest_innovatorbench.agents.react.habits import Habits
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.researchgym.model import Observation
    from pytest_innovatorbench.sandbox.model import Bind

_LONGEST_SHOWN = 500
_FULL_SCORE = 100
# Agents that begin at once get to their models sooner one after the other: it takes nothing but computing.
_beginning = threading.Lock()
_LOST = "The attempt was interrupted while this was carried out. What came of it is not known."


class ReactAgent:
    """A model that does research by calling actions.

    Args:
        request: What it is made for.
        profile: The model and how it is to be asked.
        habits: How it works.
        prices: Prices of the user's, by model.

    Raises:
        SettingsError: The model cannot be asked.
    """

    def __init__(
        self, request: AgentRequest, profile: Profile, habits: Habits, prices: Mapping[str, Price]
    ) -> None:
        self._task = request.task
        self._profile = profile
        self._habits = habits
        self._asker = Asker(profile, habits.patience, prices)
        self._prompts = Prompts(habits.prompts)
        self._summariser = Summariser(self._asker, self._prompts, habits)
        self._watch = Watch(habits)
        self._earlier: list[Message] = []
        self._count = 0  # turns in the record that it goes on in
        self._conversation: Conversation | None = None

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Nothing of it is in the sandbox."""
        return ()

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on in another record, as plain JSON values."""
        turns = self._conversation.turns() if self._conversation else ()
        return {"turns": [message.to_dict() for message in turns]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._earlier = [Message.from_dict(turn) for turn in state["turns"]]

    def recall(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Go on from the record of an attempt that was cut short."""
        self._earlier, self._count = last_window(events)

    def run(self, gym: ResearchGym) -> None:
        """Work until the model finishes, the budget ends, or it is of no more use."""
        try:
            self._work(gym)
        except SettingsError as error:  # a template of the user's, which is none of the model's doing
            raise MachineFaultError(str(error)) from error

    def _work(self, gym: ResearchGym) -> None:
        conversation = self._conversation = self._begin(gym)
        while True:
            self._hear(gym, conversation)
            reply = self._next(gym, conversation)
            conversation.add_reply(reply)
            self._answer(gym, conversation, reply)

    def _begin(self, gym: ResearchGym) -> Conversation:
        conversation = self._open(gym)
        for message in _answered(self._earlier):
            conversation.add(message)
        if self._earlier:
            text = self._prompts.render("resumed", sessions=list_sessions(gym))
        else:
            text = task_prompt(self._prompts, gym)
        conversation.add(Message(role="user", text=text))
        return conversation

    def _open(self, gym: ResearchGym) -> Conversation:
        system = system_prompt(self._prompts, gym)  # not below, as it may have to wait for a computer
        with _beginning:
            tools = offered(self._task, self._habits.tools, hints=gym.hints_allowed, actions=gym.actions)
            transcript = Transcript(gym.note, self._count)
            return Conversation(transcript, system, tools, self._profile.parameters())

    def _hear(self, gym: ResearchGym, conversation: Conversation) -> None:
        """Pass on what people said."""
        for text in gym.hear():
            conversation.add(persons_message(text))

    def _next(self, gym: ResearchGym, conversation: Conversation) -> Reply:
        """Return the model's next turn, after a summary where the context gets full."""
        is_full = conversation.tokens > self._habits.summarise_at * self._profile.context_length
        if is_full and conversation.has_answers:
            self._summariser.summarise(gym, conversation, self._habits.keep)
        for keep in (self._habits.keep, 0.0):
            if reply := self._ask(gym, conversation):
                return reply
            self._summariser.summarise(gym, conversation, keep)
        if reply := self._ask(gym, conversation):
            return reply
        raise AgentFailedError(TOO_LONG)

    def _ask(self, gym: ResearchGym, conversation: Conversation) -> Reply | None:
        """Return the model's next turn, or ``None`` where the conversation is too long for it."""
        try:
            reply = self._asker.ask(gym, conversation.prompt("act"))
        except ContextOverflowError:
            return None
        return None if reply.stop == "context" else reply

    def _answer(self, gym: ResearchGym, conversation: Conversation, reply: Reply) -> None:
        """Carry out the calls of a turn, in order, or say that there are none."""
        calls = reply.message.calls
        if not calls:
            self._watch.answered(usable=False)
            gym.act(Action(name="null"))
            conversation.add(Message(role="user", text=self._correction(reply)))
            return
        done = [self._carry_out(gym, call) for call in calls]
        conversation.add(Message(role="user", results=tuple(result for result, _ in done)))
        self._watch.answered(usable=any(is_usable for _, is_usable in done))

    def _carry_out(self, gym: ResearchGym, call: ToolCall) -> tuple[ToolResult, bool]:
        """Return what came of a call, and whether it was one that can be carried out."""
        if call.arguments is None:
            gym.act(Action(name="null"))
            return ToolResult(call=call.id, text=self._said_of(call), is_error=True), False
        action, began = Action(name=call.name, arguments=call.arguments), time.monotonic()
        observation: Observation = gym.act(action)
        if observation.data.get("overall_score", 0) >= _FULL_SCORE:
            observation = gym.act(Action(name="finish"))  # there is nothing more to win
        if observation.done:
            raise AttemptOverError("the attempt is over")
        is_usable = observation.success or observation.kind != "base"
        remark = self._watch.acted(action, observation, time.monotonic() - began)
        return render(call.id, observation, self._habits.observation_chars, remark), is_usable

    def _said_of(self, call: ToolCall) -> str:
        """Return how a call that cannot be carried out is done right."""
        limit, text = self._profile.max_tokens, call.text[:_LONGEST_SHOWN]
        return self._prompts.render("bad_call", tool=call.name, text=text, cut=call.is_cut, limit=limit)

    def _correction(self, reply: Reply) -> str:
        if reply.stop == "refusal":
            return self._prompts.render("refused")
        return self._prompts.render("no_call", cut=reply.stop == "length", limit=self._profile.max_tokens)


def _answered(turns: list[Message]) -> list[Message]:
    """Return turns so that no call is left without a result, which no provider takes."""
    calls = turns[-1].calls if turns else ()
    lost = tuple(ToolResult(call=call.id, text=_LOST, is_error=True) for call in calls)
    return [*turns, Message(role="user", results=lost)] if lost else turns
