"""Hostile folders, read from outside: layers merged without mounting, no link ever followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["file", "folder", "link", "fifo", "socket", "device", "unreadable"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LONGEST = 4096  # characters of a path; deeper trees than programs can name are not walked
_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a tree.

    Attributes:
        path: Relative to where the walk began; bytes that are not UTF-8 are surrogate escapes.
        kind: What it is; ``"unreadable"`` for what may not be looked into.
        size: Bytes, 0 for everything but files.
        target: Where a link points, unchecked.
        layer: The trusted folder that holds it.
        where: Its path below ``layer``.
    """

    path: str
    kind: Kind
    size: int = 0
    target: str | None = None
    layer: Path = field(repr=False)
    where: str = field(repr=False)

    def open(self) -> BinaryIO:
        """Open a file for reading, without following links or waiting for a FIFO.

        Raises:
            OSError: It cannot be read, or is not a regular file (any more).
        """
        folder, _, name = self.where.rpartition("/")
        with _open_folder(self.layer, folder) as parent:
            fd = os.open(name, _FILE, dir_fd=parent)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", self.path)
        return os.fdopen(fd, "rb")


class _Look(NamedTuple):
    """What one layer has under a name; without a status where it could not be asked for."""

    layer: Path
    where: str
    kind: Kind
    status: os.stat_result | None = None
    target: str | None = None


def _look_at(folder: _Look, fd: int, entry: os.DirEntry[str]) -> _Look:
    where = f"{folder.where}/{entry.name}" if folder.where else entry.name
    try:
        status = entry.stat(follow_symlinks=False)
        target = os.readlink(entry.name, dir_fd=fd) if stat.S_ISLNK(status.st_mode) else None
    except OSError:
        return _Look(folder.layer, where, "unreadable")
    kind = _KINDS[stat.S_IFMT(status.st_mode)] if len(where) <= _LONGEST else "unreadable"
    return _Look(folder.layer, where, kind, status, target)


def walk_layers(layers: Sequence[Path], below: str) -> Iterator[Entry]:
    """Walk the merged view of overlay layers, in sorted order, folders before their content.

    Args:
        layers: Folders, topmost first. They are trusted, what is in them is not.
        below: Folder within the layers to start from, such as ``"data/outputs"``, or ``""``.

    Yields:
        The entries below it; none when it is not a folder.
    """
    folders = [_Look(layer, "", "folder") for layer in layers]
    for part in filter(None, below.split("/")):
        folders = _folders_of(_merge(folders).get(part, []))
    pending = [_listing(folders, "")]
    while pending:
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
            continue
        path, looks = step
        kind = looks[0].kind
        if kind == "folder":
            try:
                pending.append(_listing(_folders_of(looks), f"{path}/"))
            except PermissionError:
                kind = "unreadable"
        yield _entry(path, kind, looks[0])


def _listing(folders: list[_Look], prefix: str) -> Iterator[tuple[str, list[_Look]]]:
    """Read a folder of the merged view at once, so that what fails, fails before it is announced."""
    merged = _merge(folders)
    return ((f"{prefix}{name}", merged[name]) for name in sorted(merged) if merged[name])


def _entry(path: str, kind: Kind, look: _Look) -> Entry:
    size = look.status.st_size if look.status is not None and kind == "file" else 0
    return Entry(path=path, kind=kind, size=size, target=look.target, layer=look.layer, where=look.where)


def _folders_of(looks: list[_Look]) -> list[_Look]:
    """The folders that are merged under one name: down to the first layer that has something else."""
    folders: list[_Look] = []
    for look in looks:
        if look.kind != "folder":
            break
        folders.append(look)
    return folders


def _merge(folders: list[_Look]) -> dict[str, list[_Look]]:
    """Overlay the content of folders, topmost first; a name that is deleted has an empty list."""
    merged: dict[str, list[_Look]] = {}
    closed: set[str] = set()
    for folder in folders:
        try:
            opaque = _read_layer(folder, merged, closed)
        except PermissionError:
            raise
        except OSError:
            continue  # gone, or something else by now: an agent may still be at work
        if opaque == b"y":
            break
    return merged


def _read_layer(folder: _Look, merged: dict[str, list[_Look]], closed: set[str]) -> bytes:
    """Add one layer's folder to the merged view and return its mark of opacity."""
    with _open_folder(folder.layer, folder.where) as fd, os.scandir(fd) as entries:
        opaque = _attribute(fd, "opaque")
        for entry in entries:
            name = entry.name
            if name in closed:
                continue
            look = _look_at(folder, fd, entry)
            looks = merged.setdefault(name, [])
            if _is_whiteout(look, fd, name, marked=opaque == b"x"):
                closed.add(name)
                continue
            looks.append(look)
            if look.kind != "folder":
                closed.add(name)
    return opaque


def _is_whiteout(look: _Look, parent: int, name: str, *, marked: bool) -> bool:
    """Tell whether an entry stands for a deleted one.

    Only folders that are marked so hold the newer form, an empty file with an attribute.
    """
    status = look.status
    if status is None:
        return False
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev == 0
    if not marked or not stat.S_ISREG(status.st_mode) or status.st_size:
        return False
    try:
        fd = os.open(name, _FILE, dir_fd=parent)
    except OSError:
        return False
    try:
        return _attribute(fd, "whiteout", missing=b"-") != b"-"
    finally:
        os.close(fd)


def _attribute(fd: int, name: str, *, missing: bytes = b"") -> bytes:
    try:
        return os.getxattr(fd, f"user.overlay.{name}")
    except OSError:
        return missing


@contextmanager
def _open_folder(layer: Path, where: str) -> Iterator[int]:
    """Open a folder of a layer step by step, so that no part of the way can be a link."""
    fd = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in where.split("/") if where else ():
            deeper = os.open(part, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = deeper
        yield fd
    finally:
        os.close(fd)
