"""Where a vendor's program is installed, and what of this machine it needs to run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.sandbox.model import Bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PACKAGES = "node_modules"
_SYSTEM = "/usr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A program that can be run in a jail.

    Attributes:
        name: What it is called.
        argv: How its command line begins, as spelt in a jail with these binds.
        binds: What has to be visible, read-only and at its own place.
    """

    name: str
    argv: tuple[str, ...]
    binds: tuple[Bind, ...]


def find_installation(name: str, hidden: Iterable[Path]) -> Installation | None:
    """Find a program on ``PATH``, or return ``None`` if it is not there.

    Of a package of npm the outermost ``node_modules`` is shown, since parts of it lie beside each other; of
    any other program the file alone.

    Args:
        name: Its name.
        hidden: Folders that must not be shown with it.

    Raises:
        SettingsError: It lies in one of these folders, or around one.
    """
    found = shutil.which(name)
    if found is None:
        return None
    program = Path(found).resolve()
    interpreter = _interpreter(program)
    files = [file for file in (interpreter, program) if file is not None]
    shown = dict.fromkeys(_shown(file) for file in files if not file.is_relative_to(_SYSTEM))
    for folder in hidden:
        _keep_apart(name, program, shown, folder.resolve())
    return Installation(
        name=name,
        argv=tuple(map(str, files)),
        binds=tuple(Bind(source=path, dest=str(path)) for path in shown),
    )


def _shown(file: Path) -> Path:
    if _PACKAGES not in file.parts:
        return file
    return Path(*file.parts[: file.parts.index(_PACKAGES) + 1])


def _interpreter(program: Path) -> Path | None:
    """Return what runs a script that has it looked for on ``PATH``, as those of npm do."""
    with program.open("rb") as stream:
        first = stream.readline(256).decode(errors="replace")
    words = first.removeprefix("#!").split() if first.startswith("#!") else []
    if not words or Path(words[0]).name != "env":
        return None
    named: Iterator[str] = (word for word in words[1:] if not word.startswith("-"))
    found = shutil.which(next(named, ""))
    return Path(found).resolve() if found else None


def _keep_apart(name: str, program: Path, shown: Iterable[Path], hidden: Path) -> None:
    if program.is_relative_to(hidden) or any(hidden.is_relative_to(path) for path in shown):
        raise SettingsError(
            f"{name} is installed at {program}, where agents must not see {hidden}",
            remedy="install it elsewhere",
        )
