"""Making a folder what it was: only what differs is touched."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError, SnapshotError
from pytest_innovatorbench.researchgym.snapshots.aside import NEW, Aside
from pytest_innovatorbench.researchgym.snapshots.content import holds, write
from pytest_innovatorbench.researchgym.snapshots.index import RACY, Index, line_of, look_of
from pytest_innovatorbench.researchgym.snapshots.model import Entry, Restored, name_in
from pytest_innovatorbench.researchgym.snapshots.places import (
    MODE,
    attributes,
    open_file,
    open_folder,
    open_parent,
    set_attributes,
    set_mode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_innovatorbench.researchgym.snapshots.index import Known
    from pytest_innovatorbench.researchgym.snapshots.objects import Objects

_TYPES = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "whiteout": stat.S_IFCHR}
_NO_NAMES = {"", ".", ".."}
_FAR_AHEAD = 10**18  # nanoseconds; what is written here counts as settled, for the pause at the end


class Restoration:
    """Restores one tree.

    Args:
        objects: Have the content.
        dest: Existing folder. It is trusted, what is in it is not; nothing may be at work in it.
        before: What is known of it.

    Attributes:
        index: What is known of it afterwards.
    """

    def __init__(self, objects: Objects, dest: Path, before: Index) -> None:
        self.index = Index(began=time.time_ns() + _FAR_AHEAD)
        self._objects = objects
        self._dest = dest
        self._before = before
        self._aside = Aside(dest)
        self._root = -1
        self._firsts: dict[tuple[int, int], str] = {}
        self._written = self._size = self._kept = 0
        self._skipped: list[str] = []

    def run(self, root: Entry) -> Restored:
        """Restore the tree.

        Args:
            root: The folder as it was.

        Raises:
            DamagedSnapshotError: Something of the snapshot is lost or altered.
            OSError: The folder cannot be written to.
        """
        with self._aside, open_folder(self._dest) as self._root:
            self._folder(self._root, "", root)
        self._dest.chmod(root.mode)
        time.sleep(RACY / 1e9)
        return Restored(
            written=self._written,
            size=self._size,
            removed=self._aside.count,
            kept=self._kept,
            skipped=tuple(self._skipped),
            aside=self._aside.used,
        )

    def _folder(self, fd: int, path: str, folder: Entry) -> None:
        wanted = {name_in(line): line for line in self._objects.get_lines(str(folder.content), path)}
        if any("/" in name or name in _NO_NAMES for name in wanted):
            raise SnapshotError(
                f"the snapshot has an impossible name in {path!r}", remedy="use another snapshot"
            )
        present = _look(fd)
        for name in present.keys() - wanted.keys():
            self._aside.put(name, fd)
        before = self._before.folder(path)
        known: dict[str, Known] = {}
        prefix = f"{path}/" if path else ""
        for name, line in wanted.items():
            status, old = present.get(name), before.get(name)
            if old is not None and status is not None and _is_untouched(status, old, line):
                self._kept += 1
                known[name] = old
                continue
            entry = Entry.read(line)
            if entry.kind not in {"file", "sparse"}:
                self._other(fd, prefix, entry, status)
            elif (new := self.index.known(self._file(fd, prefix, entry, status, old), line)) is not None:
                known[name] = new
        self.index.enter(path, known)
        set_attributes(fd, folder.attributes)
        os.utime(fd, ns=(folder.mtime, folder.mtime))

    def _file(
        self, parent: int, prefix: str, entry: Entry, status: os.stat_result | None, old: Known | None
    ) -> os.stat_result:
        """Restore a file and return what it is now."""
        after = None
        if status is not None and stat.S_ISREG(status.st_mode):
            after = self._adjust(parent, entry, status, old)
        if after is not None:
            self._kept += 1
        else:
            write(self._objects, self._aside.fd, entry, f"{prefix}{entry.name}")
            self._move_in(parent, entry, status)
            after = os.stat(entry.name, dir_fd=parent, follow_symlinks=False)
        self._firsts[after.st_dev, after.st_ino] = f"{prefix}{entry.name}"
        return after

    def _adjust(
        self, parent: int, entry: Entry, status: os.stat_result, old: Known | None
    ) -> os.stat_result | None:
        """Give a file its times and mode if it holds what it should; else return nothing."""
        if status.st_size != entry.size or (status.st_dev, status.st_ino) in self._firsts:
            return None
        is_known = old is not None and old.startswith(look_of(status))
        if is_known and old is not None and Entry.read(line_of(old)).content != entry.content:
            return None
        with suppress(OSError), open_file(entry.name, parent) as fd:
            if not is_known and not holds(self._objects, fd, entry):
                return None
            has_all = _has_times_and_mode(status, entry) and attributes(fd) == entry.attributes
            if has_all:
                return status
            if status.st_nlink > 1:  # its other names may lie anywhere
                return None
            set_attributes(fd, entry.attributes)
            os.fchmod(fd, entry.mode)
            os.utime(fd, ns=(entry.mtime, entry.mtime))
            return os.fstat(fd)
        return None

    def _other(self, parent: int, prefix: str, entry: Entry, status: os.stat_result | None) -> None:
        """Restore what is not a file."""
        path = f"{prefix}{entry.name}"
        if entry.kind == "folder":
            self._subfolder(parent, path, entry, status)
        elif entry.kind in {"device", "unreadable"}:
            self._skipped.append(path)
        elif status is not None and self._is_there(parent, entry, status):
            self._kept += 1
        elif not self._make(entry):
            self._skipped.append(path)
        else:
            self._move_in(parent, entry, status)

    def _subfolder(self, parent: int, path: str, entry: Entry, status: os.stat_result | None) -> None:
        if status is None or not stat.S_ISDIR(status.st_mode):
            if status is not None:
                self._aside.put(entry.name, parent)
            os.mkdir(entry.name, 0o700, dir_fd=parent)
            status = None
        with open_folder(entry.name, parent) as fd:
            self._folder(fd, path, entry)
        if status is None or status.st_mode & MODE != entry.mode:
            set_mode(entry.name, parent, entry.mode)

    def _is_there(self, parent: int, entry: Entry, status: os.stat_result) -> bool:
        """Tell whether there is what should be, after setting its mode and times."""
        if entry.kind == "hard":
            return self._firsts.get((status.st_dev, status.st_ino)) == entry.content
        if entry.kind == "link":
            if not stat.S_ISLNK(status.st_mode) or os.readlink(entry.name, dir_fd=parent) != entry.content:
                return False
        elif stat.S_IFMT(status.st_mode) != _TYPES[entry.kind]:
            return False
        elif entry.kind == "whiteout":
            return status.st_rdev == 0
        elif status.st_mode & MODE != entry.mode:
            set_mode(entry.name, parent, entry.mode)
        _set_time(entry.name, parent, entry)
        return True

    def _make(self, entry: Entry) -> bool:
        """Make a new one, if that is possible."""
        aside = self._aside.fd
        if entry.kind == "hard":
            try:
                with open_parent(self._root, str(entry.content)) as (folder, first):
                    os.link(first, NEW, src_dir_fd=folder, dst_dir_fd=aside, follow_symlinks=False)
            except FileNotFoundError:  # its first name could not be read
                return False
            return True
        if entry.kind == "link":
            os.symlink(str(entry.content), NEW, dir_fd=aside)
        else:
            _make_node(entry, aside)
        if entry.kind != "whiteout":
            _set_time(NEW, aside, entry)
        return True

    def _move_in(self, parent: int, entry: Entry, status: os.stat_result | None) -> None:
        self._aside.move_in(entry.name, parent, status)
        self._written += 1
        self._size += entry.size


def _look(fd: int) -> Mapping[str, os.stat_result]:
    with os.scandir(fd) as listing:
        return {item.name: item.stat(follow_symlinks=False) for item in listing}


def _is_untouched(status: os.stat_result, old: Known, line: str) -> bool:
    return status.st_nlink == 1 and old == f"{look_of(status)}{line}"


def _has_times_and_mode(status: os.stat_result, entry: Entry) -> bool:
    return status.st_mtime_ns == entry.mtime and status.st_mode & MODE == entry.mode


def _set_time(name: str, parent: int, entry: Entry) -> None:
    os.utime(name, ns=(entry.mtime, entry.mtime), dir_fd=parent, follow_symlinks=False)


def _make_node(entry: Entry, parent: int) -> None:
    try:
        os.mknod(NEW, _TYPES[entry.kind] | entry.mode, 0, dir_fd=parent)
    except PermissionError:
        raise MachineFaultError(
            "the mark of a deleted file cannot be made here",
            detail="Linux 5.8 and newer let everybody make character devices 0/0",
        ) from None
    if entry.kind != "whiteout":
        set_mode(NEW, parent, entry.mode)  # as the umask would not have it
