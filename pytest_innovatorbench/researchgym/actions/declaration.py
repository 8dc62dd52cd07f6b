"""Declaring actions: one declaration gives the check of a call and its description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_innovatorbench.researchgym.actions.reader import Reader
    from pytest_innovatorbench.researchgym.computers.base import Computer
    from pytest_innovatorbench.researchgym.computers.stations import Computers
    from pytest_innovatorbench.researchgym.parsing.parser import Parser
    from pytest_innovatorbench.researchgym.web.browser import Browser

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
LARGEST = 2**53
LONGEST = 16 << 20
_SHOWN = 100


class Desk(Protocol):
    """What an action may use to do its work."""

    computer: Computer
    computers: Computers
    reader: Reader
    parser: Parser
    browser: Browser

    def remaining_seconds(self) -> float:
        """Working time left, in seconds."""

    def sleep(self, seconds: float, until: str) -> str:
        """Wait and return why the wait ended.

        Args:
            seconds: How long at most.
            until: The session whose command is waited for, ``any`` or ``none``.
        """

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
        minimum: Least value of a number, if there is one.
        choices: The only values there are, if they are few.
        is_path: Whether it names a file, which ``<computer>:PATH`` does on another computer than the first.
    """

    name: str
    kind: str
    meaning: str
    required: bool = False
    default: Any = None
    ignored: bool = False
    minimum: float | None = None
    choices: tuple[str, ...] = ()
    is_path: bool = False

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its values."""
        schema: dict[str, Any] = {"type": self.kind, "description": self.meaning}
        if self.default is not None:
            schema["default"] = self.default
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        if self.choices:
            schema["enum"] = list(self.choices)
        return schema

    def problem(self, value: object) -> str | None:
        """Return what is wrong with a value, or ``None``."""
        if value is None:
            return None if not self.required else f"must be given: {self.meaning}"
        if isinstance(value, bool) != (self.kind == "boolean") or not isinstance(value, _TYPES[self.kind]):
            return f"must be of type {self.kind}: {self.meaning}"
        if isinstance(value, (int, float)) and not -LARGEST <= value <= LARGEST:  # NaN is not, either
            return f"must be a number between {-LARGEST} and {LARGEST}: {self.meaning}"
        if isinstance(value, str) and len(value) > LONGEST:
            return f"must have {LONGEST:,} characters at most: {self.meaning}"
        if self.minimum is not None and isinstance(value, (int, float)) and value < self.minimum:
            return f"must be at least {self.minimum:g}: {self.meaning}"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionKind:
    """An action that agents may take.

    Attributes:
        name: Wire name.
        family: ``command``, ``file``, ``parse``, ``search``, ``browse`` or ``special``.
        meaning: What it does, for the agent.
        parameters: What it takes.
        perform: Does it.
    """

    name: str
    family: str
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
            named = str(unknown[0])[:_SHOWN]
            return f"{self.name} has no parameter {named!r}; it takes: {', '.join(known) or 'none'}"
        filled = {}
        for name, parameter in known.items():
            if name not in given:
                if parameter.required:
                    return f"{self.name} needs {name!r}: {parameter.meaning}"
                filled[name] = parameter.default
            elif problem := parameter.problem(given[name]):
                return f"{self.name}: {name!r} {problem}"
            else:
                filled[name] = parameter.default if given[name] is None else given[name]
        return filled

    @property
    def paths(self) -> tuple[str, ...]:
        """The parameters that name files."""
        return tuple(parameter.name for parameter in self.parameters if parameter.is_path)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its arguments, as models and MCP clients want it."""
        taken = [parameter for parameter in self.parameters if not parameter.ignored]
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema() for parameter in taken},
            "required": [parameter.name for parameter in taken if parameter.required],
            "additionalProperties": False,
        }


def refuse(kind: str, what: str) -> Observation:
    """Return the observation of a call that cannot be done as given."""
    return Observation(success=False, message=what, kind=kind, error_message=what)
