"""What archives hold, unpacked in memory within limits that no bomb gets around."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from pytest_innovatorbench.authoring.contents_files import MOST_WHOLE, sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_innovatorbench.authoring.contents_files import Kind

MOST_UNPACKED = 48_000_000  # bytes from all archives of a folder
MOST_MEMBERS = 10_000
MOST_NESTED = 3
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    KeyError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
_HEAD = 512
_ENCRYPTED = 1
_OPEN: dict[str, Callable[[IO[bytes]], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    "gz": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class UnpackedError(Exception):
    """Not all of an archive is unpacked; the text says why."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked.

    Attributes:
        unpacked: Bytes.
        members: Files in archives.
    """

    unpacked: int = MOST_UNPACKED
    members: int = MOST_MEMBERS

    def take_member(self) -> None:
        """Count a file."""
        self.members -= 1
        if self.members < 0:
            raise UnpackedError(f"archives hold more than {MOST_MEMBERS:,} files")

    def take(self, count: int) -> None:
        """Count unpacked bytes."""
        self.unpacked -= count
        if self.unpacked < 0:
            raise UnpackedError(f"archives unpack to more than {MOST_UNPACKED // 1_000_000} MB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive.

    Attributes:
        name: Its name there.
        data: What it holds; ``None`` if that is more than is read.
    """

    name: str
    data: bytes | None


def unpack(kind: Kind, name: str, file: IO[bytes], budget: Budget) -> Iterator[Member]:
    """Yield the files in an archive.

    Args:
        kind: What it is.
        name: Its name; a file that was compressed alone has it without the suffix.
        file: What it holds.
        budget: What may still be unpacked.

    Raises:
        UnpackedError: It is damaged, encrypted, or larger than allowed.
    """
    try:
        if kind in {"zip", "npz"}:
            yield from _unpack_zip(file, budget)
        elif kind == "tar":
            yield from _unpack_tar(file, budget)
        else:
            yield from _unpack_stream(kind, name, file, budget)
    except _BROKEN as problem:
        raise UnpackedError(f"the archive cannot be read ({str(problem)[:80]})") from None


def _unpack_zip(file: IO[bytes], budget: Budget) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            budget.take_member()
            if info.flag_bits & _ENCRYPTED:
                raise UnpackedError("the archive is encrypted")
            with archive.open(info) as member:
                data = member.read(min(MOST_WHOLE, budget.unpacked) + 1)
            budget.take(len(data))
            yield Member(name=info.filename, data=data if len(data) <= MOST_WHOLE else None)


def _unpack_tar(file: _Readable, budget: Budget) -> Iterator[Member]:
    # As a stream, so that whatever is skipped counts as well.
    with tarfile.open(fileobj=_Counted(file, budget), mode="r|") as archive:
        for info in archive:
            budget.take_member()
            if info.issparse():  # it can be any size and take no space
                budget.take(info.size)
            member = archive.extractfile(info) if info.isreg() else None
            if member is not None:
                data = member.read(MOST_WHOLE) if info.size <= MOST_WHOLE else None
                yield Member(name=info.name, data=data)


def _unpack_stream(kind: Kind, name: str, file: IO[bytes], budget: Budget) -> Iterator[Member]:
    with _OPEN[kind](file) as stream:
        if sniff(name, stream.peek(_HEAD)) == "tar":
            yield from _unpack_tar(stream, budget)
            return
        budget.take_member()
        data = stream.read(min(MOST_WHOLE, budget.unpacked) + 1)
        budget.take(len(data))
        bare = name[: -len(kind) - 1] if name.lower().endswith(f".{kind}") else name
        yield Member(name=bare.rpartition("/")[2], data=data if len(data) <= MOST_WHOLE else None)


class _Counted(io.RawIOBase):
    """A file every byte of which is counted."""

    def __init__(self, file: _Readable, budget: Budget) -> None:
        self._file = file
        self._budget = budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._budget.take(len(data))
        return data
