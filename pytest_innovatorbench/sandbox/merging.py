"""Writing out what hostile layers look like when they lie on each other."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_innovatorbench.sandbox.trees import Entry

_MODE = 0o777  # nobody is to run what an agent wrote as somebody else


def merge_into(layers: Sequence[Path], dest: Path) -> tuple[str, ...]:
    """Write the merged view of layers into a new folder; nothing may be at work in them.

    Args:
        layers: Folders, topmost first. They are trusted, what is in them is not.
        dest: The folder, which must not exist.

    Returns:
        Paths that could not be written: sockets, devices and what cannot be read.

    Raises:
        OSError: The folder exists, or cannot be written to.
    """
    dest.mkdir(parents=True)
    folders: list[tuple[Path, os.stat_result]] = []
    skipped = []
    for entry in walk_layers(layers, ""):
        place = dest / entry.path
        if entry.kind == "folder":
            place.mkdir()
            folders.append((place, (entry.layer / entry.where).lstat()))
        elif entry.kind == "link":
            place.symlink_to(entry.target or "")
        elif entry.kind != "file" or not _copy(entry, place):
            skipped.append(entry.path)
    for place, status in reversed(folders):  # a folder that is shut could not be written into
        _dress(place, status)
    return tuple(skipped)


def _copy(entry: Entry, place: Path) -> bool:
    with suppress(PermissionError), entry.open() as source:
        with place.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        _dress(place, os.fstat(source.fileno()))
        return True
    return False


def _dress(place: Path, status: os.stat_result) -> None:
    os.utime(place, ns=(status.st_mtime_ns, status.st_mtime_ns))
    place.chmod(stat.S_IMODE(status.st_mode) & _MODE)
