"""What a model is sent: the turns so far, the older ones in a summary's place."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.models.values import Message, Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_innovatorbench.agents.models.values import Reply, Tool
    from pytest_innovatorbench.agents.react.transcript import Transcript

_CHARS_PER_TOKEN = 3  # a low guess, for what no provider has counted yet
_IMAGE_TOKENS = 1600


class Conversation:
    """The window of a conversation. What leaves it stays in the transcript.

    Args:
        transcript: Takes every turn.
        system: The system prompt.
        tools: What the model may call.
        parameters: How the model is asked, for the record.
    """

    def __init__(
        self,
        transcript: Transcript,
        system: str,
        tools: Sequence[Tool],
        parameters: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.transcript = transcript
        self._system = system
        self._tools = tuple(tools)
        self._turns: list[tuple[int, Message, int]] = []  # number, turn, tokens
        self._counted = 0
        self._uncounted = 0
        transcript.head(system, self._tools, parameters)

    @property
    def tokens(self) -> int:
        """Tokens of the next prompt: as the provider counted the last, with a guess at what is new."""
        return self._counted + self._uncounted

    @property
    def has_answers(self) -> bool:
        """Whether the model has said anything, so that there is something to summarise."""
        return any(message.role == "assistant" for _, message, _ in self._turns)

    def turns(self) -> tuple[Message, ...]:
        """Return the turns of the window."""
        return tuple(message for _, message, _ in self._turns)

    def add(self, message: Message) -> None:
        """Append a turn."""
        tokens = estimate(message)
        self._turns.append((self.transcript.message(message), message, tokens))
        self._uncounted += tokens

    def add_reply(self, reply: Reply) -> None:
        """Append what a model answered to `prompt`, and take over its provider's count."""
        tokens = reply.usage.output or estimate(reply.message)
        self._turns.append((self.transcript.message(reply.message), reply.message, tokens))
        if reply.usage.total:
            self._counted, self._uncounted = reply.usage.total, 0
        else:
            self._uncounted += tokens

    def prompt(self, purpose: str, *, older: int | None = None, closing: Message | None = None) -> Prompt:
        """Return what is to be sent, and write down that it is.

        Args:
            purpose: What for, for the record.
            older: Take this many turns, all if ``None``.
            closing: A turn after these, for this prompt alone.
        """
        turns = self._turns[:older]
        numbers = [number for number, _, _ in turns]
        messages = [message for _, message, _ in turns]
        if closing is not None:
            numbers.append(self.transcript.message(closing, aside=True))
            messages.append(closing)
        self.transcript.asked(purpose, numbers)
        return Prompt(system=self._system, tools=self._tools, messages=tuple(messages))

    def cut(self, keep: float) -> int:
        """Return after how many turns to cut, so that about a share of the window stays.

        The first turn, which is the task, always stays, and calls are not parted from their results: what
        stays begins with an answer of the model. 0 means that there is nothing to cut.
        """
        total = sum(tokens for _, _, tokens in self._turns)
        left, best = total, 0
        for index, (_, message, tokens) in enumerate(self._turns):
            if index > 1 and message.role == "assistant" and left >= keep * total:
                best = index
            left -= tokens
        if best == 0:
            places = [
                i for i, (_, message, _) in enumerate(self._turns) if i > 1 and message.role == "assistant"
            ]
            best = places[-1] if places else 0
        return best

    def replace(self, cut: int, summary: Message) -> None:
        """Put a summary in the place of the turns between the first and a cut."""
        tokens = estimate(summary)
        number = self.transcript.message(summary)
        self._turns[1:cut] = [(number, summary, tokens)]
        self.transcript.window([number for number, _, _ in self._turns])
        self._counted = 0
        self._uncounted = estimate_text(self._system) + sum(tokens for _, _, tokens in self._turns)


def estimate(message: Message) -> int:
    """Guess the tokens of a turn."""
    texts = [message.text, *(result.text for result in message.results)]
    texts += [f"{call.name}{call.arguments or call.text}" for call in message.calls]
    images = sum(len(result.images) for result in message.results)
    return sum(map(estimate_text, texts)) + images * _IMAGE_TOKENS


def estimate_text(text: str) -> int:
    """Guess the tokens of a text."""
    return len(text) // _CHARS_PER_TOKEN + 1
