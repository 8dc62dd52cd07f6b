"""Sends and takes folders between two machines; runs on both, there alone, under any Python from 3.8.

    python -I -S tree_program.py give ROOT BELOW     say what is there, then send what is asked for
    python -I -S tree_program.py take ROOT QUOTA     say what is there, then take what comes

What travels are JSON lines, ended by an empty line, each file's followed by its bytes. An entry has a
``path`` below the root, a ``kind`` (``file``, ``folder`` or ``link``), a ``mode`` and, by kind, ``size``,
``time`` (of its last change, in nanoseconds) and ``target``; what is listed also ``version``, which
differs whenever the file may. ``gone`` entries are removed. Other kinds are listed and never sent.

Whoever takes trusts nothing: a path is walked from the root step by step, never over a link, and what
leads out of it, is no such entry or exceeds the quota is refused.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Dict

    Entry = Dict[str, Any]
    Read = Callable[[int], bytes]  # that many bytes at most, none at the end
    Write = Callable[[bytes], Any]

PART = 1 << 18
LONGEST_LINE = 1 << 16
MOST_ENTRIES = 1_000_000
MODES = 0o777  # what runs as its owner, or as its group, stays where it is
OWN = 0o700
TICK = 50_000_000
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
)


class TreeError(Exception):
    """What came is refused, or came to an early end."""


def walk(root: str, below: str = "") -> Iterator[Entry]:
    """Describe a folder's content, folders before what is in them; no link is followed."""
    pending = [below]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue  # gone meanwhile, or not for us to see
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                described = describe(path, entry.path, entry.stat(follow_symlinks=False))
            except OSError:
                continue
            yield described
            if described["kind"] == "folder":
                pending.append(path)


def describe(path: str, where: str, status: os.stat_result) -> Entry:
    """Describe one entry."""
    kind = next((kind for test, kind in KINDS if test(status.st_mode)), "device")
    entry: Entry = {"path": path, "kind": kind, "mode": status.st_mode & MODES}
    if kind == "link":
        entry["target"] = os.readlink(where)
    elif kind == "file":
        entry.update(size=status.st_size, time=status.st_mtime_ns)
        # One that changed just now may change again within the same tick: no later version is like this.
        now = time.time_ns()
        tick = [now] if now - status.st_ctime_ns < TICK else []
        entry["version"] = [status.st_ctime_ns, status.st_ino, *tick]
    return entry


def pack(found: Iterable[tuple[str, Entry]], write: Write) -> None:
    """Send entries, each with its root. A file that changes meanwhile has the size it began with."""
    unsent: list[bytes] = []
    held = 0
    for root, entry in found:
        for part in parts(root, entry):
            unsent.append(part)
            held += len(part)
            if held >= PART:
                write(b"".join(unsent))
                unsent, held = [], 0
    unsent.append(b"\n")
    write(b"".join(unsent))


def parts(root: str, entry: Entry) -> Iterator[bytes]:
    """Yield what has to be sent for one entry; nothing for a file that is gone."""
    if entry["kind"] != "file":
        yield as_line(entry)
        return
    try:
        fd = os.open(os.path.join(root, entry["path"]), FILE)
    except OSError:
        return
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return
        left = status.st_size
        yield as_line(dict(entry, size=left, time=status.st_mtime_ns, mode=status.st_mode & MODES))
        while left:
            part = os.read(fd, min(left, PART)) or bytes(min(left, PART))
            left -= len(part)
            yield part
    finally:
        os.close(fd)


def as_line(entry: Entry) -> bytes:
    """Spell an entry."""
    return json.dumps(entry).encode() + b"\n"


