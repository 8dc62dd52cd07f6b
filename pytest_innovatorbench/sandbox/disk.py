"""What a tenant takes of the disk, counted from outside while it is at work."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    Identity: TypeAlias = tuple[int, int]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 512
_LARGE = 1 << 20  # bytes from which a file is not counted again where it has been moved to
_READABLE = stat.S_IRUSR | stat.S_IXUSR


def usage(folder: Path, stop_at: int) -> int:
    """Return the bytes on disk that a folder's content uses, hard links counted once.

    Args:
        folder: The folder. It is trusted, what is in it is not.
        stop_at: Count no further once there are more than these.
    """
    total = 0
    for size in sizes(folder):
        total += size
        if total > stop_at:
            break
    return total


def sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes on disk of one thing after the other, so that a count can rest in between.

    No link is followed, depth costs nothing, and folders that the tenant shut are opened if this
    process owns them.

    Args:
        folder: The folder. It is trusted, what is in it is not.
    """
    counted: set[int] = set()
    with suppress(OSError), _Walk(folder) as walk:
        for status in walk:
            size = status.st_blocks * _BLOCK
            if not stat.S_ISDIR(status.st_mode) and (status.st_nlink > 1 or size > _LARGE):
                size = 0 if status.st_ino in counted else size
                counted.add(status.st_ino)
            yield size


def held_sizes(init: int, folders: Sequence[Path]) -> Iterator[int]:
    """Yield the bytes on disk of files without a name that a sandbox's processes hold open.

    Files that are only mapped are found by root alone. What is on its way through a socket is not
    found, nor, unless this is root, what a process holds that forbids its being dumped.

    Args:
        init: The init process of the sandbox. Nothing is found if it has no processes of its own.
        folders: Folders on the disk that counts. Files in memory do not.
    """
    with suppress(OSError):  # the sandbox may end at any moment
        if Path(f"/proc/{init}/ns/pid").samefile("/proc/self/ns/pid"):
            return
        in_memory = _memory_devices(init) - {folder.stat().st_dev for folder in folders}
        counted: set[Identity] = set()
        for status in _held(f"/proc/{init}/root/proc"):
            identity = _identity(status)
            is_lost = stat.S_ISREG(status.st_mode) and status.st_nlink == 0
            if not is_lost or status.st_dev in in_memory or identity in counted:
                yield 0
                continue
            counted.add(identity)
            yield status.st_blocks * _BLOCK


class _Walk:
    """A way through all folders below one, of which a single one is open at a time.

    Args:
        root: Where it begins.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._trail: list[tuple[str, Identity]] = []  # names that led here, and where each began
        self._ahead: list[list[str]] = [[]]  # folders still to visit: in the root, in its child, ...
        if _is_shut(root.lstat()):
            _unlock(str(root), None)
        self._here = os.open(root, _FOLDER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._here)

    def __iter__(self) -> Iterator[os.stat_result]:
        yield from self._look_around()
        while self._go_on():
            yield from self._look_around()

    def _go_on(self) -> bool:
        """Go to the next folder; return whether there was one."""
        while self._ahead[-1] or self._trail:
            if not self._ahead[-1]:
                self._go_up()
            elif self._go_down(self._ahead[-1].pop()):
                return True
        return False

    def _look_around(self) -> Iterator[os.stat_result]:
        """Yield what is in the current folder, and remember the folders."""
        with suppress(OSError), os.scandir(self._here) as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        self._ahead[-1].append(entry.name)
                        if _is_shut(status):
                            _unlock(entry.name, self._here)
                    yield status

    def _go_down(self, name: str) -> bool:
        try:
            fd = os.open(name, _FOLDER, dir_fd=self._here)
        except OSError:
            return False  # gone, or something else by now
        self._trail.append((name, _identity(os.fstat(self._here))))
        self._ahead.append([])
        self._move(fd)
        return True

    def _go_up(self) -> None:
        """Go back where the way down began, even if the tenant moved the folder meanwhile."""
        self._ahead.pop()
        _, origin = self._trail.pop()
        with suppress(OSError):
            fd = os.open("..", _FOLDER, dir_fd=self._here)
            if _identity(os.fstat(fd)) == origin:
                self._move(fd)
                return
            os.close(fd)
        self._find_again()

    def _find_again(self) -> None:
        """Walk the trail anew, or skip what was to be visited where it has gone."""
        try:
            fd = os.open(self._root, _FOLDER)
            for name, _ in self._trail:
                fd = _step(fd, name)
        except OSError:
            self._ahead[-1].clear()
        else:
            self._move(fd)

    def _move(self, fd: int) -> None:
        os.close(self._here)
        self._here = fd


def _step(fd: int, name: str) -> int:
    """Exchange an open folder for one in it."""
    try:
        return os.open(name, _FOLDER, dir_fd=fd)
    finally:
        os.close(fd)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _is_shut(status: os.stat_result) -> bool:
    return status.st_mode & _READABLE != _READABLE and os.geteuid() != 0


def _unlock(name: str, parent: int | None) -> None:
    """Let the owner of a folder read it; what it is by now, a link perhaps, is not followed."""
    with suppress(OSError):
        fd = os.open(name, os.O_PATH | _FOLDER, dir_fd=parent)
        try:
            mode = stat.S_IMODE(os.fstat(fd).st_mode)
            Path(f"/proc/self/fd/{fd}").chmod(mode | _READABLE)
        finally:
            os.close(fd)


def _held(processes: str) -> Iterator[os.stat_result]:
    """Yield what is held open by the processes that a proc file system shows."""
    ways = ("fd", "map_files") if os.geteuid() == 0 else ("fd",)
    for process in Path(processes).iterdir():
        for way in ways if process.name.isdigit() else ():
            with suppress(OSError), os.scandir(process / way) as entries:
                for entry in entries:
                    with suppress(OSError):
                        yield entry.stat()


def _memory_devices(process: int) -> set[int]:
    """Return the devices whose files take memory instead of disk."""
    fd = os.memfd_create("device")
    devices = {os.fstat(fd).st_dev}
    os.close(fd)
    for line in Path(f"/proc/{process}/mountinfo").read_text(errors="replace").split("\n"):
        mount, _, kind = line.partition(" - ")
        if kind.startswith("tmpfs "):
            major, minor = mount.split()[2].split(":")
            devices.add(os.makedev(int(major), int(minor)))
    return devices
