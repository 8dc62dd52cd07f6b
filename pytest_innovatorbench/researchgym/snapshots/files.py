"""Files of a store: written whole or not at all, by one or by many."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNFINISHED = ".tmp"


@contextmanager
def locked(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold a store, with others or alone, for as long as the process lives at most.

    Whoever finds nobody else removes what the killed have left behind.

    Args:
        folder: The store.
        alone: Wait until nobody else holds it, and keep everybody out.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if alone:
            fcntl.flock(fd, fcntl.LOCK_EX)
            _tidy(folder)
        else:
            with suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _tidy(folder)
            fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


def new_name(file: Path) -> Path:
    """Return a name beside a file that marks what is there as unfinished."""
    return file.with_name(f"{file.name}.{secrets.token_hex(8)}{UNFINISHED}")


def write_file(file: Path, *parts: bytes, durable: bool = True) -> None:
    """Write a file so that it is there as a whole or not at all.

    Args:
        file: Where it goes; what is there is replaced.
        parts: Its content, one after the other.
        durable: Whether it has to outlast a loss of power from now on.
    """
    unfinished = new_name(file)
    try:
        with unfinished.open("xb") as stream:
            stream.writelines(parts)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a loss of power."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _tidy(folder: Path) -> None:
    for unfinished in folder.glob(f"*/*{UNFINISHED}"):
        unfinished.unlink(missing_ok=True)
