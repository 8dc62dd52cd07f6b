"""The index: what files were when they were last read, so that they need not be read again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_innovatorbench.researchgym.snapshots.files import write_file
from pytest_innovatorbench.researchgym.snapshots.model import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    Known: TypeAlias = "tuple[int, int, Entry | list[object]]"

RACY = 20_000_000  # nanoseconds within which a second change may leave all times as they are
_MODE, _MTIME, _SIZE, _CONTENT = 2, 3, 4, 5
_SHEER_MODE = 0o1777


class Index:
    """What is known of one folder's files, by the paths of their folders and by their names.

    Each is known by change time, inode and what was kept of it, with which modification time, size and
    mode are compared. No program can set a change time.

    Args:
        began: Since when files are looked at; what changed just before is not remembered.
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

    def known(self, status: os.stat_result, entry: Entry) -> Known | None:
        """Return a file as it is to be noted, ``None`` if it may have changed unnoticed."""
        return (status.st_ctime_ns, status.st_ino, entry) if status.st_ctime_ns < self._settled else None

    def drop(self, is_there: Callable[[str], bool]) -> None:
        """Forget the files of which not all content is there."""
        for path, files in self._folders.items():
            self._folders[path] = {
                name: known
                for name, known in files.items()
                if all(map(is_there, _digests(known[2][_CONTENT])))
            }

    def write(self, file: Path, tree: Path, generation: str) -> None:
        """Write it down. Its loss would cost nothing but time."""
        document = {"tree": str(tree), "generation": generation, "folders": self._folders}
        data = json.dumps(document, separators=(",", ":")).encode("ascii")
        write_file(file, _checksum(data) + data, durable=False)


def read_index(file: Path, generation: str, is_there: Callable[[str], bool]) -> Index:
    """Return an index as it was written; an empty one if there is none.

    Args:
        file: Where it lies.
        generation: That of the objects; if it is another, they are asked for one by one.
        is_there: Tells whether an object is there.
    """
    index = Index()
    if (document := _read(file)) is not None:
        index._folders = document["folders"]  # noqa: SLF001 - of its own kind
        if document["generation"] != generation:
            index.drop(is_there)
    return index


def is_orphan(file: Path) -> bool:
    """Tell whether an index is of no use any more: damaged, or of a folder that has gone."""
    document = _read(file)
    return document is None or not os.path.isdir(document["tree"])  # noqa: PTH112 - a string


def is_same(known: Known, status: os.stat_result) -> bool:
    """Tell whether a file is what it was when it became known."""
    ctime, inode, entry = known
    return (
        ctime == status.st_ctime_ns
        and inode == status.st_ino
        and entry[_MTIME] == status.st_mtime_ns
        and entry[_SIZE] == status.st_size
        and entry[_MODE] == status.st_mode & _SHEER_MODE
    )


def _read(file: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        data = file.read_bytes()
        length = len(_checksum(b""))
        if data[:length] == _checksum(data[length:]):
            document: dict[str, Any] = json.loads(data[length:])
            return document
    return None


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _digests(content: object) -> list[str]:
    return [chunk.rpartition(":")[2] for chunk in content] if isinstance(content, list) else []
