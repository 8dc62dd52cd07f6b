"""The index: what files were when they were last read, so that they need not be read again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_innovatorbench.researchgym.snapshots.files import write_file
from pytest_innovatorbench.researchgym.snapshots.model import Entry, name_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How a file looked, and the line that is kept of it, with a tab between. No program can set a change time.
Known: TypeAlias = str

_FORM = 2  # of a file; another one is passed over
_BETWEEN = "\n\n"
_READER = json.JSONDecoder()
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
        self._unread: dict[str, str] = {}

    def folder(self, path: str) -> dict[str, Known]:
        """Return what is known of a folder's files."""
        if path in self._unread:
            self._folders[path] = _files(self._unread.pop(path))
        return self._folders.get(path, {})

    def enter(self, path: str, known: dict[str, Known]) -> None:
        """Note what is known of a folder's files."""
        self._folders[path] = known

    def enter_unread(self, path: str, block: str) -> None:
        """Note what was written of a folder, to be read when it is asked for."""
        self._unread[path] = block

    def known(self, status: os.stat_result, line: str) -> Known | None:
        """Return a file as it is to be noted, ``None`` if it may have changed unnoticed."""
        return f"{look_of(status)}{line}" if status.st_ctime_ns < self._settled else None

    def drop(self, is_there: Callable[[str], bool]) -> None:
        """Forget the files of which not all content is there."""
        for path in (*self._folders, *self._unread):
            self._folders[path] = {
                name: known
                for name, known in self.folder(path).items()
                if all(is_there(digest) for _, digest in Entry.read(line_of(known)).chunks())
            }

    def write(self, file: Path, tree: Path, generation: str) -> None:
        """Write it down. Its loss would cost nothing but time."""
        blocks = [json.dumps([_FORM, str(tree), generation])]
        blocks += ["\n".join((json.dumps(path), *files.values())) for path, files in self._folders.items()]
        data = _BETWEEN.join(blocks).encode("ascii")
        write_file(file, _checksum(data), data, durable=False)


def look_of(status: os.stat_result) -> str:
    """Return all by which a file that was changed differs from what it was; what is known begins with it."""
    return f"{status.st_ctime_ns} {status.st_ino} {status.st_mtime_ns} {status.st_size} {status.st_mode}\t"


def line_of(known: Known) -> str:
    """Return the line that is kept of a file."""
    return known.partition("\t")[2]


def read_index(file: Path, generation: str, is_there: Callable[[str], bool]) -> Index:
    """Return an index as it was written; an empty one if there is none.

    Args:
        file: Where it lies.
        generation: That of the objects; if it is another, they are asked for one by one.
        is_there: Tells whether an object is there.
    """
    index = Index()
    if (found := _read(file)) is None:
        return index
    head, blocks = found
    for block in blocks:
        index.enter_unread(_READER.raw_decode(block)[0], block)  # the path, which comes first
    if head[-1] != generation:
        index.drop(is_there)
    return index


def is_orphan(file: Path) -> bool:
    """Tell whether an index is of no use any more: damaged, or of a folder that has gone."""
    found = _read(file)
    return found is None or not os.path.isdir(found[0][1])  # noqa: PTH112 - a string


def _read(file: Path) -> tuple[list[Any], list[str]] | None:
    """Return the head and a block of lines for each folder, nothing of what is damaged or of another form."""
    with suppress(OSError):
        data = memoryview(file.read_bytes())
        length = len(_checksum(b""))
        if data[:length] == _checksum(data[length:]):
            first, *blocks = str(data[length:], "ascii").split(_BETWEEN)
            head = json.loads(first.partition("\n")[0])
            return (head, blocks) if head[0] == _FORM else None
    return None


def _files(block: str) -> dict[str, Known]:
    """Return what is known of a folder's files by their names."""
    _, *lines = block.split("\n")
    if "\\" in block:
        return {name_in(line_of(known)): known for known in lines}
    return {known.split('"', 2)[1]: known for known in lines}


def _checksum(data: bytes | memoryview) -> bytes:
    return hashlib.sha256(data).digest()
