"""The one thing that agents want of a model, and how it can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_innovatorbench.errors import IbenchError

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.models.values import Prompt, Reply


class ModelError(IbenchError):
    """A model did not answer, and will not answer the same prompt."""


class ModelBusyError(ModelError):
    """A model did not answer now; the same prompt may be answered later.

    Args:
        message: What happened, in one line.
        wait: Seconds after which the provider wants to be asked again, if it says.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class AccessError(ModelError):
    """The key or the account is refused, which nothing in the prompt brought about."""


class ContextOverflowError(ModelError):
    """The prompt is longer than the model takes."""


class Model(Protocol):
    """Something that continues a conversation."""

    def ask(self, prompt: Prompt) -> Reply:
        """Return the model's next turn.

        Args:
            prompt: The conversation so far.

        Raises:
            ModelBusyError: Ask again later.
            ContextOverflowError: The prompt is too long.
            AccessError: The key or the account is refused.
            ModelError: Asking again would not help, as with a model that does not exist.
        """
