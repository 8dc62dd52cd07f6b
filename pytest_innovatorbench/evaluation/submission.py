"""Frozen submissions: what an agent left in its outputs, copied before anybody looks at it."""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from pytest_innovatorbench.evaluation.model import Refusal, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_innovatorbench.evaluation.model import Caps
    from pytest_innovatorbench.sandbox.trees import Entry

MOST_LISTED = 100
LONGEST_PATH = 2_000  # bytes; leaves room below PATH_MAX for the folder it is thawed in
_LONGEST_SHOWN = 200
_CHUNK = 2**20
_REASONS = {
    "link": "a link",
    "fifo": "a FIFO",
    "socket": "a socket",
    "device": "a device",
    "unreadable": "not readable",
}


def freeze(
    entries: Iterable[Entry], archive: Path, caps: Caps, *, workspace: str = "/workspace"
) -> Submission:
    """Copy the regular files and folders of a hostile tree into an archive.

    Everything else is refused by name. At a cap, the walk stops: the archive holds what came before,
    and the refusal of the first entry beyond it names the cap.

    Args:
        entries: The tree below ``data/outputs``, folders before their content.
        archive: Where to write; it appears when it is whole, readable by its owner only.
        caps: How much to take. The cap on files also holds for folders and for what is refused.
        workspace: How the agent spells the workspace that its links may point into.

    Raises:
        OSError: The archive could not be written.
    """
    fd, name = tempfile.mkstemp(prefix=".freezing-", dir=archive.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            freezer = _Freezer(file, caps, workspace)
            freezer.take_all(entries)
        Path(name).rename(archive)
    except BaseException:
        Path(name).unlink()
        raise
    return freezer.submission(archive)


def thaw(archive: Path, folder: Path) -> None:
    """Unpack a frozen submission.

    Args:
        archive: What `freeze` wrote.
        folder: Where to unpack; made if it does not exist.

    Raises:
        OSError: The disk is full, or the archive is not one that `freeze` writes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:", encoding="utf-8", errors="surrogateescape") as members:
            for member in members:
                _unpack(members, member, folder)
    except tarfile.TarError as problem:
        raise OSError(f"{archive.name} is not a frozen submission: {problem}") from problem


def show(path: str) -> str:
    """Return a hostile name in printable form, on one line, at most 200 characters."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in path[:_LONGEST_SHOWN]
    )
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[: _LONGEST_SHOWN - 3]}..."


class _Full(Exception):  # noqa: N818 - not an error: the submission goes on without the rest
    """A cap is reached; the text says which."""


class _Refused(Exception):  # noqa: N818 - a value for the report, not an error
    """An entry is not taken; the text says why."""


class _Freezer:
    """An archive in the making."""

    def __init__(self, file: BinaryIO, caps: Caps, workspace: str) -> None:
        self._archive = _Archive(file)
        self._caps = caps
        self._workspace = workspace
        self._files = self._others = self._size = self._refused_count = 0
        self._refused: list[Refusal] = []
        self._violation: str | None = None

    def take_all(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            try:
                self._take(entry)
            except _Refused as reason:
                self._refuse(entry, str(reason))
            except _Full as reason:
                self._refuse(entry, f"{reason}; the rest was left out")
                break
        self._archive.finish()

    def submission(self, archive: Path) -> Submission:
        return Submission(
            archive=archive,
            digest=f"sha256:{self._archive.hash.hexdigest()}",
            files=self._files,
            size=self._size,
            refused=tuple(self._refused),
            refused_count=self._refused_count,
            violation=self._violation,
        )

    def _take(self, entry: Entry) -> None:
        self._count(entry)
        if problem := _path_problem(entry.path):
            raise _Refused(problem)
        match entry.kind:
            case "folder":
                self._archive.add_folder(entry.path)
            case "file":
                self._take_file(entry)
            case "link":
                self._look_at_link(entry)
                raise _Refused(_REASONS["link"])
            case other:
                raise _Refused(_REASONS[other])

    def _count(self, entry: Entry) -> None:
        if entry.kind == "file":
            if self._files >= self._caps.files:
                raise _Full(f"more than {self._caps.files:,} files")
            if self._size + entry.size > self._caps.total:
                raise _Full(f"more than {self._caps.total:,} bytes")
        elif self._others >= self._caps.files:
            raise _Full(f"more than {self._caps.files:,} folders, links and the like")
        else:
            self._others += 1

    def _take_file(self, entry: Entry) -> None:
        try:
            source = entry.open()
        except OSError as problem:
            raise _Refused(f"not readable ({problem.strerror or 'no regular file any more'})") from None
        with source:
            size = os.fstat(source.fileno()).st_size
            if self._size + size > self._caps.total:
                raise _Full(f"more than {self._caps.total:,} bytes")
            self._archive.add_file(entry.path, source, size)
        self._files += 1
        self._size += size

    def _refuse(self, entry: Entry, reason: str) -> None:
        self._refused_count += 1
        if len(self._refused) < MOST_LISTED:
            self._refused.append(Refusal(path=show(entry.path), reason=reason))

    def _look_at_link(self, entry: Entry) -> None:
        folder = posixpath.join(self._workspace, "data/outputs", posixpath.dirname(entry.path))
        points_to = posixpath.normpath(posixpath.join(folder, entry.target or ""))
        if self._violation is None and not PurePosixPath(points_to).is_relative_to(self._workspace):
            self._violation = (
                f"link {show(entry.path)} points out of the workspace to {show(entry.target or '')}"
            )


class _Archive:
    """A tar file whose bytes depend on the names and contents alone."""

    def __init__(self, file: BinaryIO) -> None:
        self.hash = hashlib.sha256()
        self._file = file

    def add_folder(self, path: str) -> None:
        self._write_header(path, tarfile.DIRTYPE, 0o755, 0)

    def add_file(self, path: str, source: BinaryIO, size: int) -> None:
        """Append a file, or nothing if it turns out shorter than it said; what it grew by is left."""
        start, hash_at_start = self._file.tell(), self.hash.copy()
        self._write_header(path, tarfile.REGTYPE, 0o644, size)
        missing = size
        try:
            while missing and (part := source.read(min(missing, _CHUNK))):
                self._write(part)
                missing -= len(part)
        except OSError as problem:
            self._undo(start, hash_at_start)
            raise _Refused(f"not readable ({problem.strerror})") from None
        if missing:
            self._undo(start, hash_at_start)
            raise _Refused("changed while it was read")
        self._write(bytes(-size % tarfile.BLOCKSIZE))

    def finish(self) -> None:
        self._write(bytes(2 * tarfile.BLOCKSIZE))

    def _write_header(self, path: str, kind: bytes, mode: int, size: int) -> None:
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.size = kind, mode, size
        self._write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.hash.update(data)

    def _undo(self, start: int, hash_at_start: hashlib._Hash) -> None:
        self._file.seek(start)
        self._file.truncate()
        self.hash = hash_at_start


def _path_problem(path: str) -> str | None:
    parts = path.split("/")
    if path.startswith("/") or not {"", ".", ".."}.isdisjoint(parts):
        return "not a path below the outputs"
    if len(os.fsencode(path)) > LONGEST_PATH:
        return f"a path of more than {LONGEST_PATH:,} bytes"
    return None


def _unpack(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    content = members.extractfile(member) if member.isreg() else None
    if _path_problem(member.name) or not (member.isdir() or content):
        raise tarfile.TarError(f"unexpected member {show(member.name)}")
    place = folder / member.name
    if content is None:
        place.mkdir(mode=0o755)
        return
    with content, place.open("xb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
