"""Locks that hold between threads and processes, and a queue of those who wait for them.

They are files in the user's cache, locked in the kernel, which lets go of them when a process ends,
however that happens. Their names say nothing; what is locked and by whom stands in them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.researchgym.computers.placement import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NUMBER = 12


class LeasesUnwritableError(UserError, RuntimeError):
    """There is no place to note who has which computers."""


class Held:
    """A locked file.

    Args:
        fd: Its descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, text: str) -> None:
        """Say what there is to know about it."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def release(self) -> None:
        """Let go of it, once."""
        os.close(self._fd)


class Ticket:
    """A place in the queue.

    Args:
        number: The lower, the earlier.
        file: The file that stands for it.
        held: The lock on that.
    """

    def __init__(self, number: int, file: Path, held: Held) -> None:
        self.number = number
        self._file = file
        self._held = held

    def give_up(self) -> None:
        """Leave the queue."""
        self._file.unlink(missing_ok=True)
        self._held.release()


class Locks:
    """The locks of a user.

    Args:
        folder: Where their files lie; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _queue(self) -> Path:
        queue = self._folder / "queue"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            queue.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise LeasesUnwritableError(
                f"leases cannot be kept in {self._folder}: {error.strerror}",
                remedy="set XDG_CACHE_HOME to a folder that can be written",
            ) from error
        return queue

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other thread and process from looking or taking, for a moment."""
        fd = _open(self._queue.with_name("mutex"))
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def take(self, unit: Unit) -> Held | None:
        """Lock something, if it is free."""
        fd = _open(self._file(unit))
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if unit.is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return None
        return Held(fd)

    def holder(self, unit: Unit) -> str:
        """Return what whoever holds something says of themselves."""
        try:
            return self._file(unit).read_text("utf-8", "replace")
        except OSError:
            return ""

    def line_up(self, wanted: Iterable[Unit]) -> Ticket:
        """Join the queue; to be called `alone`.

        Args:
            wanted: What one waits for, all or some of it.
        """
        number = max((number for number, _ in self._tickets()), default=0) + 1
        file = self._queue / f"{number:0{_NUMBER}}"
        fd = _open(file)
        fcntl.flock(fd, fcntl.LOCK_EX)
        held = Held(fd)
        held.write(json.dumps([[unit.identity, unit.is_shared] for unit in wanted]))
        return Ticket(number, file, held)

    def wanted_before(self, ticket: Ticket | None) -> list[Unit]:
        """Return what those who came earlier wait for, the dead left out; to be called `alone`."""
        wanted: list[Unit] = []
        for number, file in self._tickets():
            if ticket is not None and number >= ticket.number:
                break
            wanted += self._wants(file)
        return wanted

    def _tickets(self) -> list[tuple[int, Path]]:
        files = sorted(file for file in self._queue.iterdir() if file.name.isdecimal())
        return [(int(file.name), file) for file in files]

    def _wants(self, file: Path) -> tuple[Unit, ...]:
        fd = _open(file)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _read_wants(fd)
        else:
            file.unlink()  # whoever held it is gone
            return ()
        finally:
            os.close(fd)

    def _file(self, unit: Unit) -> Path:
        return self._queue.with_name(hashlib.sha256(unit.identity.encode()).hexdigest()[:24])


def _read_wants(fd: int) -> tuple[Unit, ...]:
    data = b""
    while part := os.pread(fd, 1 << 16, len(data)):
        data += part
    try:
        return tuple(Unit(identity=name, name="", is_shared=shared) for name, shared in json.loads(data))
    except (ValueError, TypeError):
        return ()  # not ours


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
