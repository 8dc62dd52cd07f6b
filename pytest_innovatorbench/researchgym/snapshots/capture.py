"""Reading a tree into a store, while its tenant may be at work in it."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.snapshots.content import read_window, windows
from pytest_innovatorbench.researchgym.snapshots.index import Index, line_of, look_of
from pytest_innovatorbench.researchgym.snapshots.model import CHUNK, Entry, Kind, Mark
from pytest_innovatorbench.researchgym.snapshots.places import (
    DEEPEST,
    MODE,
    attributes,
    open_file,
    open_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_innovatorbench.researchgym.snapshots.index import Known
    from pytest_innovatorbench.researchgym.snapshots.model import Content
    from pytest_innovatorbench.researchgym.snapshots.objects import Objects

_PAGE = 4096
_BLOCK = 512
_MOST_MARKS = 1000
_KINDS: dict[int, Kind] = {stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


class Capture:
    """Reads one tree.

    Args:
        objects: Take the content.
        before: What is known from an earlier time.

    Attributes:
        index: What is known afterwards.
        files: How many there were.
        size: Their bytes.
        marks: What could not be saved as it was.
        unmarked: How many more there were.
    """

    def __init__(self, objects: Objects, before: Index) -> None:
        self.index = Index()
        self.files = 0
        self.size = 0
        self.marks: list[Mark] = []
        self.unmarked = 0
        self._objects = objects
        self._before = before
        self._links: dict[tuple[int, int], str] = {}

    def read(self, tree: Path) -> Entry:
        """Read the tree and return its root.

        Raises:
            OSError: It is no folder that can be read, or the store cannot be written to.
        """
        status = tree.stat()
        with open_folder(tree.resolve()) as fd:
            return self._folder(fd, "", "", status, 0)

    def _folder(self, fd: int, name: str, path: str, status: os.stat_result, depth: int) -> Entry:
        before = self._before.folder(path)
        known: dict[str, Known] = {}
        lines: list[str] = []
        prefix = f"{path}/" if path else ""
        for child in sorted(os.listdir(fd)):
            try:
                now = os.stat(child, dir_fd=fd, follow_symlinks=False)
            except OSError:  # gone, or in a folder that is shut
                continue
            old = before.get(child)
            if old is not None and now.st_nlink == 1 and old.startswith(look := look_of(now)):
                known[child] = old
                lines.append(old[len(look) :])
                self.files += 1
                self.size += now.st_size
            elif stat.S_ISREG(now.st_mode):
                lines.append(self._file(fd, child, prefix, now, old, known))
            elif (entry := self._other(fd, child, prefix, now, depth)) is not None:
                lines.append(entry.line())
        self.index.enter(path, known)
        return Entry(
            name,
            "folder",
            status.st_mode & MODE,
            status.st_mtime_ns,
            0,
            self._objects.put_folder(lines),
            attributes(fd),
        )

    def _file(
        self,
        parent: int,
        name: str,
        prefix: str,
        status: os.stat_result,
        old: Known | None,
        known: dict[str, Known],
    ) -> str:
        """Read a file, or find out that it is another name of one that was read."""
        self.files += 1
        identity = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and identity in self._links:
            return Entry(name, "hard", 0, 0, 0, self._links[identity]).line()
        if old is not None and old.startswith(look_of(status)):
            known[name] = old
            line, size = line_of(old), status.st_size
        else:
            entry, status = self._read_file(parent, name, prefix, status)
            line, size = entry.line(), entry.size
            if entry.kind == "unreadable":
                return line
            if (new := self.index.known(status, line)) is not None:
                known[name] = new
        self.size += size
        if status.st_nlink > 1:
            self._links[identity] = f"{prefix}{name}"
        return line

    def _read_file(
        self, parent: int, name: str, prefix: str, status: os.stat_result
    ) -> tuple[Entry, os.stat_result]:
        """Read a file, a small one again if it was changed meanwhile."""
        try:
            with open_file(name, parent) as fd:
                entry, after, is_settled = self._read_once(fd, name)
                if not is_settled and entry.size <= CHUNK:
                    entry, after, is_settled = self._read_once(fd, name)
        except OSError:
            self._mark(f"{prefix}{name}", "could not be read")
            return Entry(name, "unreadable", status.st_mode & MODE, status.st_mtime_ns), status
        if not is_settled:
            self._mark(f"{prefix}{name}", "was changed while it was read")
        return entry, after

    def _read_once(self, fd: int, name: str) -> tuple[Entry, os.stat_result, bool]:
        before = os.fstat(fd)
        is_sparse = before.st_size > _PAGE and before.st_blocks * _BLOCK < before.st_size
        size, content = self._holed(fd, before.st_size) if is_sparse else self._dense(fd, before.st_size)
        kept = attributes(fd)
        after = os.fstat(fd)
        entry = Entry(
            name,
            "sparse" if is_sparse else "file",
            before.st_mode & MODE,
            before.st_mtime_ns,
            size,
            content,
            kept,
        )
        return entry, after, size == before.st_size and _stamp(before) == _stamp(after)

    def _dense(self, fd: int, size: int) -> tuple[int, Content]:
        """Read as many bytes as there were at first: a file may grow faster than it is read."""
        content = []
        done = 0
        while done < size and (data := os.pread(fd, min(CHUNK, size - done), done)):
            content.append(self._objects.put(data))
            done += len(data)
        return done, content

    def _holed(self, fd: int, size: int) -> tuple[int, Content]:
        put = self._objects.put
        return size, [
            f"{number}:{put(read_window(fd, number * CHUNK, size))}" for number in windows(fd, size)
        ]

    def _other(self, parent: int, name: str, prefix: str, status: os.stat_result, depth: int) -> Entry | None:
        """Read what is not a file; nothing of what has gone."""
        mode, path = status.st_mode, f"{prefix}{name}"
        if stat.S_ISDIR(mode):
            return self._subfolder(parent, name, path, status, depth)
        self.files += 1
        if stat.S_ISLNK(mode):
            try:
                return Entry(name, "link", 0, status.st_mtime_ns, 0, os.readlink(name, dir_fd=parent))
            except OSError:
                return None
        if stat.S_ISCHR(mode) and status.st_rdev == 0:
            return Entry(name, "whiteout", 0, 0)
        kind = _KINDS.get(stat.S_IFMT(mode), "device")
        if kind == "device":
            self._mark(path, "is a device")
        return Entry(name, kind, mode & MODE, status.st_mtime_ns)

    def _subfolder(
        self, parent: int, name: str, path: str, status: os.stat_result, depth: int
    ) -> Entry | None:
        unread = Entry(name, "unreadable", status.st_mode & MODE, status.st_mtime_ns)
        if depth >= DEEPEST:
            self._mark(path, "lies too deep")
            return unread
        with ExitStack() as opened:
            try:
                fd = opened.enter_context(open_folder(name, parent))
            except FileNotFoundError:
                return None
            except OSError:
                self._mark(path, "could not be read")
                return unread
            return self._folder(fd, name, path, status, depth + 1)

    def _mark(self, path: str, reason: str) -> None:
        if len(self.marks) < _MOST_MARKS:
            self.marks.append(Mark(path=path, reason=reason))
        else:
            self.unmarked += 1


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size
