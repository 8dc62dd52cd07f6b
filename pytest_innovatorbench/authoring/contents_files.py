"""Files of strangers: opened without following links or waiting, and read in part where they are large."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind: TypeAlias = Literal["text", "npy", "npz", "parquet", "zip", "tar", "gz", "bz2", "xz", "opaque"]

VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr"})
_LEFT_OUT = VERSION_CONTROL | {"__pycache__"}
MOST_WHOLE = 8_000_000  # bytes; of larger files, samples
_SAMPLES, _SAMPLE = 8, 500_000
_HEAD = 4096
_TAR_MARK = slice(257, 262)
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "parquet"),
)
# Zip archives of parts that mean nothing by themselves.
_OFFICE = (".xlsx", ".docx", ".pptx", ".odt", ".ods", ".pt", ".pth", ".ckpt", ".keras")
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")


class UnopenedError(Exception):
    """A file is no regular file, or cannot be read; the text says why."""


def is_bare_repository(names: Iterable[str]) -> bool:
    """Tell by the names in a folder whether it is a repository of git without files."""
    return {"HEAD", "objects", "refs"} <= set(names)


def sizes_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the size of each regular file, but for histories, which break rules of their own."""
    if folder.is_symlink():
        return
    for place, folders, names in os.walk(folder):
        is_bare = is_bare_repository((*folders, *names))
        folders[:] = [] if is_bare else [name for name in folders if name not in _LEFT_OUT]
        for name in () if is_bare else names:
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path.lstat().st_size, path


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Yield a regular file, never what a link leads to.

    Raises:
        UnopenedError: There is none.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as problem:
        raise UnopenedError(problem.strerror or "cannot be opened") from None
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise UnopenedError("not a regular file")
        yield file


def read_head(path: Path) -> bytes:
    """Return the first bytes, enough to `sniff`.

    Raises:
        UnopenedError: It is no regular file.
    """
    with opened(path) as file:
        return file.read(_HEAD)


def sniff(name: str, head: bytes) -> Kind:
    """Tell what a file is by its first bytes rather than by its name, which may be any."""
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    suffixes = name.lower()
    if kind == "zip":
        return "npz" if suffixes.endswith(".npz") else "opaque" if suffixes.endswith(_OFFICE) else "zip"
    if kind:
        return kind
    if head[_TAR_MARK] == b"ustar":
        return "tar"
    if suffixes.endswith(_PICKLES) or head[:1] == b"\x80":
        return "opaque"
    return "opaque" if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) else "text"


def why_opaque(name: str, head: bytes) -> str:
    """Return why a file is not looked into."""
    if name.lower().endswith(_PICKLES) or head[:1] == b"\x80":
        return "pickles run code and are not opened"
    return "neither text nor a format that is read"


def read_whole(path: Path) -> bytes:
    """Return all bytes; those of a sample if the file is large, and none if it is gone."""
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            return file.read(MOST_WHOLE) if size <= MOST_WHOLE else _sample(file, size)
    except (UnopenedError, OSError):
        return b""


def hash_file(path: Path) -> str:
    """Return the digest of all bytes, which are never in memory at once."""
    try:
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (UnopenedError, OSError):
        return ""


def _sample(file: BufferedReader, size: int) -> bytes:
    """Return the first lines and whole lines from places spread over the file."""
    parts = []
    for place in range(_SAMPLES):
        file.seek(place * (size - _SAMPLE) // (_SAMPLES - 1))
        part = file.read(_SAMPLE)
        begin = 0 if place == 0 else part.find(b"\n") + 1
        parts.append(part[begin : part.rfind(b"\n") + 1])
    return b"".join(parts)
