"""The computers of one attempt, by name."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import IbenchError, MachineFaultError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.researchgym.computers.base import Computer


# What agents call the computer they think they are on, as the published environment lets them.
_HERE = {"", "localhost", "127.0.0.1"}


class UnknownComputerError(UnknownNameError):
    """The attempt has no such computer."""


class SeveralComputersError(IbenchError):
    """An action was to take place on several computers at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A computer and what an attempt has it for.

    Attributes:
        name: What the agent calls it.
        role: What it is for.
        computer: The computer.
        gpus: What GPUs it has for the attempt, in words.
        has_outputs: Whether its ``data/outputs`` are what is evaluated.
        discard: Removes what was left on it, where that is not in the attempt's record.
        take_up: Claims what an earlier harness left on it, where that outlives one; returns what is not as it
            was left.
        tree: Returns the folder of this machine in which all that was written lies, once it was fetched.
    """

    name: str
    role: str
    computer: Computer
    gpus: str = "no GPU"
    has_outputs: bool = False
    tree: Callable[[], Path] | None = None
    discard: Callable[[], None] | None = None
    take_up: Callable[[], str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Computers:
    """All computers of an attempt; the first is where the agent starts.

    Attributes:
        stations: The computers, each with its name.
        is_workspace_shared: Whether all of them have the same workspace.
    """

    stations: tuple[Station, ...]
    is_workspace_shared: bool = True

    def __iter__(self) -> Iterator[Station]:
        return iter(self.stations)

    @property
    def first(self) -> Station:
        """Where the agent starts."""
        return self.stations[0]

    @property
    def outputs(self) -> Computer:
        """The computer whose outputs are evaluated."""
        return next((station for station in self if station.has_outputs), self.first).computer

    def tree(self) -> Path:
        """Return the folder of this machine in which all that was written lies.

        Raises:
            MachineFaultError: It lies elsewhere, and cannot be fetched.
        """
        station = next((station for station in self if station.has_outputs), self.first)
        assert station.tree is not None  # noqa: S101 - those of attempts have one
        return station.tree()

    def find(self, name: str) -> Station:
        """Return a computer by its name, or the first of a role.

        Raises:
            UnknownComputerError: There is none.
        """
        if name in _HERE:
            return self.first
        by_role = {station.role: station for station in reversed(self.stations)}
        by_name = {station.name: station for station in self}
        found = by_name.get(name) or by_role.get(name)
        if found is not None:
            return found
        raise UnknownComputerError("computer", name, [f"{station.name} ({station.role})" for station in self])

    def address(self, arguments: Mapping[str, Any]) -> tuple[Station, dict[str, Any]]:
        """Return the computer that the arguments of an action mean, and them without its name in a session's.

        Raises:
            UnknownComputerError: They name one that there is not.
        """
        asked, session = arguments.get("computer_ip"), arguments.get("session_id") or ""
        station = self.first if asked is None else self.find(asked)
        for named in self if asked is None else (station,):
            if session.startswith(f"{named.name}:"):
                return named, {**arguments, "session_id": session.removeprefix(f"{named.name}:")}
        return station, dict(arguments)

    def locate(self, arguments: Mapping[str, Any], paths: Sequence[str]) -> tuple[Station, dict[str, Any]]:
        """Return the computer that paths such as ``box:data/x`` mean, and the arguments with its own paths.

        Args:
            arguments: Those of an action.
            paths: Which of them are paths; the first that is given counts for all.

        Raises:
            SeveralComputersError: They are on several.
        """
        names = {station.name: station for station in self} if len(self.stations) > 1 else {}
        split = {path: str(arguments[path]).partition(":") for path in paths if arguments.get(path)}
        named = {path: parts for path, parts in split.items() if parts[1] and parts[0] in names}
        if not named:
            return self.first, dict(arguments)
        found = names[next(iter(named.values()))[0]]
        strays = [parts[0] for path, parts in split.items() if path in named and names[parts[0]] is not found]
        if strays:
            raise SeveralComputersError(
                f"paths on {found.name} and {strays[0]} in one call; give one computer"
            )
        return found, {**arguments, **{path: parts[2] or "." for path, parts in named.items()}}

    def label(self, station: Station, session: str) -> str:
        """Return how a session is called among those of all computers."""
        return session if station is self.first else f"{station.name}:{session}"

    def plain(self, session: str) -> str:
        """Return the `label` of a session that may be called by its computer's name for the first one."""
        return session.removeprefix(f"{self.first.name}:")

    def close(self) -> None:
        """Kill everything that runs on them."""
        for station in self:
            station.computer.close()

    def discard(self) -> None:
        """Remove what was left on computers elsewhere, as far as they can be reached."""
        for station in self:
            if station.discard is not None:
                with contextlib.suppress(MachineFaultError):
                    station.discard()

    def describe(self) -> str:
        """Return what there is to know about them, in a sentence; nothing about one that is plain."""
        if len(self.stations) == 1 and self.first.gpus == "no GPU":
            return ""
        told = "; ".join(f"{s.name} (role {s.role}, {s.gpus})" for s in self)
        if len(self.stations) == 1:
            return told
        how = f"computer_ip takes a name or a role, and is {self.first.name} if left out"
        return f"{told}. {how}. {self._files()}"

    def _files(self) -> str:
        if self.is_workspace_shared:
            return "All have the same workspace"
        owner = next(station.name for station in self if station.computer is self.outputs)
        other = next(station.name for station in self if station is not self.first)
        return (
            f"Each has a workspace of its own; the outputs on {owner} are evaluated. "
            f"Paths for files are on {self.first.name} unless they begin with another name, as {other}:data"
        )


def alone(computer: Computer) -> Computers:
    """Return the only computer of an attempt."""
    return Computers(stations=(Station(name="local", role="main", computer=computer),))
