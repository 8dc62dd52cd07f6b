"""Packs: files in which objects lie one after the other, each with a head that says what it is."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

from pytest_innovatorbench.researchgym.snapshots.files import new_name, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = 256 << 20  # bytes from which the next pack is begun
_SUFFIX = ".pack"
_MAGIC = b"IBPACK1\n"
_HEAD = struct.Struct("<32sIIB")
_BUFFER = 1 << 20  # bytes that are written at once
_OPEN = 16  # packs that are held open for reading


class Place(NamedTuple):
    """Where an object lies.

    Attributes:
        pack: Number of its pack.
        offset: Bytes in front of it.
        stored: Bytes that are kept.
        size: Bytes of its content.
        codec: How it is kept.
    """

    pack: int
    offset: int
    stored: int
    size: int
    codec: int


class Packs:
    """The packs of a store.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, int] = {}

    def file(self, pack: int) -> Path:
        """Return where a pack lies."""
        return self._folder / f"{pack:016x}{_SUFFIX}"

    def numbers(self) -> set[int]:
        """Return the numbers of all packs."""
        return {int(file.stem, 16) for file in self._folder.iterdir() if file.suffix == _SUFFIX}

    def read(self, place: Place) -> bytes | None:
        """Return the bytes that are kept at a place, ``None`` where they are not."""
        try:
            data = os.pread(self._descriptor(place.pack), place.stored, place.offset)
        except FileNotFoundError:
            return None
        return data if len(data) == place.stored else None

    def scan(self, pack: int) -> Iterator[tuple[bytes, Place]]:
        """Yield the digests and places of a pack's objects, down to the first that is not whole."""
        with self.file(pack).open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            offset = len(_MAGIC)
            if file.read(offset) != _MAGIC:
                return
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                digest, stored, size, codec = _HEAD.unpack(head)
                offset += _HEAD.size
                if offset + stored > end:
                    return
                yield digest, Place(pack, offset, stored, size, codec)
                offset += stored
                file.seek(offset)

    def close(self) -> None:
        """Close what is open."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()

    def _descriptor(self, pack: int) -> int:
        if pack not in self._open:
            if len(self._open) >= _OPEN:
                os.close(self._open.pop(next(iter(self._open))))
            self._open[pack] = os.open(self.file(pack), os.O_RDONLY | os.O_CLOEXEC)
        return self._open[pack]


class Writer:
    """Packs that are being written and come to be together, or not at all.

    Args:
        packs: The packs they are to be among.
    """

    def __init__(self, packs: Packs) -> None:
        self.written = 0
        self._packs = packs
        self._unfinished: dict[int, Path] = {}
        self._file = -1
        self._pack = 0
        self._offset = FULL
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0

    def add(self, digest: bytes, codec: int, data: bytes, size: int) -> Place:
        """Append an object; see `Place` for its parts."""
        if self._offset >= FULL:
            self._begin()
        head = _HEAD.pack(digest, len(data), size, codec)
        self._write(head)
        self._write(data)
        offset = self._offset + len(head)
        self._offset = offset + len(data)
        return Place(self._pack, offset, len(data), size, codec)

    def finish(self) -> None:
        """Let the packs be packs, safe from a loss of power."""
        self._end()
        for pack, unfinished in self._unfinished.items():
            unfinished.rename(self._packs.file(pack))
        if self._unfinished:
            sync_folder(self._packs.file(0).parent)
        self._unfinished.clear()

    def abandon(self) -> None:
        """Remove what is unfinished."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._unwritten.clear()
        for unfinished in self._unfinished.values():
            unfinished.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._end()
        self._pack = int.from_bytes(os.urandom(8), "big") >> 1  # what SQLite's numbers can hold
        unfinished = new_name(self._packs.file(self._pack))
        self._file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._unfinished[self._pack] = unfinished
        self._write(_MAGIC)
        self._offset = len(_MAGIC)

    def _end(self) -> None:
        if self._file >= 0:
            self._flush()
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1
            self._offset = FULL

    def _write(self, data: bytes) -> None:
        self.written += len(data)
        self._unwritten.append(data)
        self._unwritten_bytes += len(data)
        if self._unwritten_bytes >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        data, self._unwritten, self._unwritten_bytes = b"".join(self._unwritten), [], 0
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
