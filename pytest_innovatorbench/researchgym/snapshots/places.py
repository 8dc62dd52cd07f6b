"""Places in a hostile tree, reached name by name, never through a link."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEEPEST = 200  # folders within each other, each of which takes a descriptor while it is open
MODE = 0o1777  # what is kept of a mode: nobody is to run what an agent wrote as somebody else

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OVERLAY = "user.overlay."
# Set by the kernel and true of one overlay only.
_PASSING = {_OVERLAY + name for name in ("origin", "impure", "uuid", "nlink", "upper", "protattr", "fh")}


@contextmanager
def open_folder(name: str | Path, parent: int | None = None) -> Iterator[int]:
    """Open a folder to read and write in, also one that its owner has shut for the time being.

    Args:
        name: In ``parent``.
        parent: Descriptor of an open folder.

    Raises:
        OSError: It cannot be opened, or is no folder (any more).
    """
    with _unlocked(name, parent, stat.S_IRWXU):
        fd = os.open(name, _FOLDER, dir_fd=parent)
        try:
            yield fd
        finally:
            os.close(fd)


@contextmanager
def open_file(name: str, parent: int) -> Iterator[int]:
    """Open a regular file for reading, also one that its owner has shut.

    Raises:
        OSError: It cannot be opened, or is no regular file (any more).
    """
    try:
        fd = os.open(name, _FILE, dir_fd=parent)
    except PermissionError:
        with _unlocked(name, parent, stat.S_IRUSR):
            fd = os.open(name, _FILE, dir_fd=parent)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(f"{name!r} is not a regular file")
        yield fd
    finally:
        os.close(fd)


@contextmanager
def open_parent(root: int, path: str) -> Iterator[tuple[int, str]]:
    """Open the folder of a path below an open one; yield it and the last name.

    Raises:
        OSError: Some part of the way is no folder (any more).
    """
    *folders, name = path.split("/")
    with ExitStack() as opened:
        for folder in folders:
            root = opened.enter_context(open_folder(folder, root))
        yield root, name


def attributes(fd: int) -> dict[str, str] | None:
    """Return the extended attributes of an open file or folder that have to be kept, if any."""
    try:
        names = os.listxattr(fd)
    except OSError:  # a file system without
        return None
    return {
        name: os.getxattr(fd, name).decode("latin-1")
        for name in sorted(names)
        if name.startswith("user.") and name not in _PASSING
    } or None


def set_attributes(fd: int, wanted: dict[str, str] | None) -> None:
    """Give an open file or folder the extended attributes that were kept, and no others."""
    present, wanted = attributes(fd) or {}, wanted or {}
    for name in present.keys() - wanted.keys():
        os.removexattr(fd, name)
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(fd, name, value.encode("latin-1"))


def set_mode(name: str, parent: int, mode: int) -> None:
    """Change the mode of something that need not be opened; a link is not followed."""
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{fd}", mode)  # noqa: PTH101 - a descriptor
    finally:
        os.close(fd)


@contextmanager
def _unlocked(name: str | Path, parent: int | None, need: int) -> Iterator[None]:
    """Let the owner do what is needed; root may anyway."""
    if os.geteuid() == 0:
        yield
        return
    mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode) or mode & need == need:
        yield
        return
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        with suppress(PermissionError):
            os.chmod(f"/proc/self/fd/{fd}", stat.S_IMODE(mode) | need)  # noqa: PTH101 - a descriptor
        yield
    finally:
        with suppress(OSError):
            os.chmod(f"/proc/self/fd/{fd}", stat.S_IMODE(mode))  # noqa: PTH101 - a descriptor
        os.close(fd)