class Source:
    """What comes in.

    Args:
        read: Returns the next bytes.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._held = b""
        self._at = 0

    def lines(self) -> Iterator[Entry]:
        """Yield entries up to the empty line.

        Raises:
            TreeError: What comes are no entries, or it ends early.
        """
        for _ in range(MOST_ENTRIES):
            line = self._line()
            if not line:
                return
            try:
                entry = json.loads(line)
                checked(entry)
            except (KeyError, TypeError, ValueError, RecursionError):
                raise TreeError(f"this is no entry: {line[:80]!r}") from None
            yield entry
        raise TreeError(f"there are more than {MOST_ENTRIES} entries")

    def message(self) -> Entry:
        """Return a line that is no entry.

        Raises:
            TreeError: It is none, or it ends early.
        """
        line = self._line()
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise TreeError(f"this is no answer: {line[:80]!r}")
        return message

    def content(self, size: int) -> Iterator[bytes]:
        """Yield the bytes that follow an entry."""
        while size:
            if self._at >= len(self._held):
                self._fill()
            part = self._held[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            yield part

    def _line(self) -> bytes:
        while True:
            end = self._held.find(b"\n", self._at)
            if end >= 0:
                line, self._at = self._held[self._at : end], end + 1
                return line
            if len(self._held) - self._at > LONGEST_LINE:
                raise TreeError("an entry is too long")
            self._fill()

    def _fill(self) -> None:
        part = self._read(PART)
        if not part:
            raise TreeError("it ended early")
        self._held = self._held[self._at :] + part
        self._at = 0


def checked(entry: Entry) -> None:
    """Refuse what is no proper entry.

    Raises:
        TreeError: Its path leads out of the folder.
        ValueError: It is no entry at all. ``KeyError`` and ``TypeError`` say the same.
    """
    path, kind = entry["path"], entry["kind"]
    if not isinstance(kind, str) or "\0" in path:
        raise ValueError(kind)
    if path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/")):
        raise TreeError(f"{shown(path)} leads out of the folder")
    if kind == "gone":
        return
    if not is_number(entry["mode"], MODES):
        raise ValueError(kind)
    if kind == "link" and (not entry["target"] or "\0" in entry["target"]):
        raise ValueError(kind)
    if kind == "file" and not (is_number(entry["size"], 1 << 62) and is_number(entry["time"], 1 << 62)):
        raise ValueError(kind)


def is_number(value: object, most: int) -> bool:
    """Tell whether something is a whole number in a range from 0."""
    return type(value) is int and 0 <= value <= most


class Taker:
    """Writes what comes below a folder, which nobody else changes meanwhile in a way that counts.

    Args:
        root: The folder.
        quota: Bytes that may come.
        is_mirror: Whether it keeps what somebody else has: its owner can always read and change all of it.
        allowed: Tells whether an entry was asked for.
    """

    def __init__(
        self,
        root: str,
        quota: int,
        *,
        is_mirror: bool = False,
        allowed: Callable[[Entry], bool] = lambda _: True,
    ) -> None:
        self._root = root
        self._quota = quota
        self._allowed = allowed
        self._least = (OWN, 0o600) if is_mirror else (0, 0)
        self._parent: str | None = None
        self._fd = -1
        self._modes: list[tuple[str, int]] = []

    def take(self, source: Source) -> int:
        """Take entries up to the empty line; return how many there were.

        Raises:
            TreeError: Something is refused. What came before is there.
        """
        count = 0
        try:
            for entry in source.lines():
                self._take(entry, source)
                count += 1
            for path, mode in reversed(self._modes):  # one that may not be written to is filled first
                self._set_mode(path, mode)
        except OSError as problem:
            raise TreeError(f"{shown(str(problem.filename or self._root))}: {problem.strerror}") from problem
        finally:
            self._leave()
        return count

    def _take(self, entry: Entry, source: Source) -> None:
        path, kind = entry["path"], entry["kind"]
        if kind not in {"file", "folder", "link", "gone"}:
            raise TreeError(f"{shown(path)} is a {shown(kind)[:20]}, which is not taken")
        if not self._allowed(entry):
            raise TreeError(f"{shown(path)} was not asked for")
        with self._in_place(path) as (parent, name):
            if kind == "file":
                self._take_file(entry, source, parent, name)
            elif kind == "folder":
                self._take_folder(entry, parent, name)
            else:
                remove(parent, name)
                if kind == "link":
                    os.symlink(entry["target"], name, dir_fd=parent)

    def _take_file(self, entry: Entry, source: Source, parent: int, name: str) -> None:
        """Write a file beside the one there is, and put it in its place when it is whole."""
        self._quota -= entry["size"]
        if self._quota < 0:
            raise TreeError(f"{shown(entry['path'])} exceeds the quota")
        new = f".{os.getpid()}.ibench-unfinished"
        fd = os.open(new, NEW, 0o600, dir_fd=parent)
        try:
            for part in source.content(entry["size"]):
                view = memoryview(part)
                while view:
                    view = view[os.write(fd, view) :]
            os.fchmod(fd, entry["mode"] | self._least[1])
            os.utime(fd, ns=(entry["time"], entry["time"]))
            try:
                os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)
            except IsADirectoryError:
                remove(parent, name)
                os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            remove(parent, new)
            raise
        finally:
            os.close(fd)

    def _take_folder(self, entry: Entry, parent: int, name: str) -> None:
        try:
            os.mkdir(name, OWN, dir_fd=parent)
        except FileExistsError:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                remove(parent, name)
                os.mkdir(name, OWN, dir_fd=parent)
            elif status.st_mode & OWN != OWN:
                os.chmod(name, OWN, dir_fd=parent)
        mode = entry["mode"] | self._least[0]
        if mode != OWN:
            self._modes.append((entry["path"], mode))

    def _set_mode(self, path: str, mode: int) -> None:
        """Set the mode of a folder, unless it is something else by now: what came may hold it twice."""
        try:
            fd = enter(self._root, path)
        except OSError:
            return
        os.fchmod(fd, mode)
        os.close(fd)

    def _in_place(self, path: str) -> Place:
        """Enter the folder of a path, which stays open for the next path."""
        parent, _, name = path.rpartition("/")
        if self._fd < 0 or parent != self._parent:
            self._leave()
            self._fd = enter(self._root, parent)
            self._parent = parent
        return Place(self._fd, name)

    def _leave(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Place:
    """A name in an open folder, for a ``with`` statement."""

    def __init__(self, parent: int, name: str) -> None:
        self._place = (parent, name)

    def __enter__(self) -> tuple[int, str]:
        return self._place

    def __exit__(self, *_: object) -> None:
        pass


def enter(root: str, path: str) -> int:
    """Open a folder below a root, never over a link; what is missing is made."""
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.split("/") if path else ():
            try:
                deeper = os.open(part, FOLDER, dir_fd=fd)
            except FileNotFoundError:
                os.mkdir(part, OWN, dir_fd=fd)
                deeper = os.open(part, FOLDER, dir_fd=fd)
            os.close(fd)
            fd = deeper
    except BaseException:
        os.close(fd)
        raise
    return fd


def remove(parent: int, name: str) -> None:
    """Remove what has a name, with what is in it."""
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        with_content = os.open(name, FOLDER, dir_fd=parent)
        try:
            os.fchmod(with_content, 0o700)
            for inner in os.listdir(with_content):
                remove(with_content, inner)
        finally:
            os.close(with_content)
        os.rmdir(name, dir_fd=parent)


def shown(text: str) -> str:
    """Return a text that can be shown."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def serve_giving(root: str, below: str, read: Read, write: Write) -> None:
    """Say what is below a part of a folder, then send what is asked for of it."""
    known = list(walk(root, below))
    write(b"".join(map(as_line, known)) + b"\n")
    wanted = [entry for entry in Source(read).lines() if entry["kind"] in {"file", "folder", "link"}]
    pack(((root, entry) for entry in wanted), write)


def serve_taking(root: str, quota: str, read: Read, write: Write) -> None:
    """Say what is in a folder, made where it is missing, then take what comes."""
    os.makedirs(root, 0o700, exist_ok=True)
    write(b"".join(map(as_line, walk(root))) + b"\n")
    try:
        answer: Entry = {"count": Taker(root, int(quota)).take(Source(read))}
    except TreeError as problem:
        answer = {"error": str(problem)}
    write(as_line(answer))


def main(what: str, root: str, argument: str) -> None:
    """Serve one exchange on standard input and output."""
    serve = {"give": serve_giving, "take": serve_taking}[what]
    with open(1, "wb", closefd=False) as output:

        def write(data: bytes) -> None:
            output.write(data)
            output.flush()

        serve(root, argument, lambda size: os.read(0, size), write)


if __name__ == "__main__":
    main(*sys.argv[1:])
