"""Names that a new task may have."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST = 60
_PATTERN = re.compile(r"[a-z][a-z0-9_]*")
# The contract's folder, and what --ibench-task and test runners understand in another way.
_RESERVED = {
    "base": "the folder of the evaluators' base classes",
    "all": "what selects every task",
}


def places(name: str) -> tuple[str, str, str]:
    """Return where a task of a name lies in its benchmark."""
    return f"gym/{name}", f"tests/test_{name}.py", f"evaluations/{name}"


def task_name(text: str, root: Path) -> str:
    """Return a name that a new task of a benchmark can have.

    Only small letters, so that it is the same task where file systems take capitals for small ones.

    Raises:
        SettingsError: It can't be had.
    """
    name = text.strip()
    if len(name) > _LONGEST:
        raise SettingsError(f"the name has {len(name)} characters", remedy=f"take at most {_LONGEST}")
    if not _PATTERN.fullmatch(name):
        problem = f"{name!r} is no name for a task"
        raise SettingsError(
            problem, remedy=f"begin with a small letter, then small letters, digits and _{_like(name)}"
        )
    if keyword.iskeyword(name):
        raise SettingsError(f"{name!r} is a word of Python", remedy=f"take another name, such as {name}_task")
    if name in _RESERVED:
        raise SettingsError(
            f"{name!r} is {_RESERVED[name]}", remedy=f"take another name, such as {name}_task"
        )
    for place in existing(name, root):
        raise SettingsError(f"{place} exists already", remedy="take another name, or remove that task first")
    return name


def existing(name: str, root: Path) -> Iterator[str]:
    """Yield what stands where a task would lie, whatever its letters' case."""
    for place in places(name):
        folder, _, wanted = place.partition("/")
        try:
            present = sorted(file.name for file in (root / folder).iterdir())
        except OSError:
            continue  # no folder yet, or none at all, which making the task will tell
        yield from (f"{folder}/{other}" for other in present if other.casefold() == wanted)


def _like(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")
    return f", such as {plain}" if plain and not keyword.iskeyword(plain) else ""
