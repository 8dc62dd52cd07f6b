"""The index: what files were when they were last read, so that they need not be read again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from pytest_innovatorbench.researchgym.snapshots.files import write_file
from pytest_innovatorbench.researchgym.snapshots.model import Entry, name_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How a file looked, and the line that is kept of it. No program can set a change time.
Known: TypeAlias = tuple[str, str]

RACY = 20_000_000  # nanoseconds within which a second change may leave all times as they are


class Index:
    """What is known of one folder's files, by the paths of their folders and by their names.

    Args:
        began: Nanoseconds since 1970 from which files are looked at, now if ``None``; what changed just
            before is not remembered.
    """

    def __init__(self, began: int | None = None) -> None:
        self._settled = (time.time_ns() if began is None else began) - RACY
        self._folders: dict[str, dict[str, Known]] = {}

    def folder(self, path: str) -> dict[str, Known]:
        """Return what is known of a folder's files."""
        return self._folders.get(path, {})

    def enter(self, path: str, known: dict[str, Known]) -> None:
        """Note what is known of a folder's files."""
        self._folders[path] = known

    def known(self, status: os.stat_result, line: str) -> Known | None:
        """Return a file as it is to be noted, ``None`` if it may have changed unnoticed."""
        return (look_of(status), line) if status.st_ctime_ns < self._settled else None

    def drop(self, is_there: Callable[[str], bool]) -> None:
        """Forget the files of which not all content is there."""
        for path, files in self._folders.items():
            self._folders[path] = {
                name: known
                for name, known in files.items()
                if all(is_there(digest) for _, digest in Entry.read(known[1]).chunks())
            }

    def write(self, file: Path, tree: Path, generation: str) -> None:
        """Write it down. Its loss would cost nothing but time."""
        lines = [json.dumps([str(tree), generation])]
        for path, files in self._folders.items():
            lines.append(json.dumps(path))
            lines += [f"{look}\t{line}" for look, line in files.values()]
        data = "\n".join(lines).encode("ascii")
        write_file(file, _checksum(data) + data, durable=False)


def look_of(status: os.stat_result) -> str:
    """Return all by which a file that was changed differs from what it was."""
    return f"{status.st_ctime_ns} {status.st_ino} {status.st_mtime_ns} {status.st_size} {status.st_mode}"


def read_index(file: Path, generation: str, is_there: Callable[[str], bool]) -> Index:
    """Return an index as it was written; an empty one if there is none.

    Args:
        file: Where it lies.
        generation: That of the objects; if it is another, they are asked for one by one.
        is_there: Tells whether an object is there.
    """
    index = Index()
    head, *lines = _read(file) or ["[0, 0]"]
    known: dict[str, Known] = {}
    for text in lines:
        look, _, line = text.partition("\t")
        if line:
            known[name_in(line)] = (look, line)
        else:
            known = {}
            index.enter(json.loads(text), known)
    if json.loads(head)[1] != generation:
        index.drop(is_there)
    return index


def is_orphan(file: Path) -> bool:
    """Tell whether an index is of no use any more: damaged, or of a folder that has gone."""
    lines = _read(file)
    return lines is None or not os.path.isdir(json.loads(lines[0])[0])  # noqa: PTH112 - a string


def _read(file: Path) -> list[str] | None:
    with suppress(OSError):
        data = file.read_bytes()
        length = len(_checksum(b""))
        if data[:length] == _checksum(data[length:]):
            return data[length:].decode("ascii").splitlines()
    return None


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
