"""Where an agent is in the file that it reads."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A window onto a file.

    Attributes:
        path: The file.
        line: The line that was asked for.
        first: The first line that is shown, from 1.
        count: Lines that are shown.
        total: Lines of the file, when it was last looked at.
    """

    path: str
    line: int = 1
    first: int = 1
    count: int = WINDOW
    total: int = 0


@dataclass(slots=True)
class Reader:
    """Remembers the file that is open, for the actions that scroll in it.

    Attributes:
        place: Where the agent is; ``None`` before it opened a file.
    """

    place: Place | None = None
