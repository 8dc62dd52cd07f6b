"""Actions and observations: what passes between an agent and its environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import IbenchError

if TYPE_CHECKING:
    from collections.abc import Mapping


_TEXTS = {
    **dict.fromkeys(("command_run", "command_output_session", "file_read", "file_search"), "output"),
    **dict.fromkeys(("web_browse_read", "web_browse_search", "web_browse_links"), "output"),
    "parse": "parsed_content",
}
"""Kinds whose text the published environment has under a key of its own."""


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
        timestamp: When it was made, in ISO 8601.
    """

    success: bool
    message: str
    kind: str
    error_message: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    done: bool = False
    timestamp: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the published form, as plain JSON values."""
        form = self.to_record()
        return {**form, _TEXTS[self.kind]: self.message} if self.kind in _TEXTS else form

    def to_record(self) -> dict[str, Any]:
        """Return the published form without what is in it twice."""
        return {
            "success": self.success,
            "message": self.message,
            "error_message": self.error_message,
            "observation_type": self.kind,
            "done": self.done,
            "timestamp": self.timestamp,
            "source": "environment",
            **self.data,
        }
