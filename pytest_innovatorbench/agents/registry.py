"""Finding the agent that a name asks for."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENTRY_POINTS = "pytest_innovatorbench.agents"


def tabulate(kinds: Iterable[AgentKind]) -> dict[str, AgentKind]:
    """Put the agents of all plug-ins into one table; of two with one name the earlier wins."""
    table: dict[str, AgentKind] = {}
    for kind in kinds:
        table.setdefault(kind.name, kind)
    return table


def find(agent: str, table: Mapping[str, AgentKind]) -> AgentKind:
    """Return the kind of agent that a name asks for.

    Args:
        agent: ``NAME[:ARGUMENT]``, as users write it.
        table: The agents of plug-ins; those of entry points are looked up besides.

    Raises:
        UnknownNameError: There is no such agent.
        SettingsError: The agent takes no argument, or needs one, or its package is broken.
    """
    name, argument = split(agent)
    kind = table.get(name) or _from_entry_point(name, table)
    if argument and not kind.argument:
        raise SettingsError(f"agent {name!r} takes nothing after a colon", remedy=f"write {name}")
    if kind.argument and not argument and not kind.argument.startswith("["):
        raise SettingsError(f"agent {name!r} needs more", remedy=f"write {name}:{kind.argument}")
    return kind


def split(agent: str) -> tuple[str, str]:
    """Split ``NAME[:ARGUMENT]`` into the name and what stands behind the colon."""
    name, _, argument = agent.partition(":")
    return name, argument


def slug(agent: str) -> str:
    """Return an agent's name as a part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9._]+", "_", agent).strip("._")[:60] or "agent"


def _from_entry_point(name: str, table: Mapping[str, AgentKind]) -> AgentKind:
    points = entry_points(group=ENTRY_POINTS)
    if name not in points.names:
        raise UnknownNameError("agent", name, sorted({*table, *points.names}))
    try:
        kind = points[name].load()
    except Exception as error:
        raise SettingsError(
            f"agent {name!r} cannot be loaded: {type(error).__name__}: {error}", remedy="mend its package"
        ) from error
    if not isinstance(kind, AgentKind):
        raise SettingsError(
            f"agent {name!r}: its entry point is no AgentKind", remedy=f"mend {points[name].value}"
        )
    return kind
