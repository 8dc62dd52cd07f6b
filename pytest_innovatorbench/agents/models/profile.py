"""Which model is asked, where and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Provider: TypeAlias = Literal["anthropic", "openai"]

_SHAPING = ("provider", "model", "max_tokens", "temperature", "thinking", "stream", "extra")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A model and how it is to be asked.

    Attributes:
        provider: Whose protocol is spoken: Anthropic's Messages, or OpenAI's Chat Completions, which
            many others speak as well.
        model: The provider's name for the model.
        base_url: Where it answers; ``None`` leaves it to the provider's SDK and its environment variables.
        key: Environment variable with the key; ``""`` leaves it to the SDK.
        max_tokens: Longest answer, in tokens.
        temperature: How much chance there is in answers; ``None`` for the provider's default.
        thinking: Reasoning before an answer: ``off``, ``adaptive``, a number of tokens, or an effort such
            as ``high``; ``None`` for the provider's default.
        stream: Whether answers are received as they are written.
        timeout: Seconds without a word after which an answer counts as lost.
        context_length: Tokens that the model takes in all.
        extra: Further parameters of the provider's call, as they are.
    """

    provider: Provider
    model: str
    base_url: str | None = None
    key: str = ""
    max_tokens: int = 16_000
    temperature: float | None = None
    thinking: str | int | None = None
    stream: bool = True
    timeout: float = 600.0
    context_length: int = 200_000
    extra: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """Return what of it shapes a request, as plain JSON values."""
        return {name: getattr(self, name) for name in _SHAPING}
