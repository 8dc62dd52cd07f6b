"""Declaring actions: one declaration gives the check of a call and its description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_innovatorbench.researchgym.computers.base import Computer

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


class Desk(Protocol):
    """What an action may use to do its work."""

    computer: Computer

    def remaining_seconds(self) -> float:
        """Working time left, in seconds."""

    def evaluate(self) -> Observation:
        """Evaluate the outputs as they are now."""

    def view_hint(self) -> Observation:
        """Show the hint, for its price."""

    def finish(self) -> Observation:
        """End the attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an action.

    Attributes:
        name: Wire name.
        kind: JSON type: ``string``, ``integer``, ``number`` or ``boolean``.
        meaning: What it says, for the agent.
        required: Whether a call must give it.
        default: What holds otherwise.
        ignored: Accepted for compatibility, without effect.
    """

    name: str
    kind: str
    meaning: str
    required: bool = False
    default: Any = None
    ignored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionKind:
    """An action that agents may take.

    Attributes:
        name: Wire name.
        meaning: What it does, for the agent.
        parameters: What it takes.
        perform: Does it.
    """

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    perform: Callable[[Desk, Mapping[str, Any]], Observation]

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any] | str:
        """Check the arguments of a call and fill in defaults.

        Returns:
            Arguments by name, or what is wrong with them and how to do it right.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = [name for name in given if name not in known]
        if unknown:
            return f"{self.name} has no parameter {unknown[0]!r}; it takes: {', '.join(known) or 'none'}"
        filled = {}
        for name, parameter in known.items():
            if name not in given:
                if parameter.required:
                    return f"{self.name} needs {name!r}: {parameter.meaning}"
                filled[name] = parameter.default
            elif not _fits(given[name], parameter):
                return f"{self.name}: {name!r} must be of type {parameter.kind}: {parameter.meaning}"
            else:
                filled[name] = given[name]
        return filled


def _fits(value: object, parameter: Parameter) -> bool:
    if value is None:
        return not parameter.required
    if isinstance(value, bool):
        return parameter.kind == "boolean"
    return isinstance(value, _TYPES[parameter.kind])


def refuse(kind: str, what: str) -> Observation:
    """Return the observation of a call that cannot be done as given."""
    return Observation(success=False, message=what, kind=kind, error_message=what)
