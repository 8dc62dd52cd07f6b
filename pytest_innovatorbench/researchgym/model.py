"""Actions and observations: what passes between an agent and its environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import IbenchError

if TYPE_CHECKING:
    from collections.abc import Mapping


class AttemptOverError(IbenchError):
    """Raised to an agent that acts after its attempt has ended; it should return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing an agent does.

    Attributes:
        name: Wire name, such as ``run_command``.
        arguments: Its parameters by name.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What an agent sees of an action.

    Attributes:
        success: Whether the action did what was asked.
        message: The text for the agent.
        kind: The published ``observation_type``, such as ``command_run``.
        error_message: What was wrong and how to do it right, if anything was.
        data: Further keys of this kind of observation, as plain JSON values.
        done: Whether the attempt has ended with this action.
    """

    success: bool
    message: str
    kind: str
    error_message: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    done: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the published form, as plain JSON values."""
        return {
            "success": self.success,
            "message": self.message,
            "error_message": self.error_message,
            "observation_type": self.kind,
            "done": self.done,
            **self.data,
        }
