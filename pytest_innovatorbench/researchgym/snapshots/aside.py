"""The folder beside a workspace in which new things are made and old ones are put while it is restored."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

NEW = "new"
_LARGE = 1 << 20  # bytes from which a file that is replaced is deleted at once: space may be short


def discard_aside(dest: Path) -> None:
    """Delete what restoring into ``dest`` removed; a hostile tree, of which no link is followed.

    Best when nothing will be made soon on that file system: on ext4 making files is several times slower
    for minutes after many were deleted.
    """
    aside = _beside(dest)
    if not aside.is_symlink() and aside.is_dir():
        # These two bear any depth, which Python's own does not.
        subprocess.run(["chmod", "-R", "u+rwX", "--", str(aside)], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", "--", str(aside)], check=False, capture_output=True)


class Aside:
    """Where one restoration makes and puts things.

    Args:
        dest: The folder that is restored.

    Attributes:
        fd: Descriptor of it.
    """

    def __init__(self, dest: Path) -> None:
        self._top = _beside(dest)
        self._top.mkdir(mode=0o700, exist_ok=True)
        self._folder = tempfile.mkdtemp(dir=self._top, prefix="")
        self._count = 0
        self.fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.unlink(NEW, dir_fd=self.fd)
        os.close(self.fd)
        for folder in (self._folder, self._top):
            with suppress(OSError):  # not empty
                os.rmdir(folder)  # noqa: PTH106 - a string

    @property
    def used(self) -> Path | None:
        """The folder, if anything was put there."""
        return self._top if self._count else None

    @property
    def count(self) -> int:
        """How many things were put there because they were in the way or too many."""
        return self._count

    def put(self, name: str, parent: int) -> None:
        """Move something out of an open folder."""
        os.rename(name, str(self._count), src_dir_fd=parent, dst_dir_fd=self.fd)
        self._count += 1

    def move_in(self, name: str, parent: int, present: os.stat_result | None) -> None:
        """Move what was made as `NEW` to its place, in which there may be something."""
        if present is not None and (not stat.S_ISREG(present.st_mode) or present.st_size < _LARGE):
            self.put(name, parent)
        os.rename(NEW, name, src_dir_fd=self.fd, dst_dir_fd=parent)


def _beside(dest: Path) -> Path:
    return dest.with_name(f".{dest.name}.aside")
