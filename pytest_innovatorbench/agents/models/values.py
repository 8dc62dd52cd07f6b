"""What is said to a model and what it answers, whoever provides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["user", "assistant"]
Stop: TypeAlias = Literal["end", "calls", "length", "refusal", "context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something a model may call.

    Attributes:
        name: Its name.
        meaning: What it does.
        schema: JSON Schema of its arguments.
    """

    name: str
    meaning: str
    schema: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"name": self.name, "meaning": self.meaning, "schema": self.schema}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call in a model's answer.

    Attributes:
        id: What the result has to name.
        name: The tool, which need not exist.
        arguments: Its arguments, or ``None`` where they are no JSON object or not all there.
        text: The arguments as the model wrote them, where they are none.
        is_cut: Whether the answer ended in the middle of it.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] | None
    text: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture.

    Attributes:
        media_type: Such as ``image/png``.
        base64: Its bytes.
    """

    media_type: str
    base64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What came of a call.

    Attributes:
        call: The call's id.
        text: What came of it.
        is_error: Whether the call was wrong.
        images: Pictures to look at.
    """

    call: str
    text: str
    is_error: bool = False
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Message:
    """One turn of a conversation. Two turns are the same only if they are one.

    Attributes:
        role: Who says it.
        text: What is said beside calls and results. It comes after the results.
        calls: Calls of the model.
        results: What came of the calls of the turn before.
        blocks: The turn in its provider's own form, where that has to be sent back as it came, such as
            signed reasoning; plain JSON values.
        provider: Whose form that is.
    """

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    blocks: Any = None
    provider: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Message:
        """Return the message that `to_dict` wrote."""
        results = tuple(
            ToolResult(**{**result, "images": tuple(Image(**image) for image in result["images"])})
            for result in values["results"]
        )
        return cls(
            **{**values, "calls": tuple(ToolCall(**call) for call in values["calls"]), "results": results}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """All that a model is sent.

    Attributes:
        system: The system prompt.
        messages: The conversation.
        tools: What it may call.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answer, as its provider counts them.

    Attributes:
        input: Read, neither from a cache nor into one.
        output: Written, reasoning included.
        cache_read: Read from a cache.
        cache_write: Read and put into a cache.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        """All of them: how long the conversation is with the answer."""
        return self.input + self.output + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's answer.

    Attributes:
        message: The turn it says.
        stop: Why it stopped: it had no more to say, it calls tools, it ran into the limit of one answer,
            it refuses, or the context is full.
        usage: What it took.
        model: The model that says it answered.
    """

    message: Message
    stop: Stop
    usage: Usage = field(default_factory=Usage)
    model: str = ""
