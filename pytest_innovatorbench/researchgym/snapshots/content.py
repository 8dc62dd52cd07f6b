"""The content of files: compared with what is kept, and written from it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.snapshots.aside import NEW
from pytest_innovatorbench.researchgym.snapshots.model import CHUNK
from pytest_innovatorbench.researchgym.snapshots.places import set_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.researchgym.snapshots.model import Entry
    from pytest_innovatorbench.researchgym.snapshots.objects import Objects

_PAGE = 4096
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def windows(fd: int, size: int) -> Iterator[int]:
    """Yield the numbers of the chunks of an open file that are not all hole."""
    offset = 0
    while offset < size:
        try:
            offset = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError as problem:
            if problem.errno == errno.ENXIO:  # nothing but hole from here on
                return
            raise
        if offset < size:
            yield offset // CHUNK
        offset = (offset // CHUNK + 1) * CHUNK


def read_window(fd: int, offset: int, size: int) -> bytes:
    """Return the chunk at an offset of an open file, which may have become shorter."""
    wanted = min(CHUNK, size - offset)
    return os.pread(fd, wanted, offset).ljust(wanted, b"\0")


def holds(objects: Objects, fd: int, entry: Entry) -> bool:
    """Tell whether an open file of the right size has the content that is kept."""
    chunks = list(entry.chunks())
    if entry.kind == "sparse" and [offset // CHUNK for offset, _ in chunks] != list(windows(fd, entry.size)):
        return False
    return all(objects.digest(read_window(fd, offset, entry.size)) == digest for offset, digest in chunks)


def write(objects: Objects, folder: int, entry: Entry, path: str) -> None:
    """Make a file with all that is kept of it.

    Args:
        objects: Have the content.
        folder: Descriptor of the folder in which it is made, as `NEW`.
        entry: The file.
        path: Where it belongs, for errors.

    Raises:
        DamagedSnapshotError: Its content is lost or altered.
        OSError: It cannot be written.
    """
    fd = os.open(NEW, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        for offset, digest in entry.chunks():
            data = objects.get(digest, f"the content of {path!r}")
            for start, part in _parts(data) if entry.kind == "sparse" else ((0, memoryview(data)),):
                _write_all(fd, part, offset + start)
        if entry.kind == "sparse":
            os.ftruncate(fd, entry.size)
        set_attributes(fd, entry.attributes)
        os.fchmod(fd, entry.mode)
        os.utime(fd, ns=(entry.mtime, entry.mtime))
    except BaseException:
        os.unlink(NEW, dir_fd=folder)
        raise
    finally:
        os.close(fd)


def _parts(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """Yield the pages that are not all zero: a file with holes must not come to need more than it did."""
    view = memoryview(data)
    empty = bytes(_PAGE)
    for start in range(0, len(data), _PAGE):
        page = view[start : start + _PAGE]
        if page != empty[: len(page)]:
            yield start, page


def _write_all(fd: int, data: memoryview, offset: int) -> None:
    while data:
        done = os.pwrite(fd, data, offset)
        data, offset = data[done:], offset + done
