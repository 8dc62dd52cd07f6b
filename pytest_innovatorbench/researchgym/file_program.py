"""File operations on one computer; runs there, in a process of its own, under any Python from 3.8.

`perform` takes a call, ``{"op": ..., ...}``, and returns what came of it as plain JSON values. What
cannot be done is ``{"error": "what was wrong and how to do it right"}``. It reads and writes with the
rights of whoever runs on that computer and no others, so nothing in here has to be trusted.

Files keep their encoding: text is UTF-8 whose bad bytes are carried along, or UTF-16 with its mark.
"""

from __future__ import annotations

import binascii
import errno
import fnmatch
import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Call = dict[str, Any]

WORKSPACE = "/workspace"
LONGEST_LINE = 2_000  # characters shown
LONGEST_MATCH = 400  # bytes shown of a line that was found
LARGEST_WINDOW = 30_000  # characters shown
LARGEST_EDIT = 64 << 20
LARGEST_PART = 4 << 20
LARGEST_SEARCHED = 32 << 20
MOST_FILES = 30
MOST_MATCHES = 100
MOST_NAMES = 500
SEARCH_SECONDS = 20.0
AROUND_EDIT = 5
CHUNK = 1 << 20
KINDS = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISREG, "file"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
)
MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))


class Refused(Exception):  # noqa: N818 - not an error of this program
    """Something that cannot be done as asked."""


def perform(call: Call) -> Call:
    """Do what a call asks for."""
    try:
        return OPERATIONS[call["op"]](call)
    except Refused as reason:
        return {"error": str(reason)}
    except OSError as problem:
        where = shown(str(problem.filename or call.get("path") or ""))
        return {"error": f"{where}: {problem.strerror or type(problem).__name__}"}
    except (LookupError, MemoryError, TypeError, ValueError) as problem:
        return {"error": f"{type(problem).__name__}: {problem}"}


def read(call: Call) -> Call:
    """Show a window of lines: ``count`` of them, around ``line``."""
    path = resolve(call)
    count, wanted = max(1, call["count"]), max(1, call["line"])
    first = wanted if call.get("exactly") or wanted <= 1 else max(1, wanted - count // 2)
    with open_regular(path) as file:
        if is_binary(file):
            size = os.fstat(file.fileno()).st_size
            raise Refused(f"{shown(path)} is binary ({size:,} bytes); look at it with run_command, as by xxd")
        lines, total = take_lines(file, first, count)
        if wanted > total:
            first = max(1, total - count + 1)
            file.seek(0)
            lines, total = take_lines(file, first, count)
    return {"path": shown(path), "first": first, "total": total, "text": numbered(lines, first)}


def edit(call: Call) -> Call:
    """Replace the lines ``start`` to ``end``, both included.

    An end before the start inserts, an end of -1 is the last line, and a start of -1 appends.
    """
    path = resolve(call)
    text = read_whole(path)
    lines, total = text.lines, len(text.lines)
    start = total + 1 if call["start"] == -1 else call["start"]
    end = total if call["end"] == -1 else call["end"]
    if not 1 <= start <= total + 1 or not start - 1 <= end <= total:
        raise Refused(
            f"{shown(path)} has {total} lines: start must be 1 to {total + 1}, or -1 to append, end from "
            f"start - 1, which inserts before start, to {total}, or -1 for the last"
        )
    new = split_lines(call["content"].replace("\r\n", "\n"))
    after = lines[: start - 1] + text.ended(new) + lines[end:]
    replace(path, text.encode(after))
    first = max(1, start - AROUND_EDIT)
    last = start + len(new) + AROUND_EDIT
    return {
        "path": shown(path),
        "first": first,
        "total": len(after),
        "text": numbered([shown(line.rstrip("\r")) for line in after[first - 1 : last]], first),
        "removed": excerpt(lines[start - 1 : end]),
        "added": excerpt(new),
    }


def create(call: Call) -> Call:
    """Write a file, with its parent folders; one that is there is replaced."""
    path = resolve(call)
    if os.path.isdir(path):
        raise Refused(f"{shown(path)} is a folder; name a file in it")
    existed = os.path.lexists(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    content = call["content"].encode("utf-8", "surrogateescape")
    replace(path, content)
    start = excerpt(call["content"].split("\n", MOST_MATCHES)[:MOST_MATCHES])
    return {"path": shown(path), "existed": existed, "size": len(content), "start": start}


def search(call: Call) -> Call:
    """Find lines that hold a text, in a file or in the files below a folder."""
    path, term = resolve(call), call["term"]
    if not term:
        raise Refused("search for a text of at least one character")
    sought = term.encode("utf-8", "surrogateescape")
    deadline = time.monotonic() + SEARCH_SECONDS
    matches: list[Call] = []
    files = skipped = 0
    for file in [path] if not os.path.isdir(path) else walk_files(path):
        if time.monotonic() > deadline:
            return found(path, matches, skipped, whole=False)
        try:
            if os.path.islink(file):
                keep_inside(call, file)
            in_file = list(matching(file, sought, MOST_MATCHES - len(matches) + 1))
        except (OSError, Refused):
            if file == path:
                raise
            skipped += 1
            continue
        files += bool(in_file)
        if files > MOST_FILES or len(matches) + len(in_file) > MOST_MATCHES:
            room = MOST_MATCHES - len(matches) if files <= MOST_FILES else 0
            return found(path, matches + in_file[:room], skipped, whole=False)
        matches += in_file
    return found(path, matches, skipped, whole=True)


def find(call: Call) -> Call:
    """Find files and folders by name: a glob, or a part of the name."""
    path, name = resolve(call), call["name"]
    if not os.path.isdir(path):
        raise Refused(f"there is no folder {shown(path)}")
    pattern = name if set("*?[") & set(name) else f"*{name}*"
    deadline = time.monotonic() + SEARCH_SECONDS
    names: list[str] = []
    for folder, folders, files in os.walk(path):
        folders.sort()
        taken = fnmatch.filter(sorted(folders + files), pattern)
        names += [shown(os.path.join(folder, entry)) for entry in taken]
        if len(names) > MOST_NAMES or time.monotonic() > deadline:
            return {"path": shown(path), "names": names[:MOST_NAMES], "whole": False}
    return {"path": shown(path), "names": names, "whole": True}


def list_folder(call: Call) -> Call:
    """List a folder, the folders in it first; what begins with a dot only with ``hidden``."""
    path = resolve(call)
    with os.scandir(path) as entries:
        rows = [
            describe(entry.name, entry.stat(follow_symlinks=False), entry.path)
            for entry in entries
            if call.get("hidden") or not entry.name.startswith(".")
        ]
    rows.sort(key=lambda row: (row["kind"] != "folder", row["name"]))
    whole = len(rows) <= MOST_NAMES
    return {"path": shown(path), "entries": rows[:MOST_NAMES], "total": len(rows), "whole": whole}


def info(call: Call) -> Call:
    """Describe a file or folder."""
    path = resolve(call, follow=False)
    status = os.lstat(path)
    row = describe(os.path.basename(path) or path, status, path)
    row.update(path=shown(path), mode=stat.filemode(status.st_mode), modified=status.st_mtime)
    return row


def fetch(call: Call) -> Call:
    """Return a part of a file's bytes."""
    with open_regular(resolve(call)) as file:
        file.seek(call["offset"])
        data = file.read(min(call["length"], LARGEST_PART))
        size = os.fstat(file.fileno()).st_size
    return {"base64": binascii.b2a_base64(data, newline=False).decode("ascii"), "size": size}


class Text:
    """A text file in memory.

    Args:
        data: Its bytes.

    Attributes:
        lines: Its lines without line feeds; a carriage return before one is kept with its line.
    """

    def __init__(self, data: bytes) -> None:
        self._mark, self._encoding = next(
            ((mark, encoding) for mark, encoding in MARKS if data.startswith(mark)), (b"", "utf-8")
        )
        self._errors = "surrogateescape" if self._encoding == "utf-8" else "strict"
        text = data[len(self._mark) :].decode(self._encoding, self._errors)
        self._is_whole = text.endswith("\n") or not text
        self._is_dos = 2 * text.count("\r\n") > text.count("\n")
        self.lines = split_lines(text)
        if self._is_dos and not self._is_whole:
            self.lines[-1] += "\r"

    def ended(self, lines: list[str]) -> list[str]:
        """Give new lines the ends that those of this file have; others stay as they are."""
        return [f"{line}\r" for line in lines] if self._is_dos else lines

    def encode(self, lines: list[str]) -> bytes:
        """Return a file of these lines, in the encoding of this one."""
        text = "\n".join(lines)
        if self._is_whole:
            text += "\n" if lines else ""
        elif self._is_dos:
            text = text[: len(text) - text.endswith("\r")]
        return self._mark + text.encode(self._encoding, self._errors)


def split_lines(text: str) -> list[str]:
    """Split at line feeds alone; an empty text has no line."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def read_whole(path: str) -> Text:
    """Read a text file."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_EDIT:
            raise Refused(f"{shown(path)} has {size:,} bytes; edit files of that size with run_command")
        if is_binary(file):
            raise Refused(f"{shown(path)} is binary; change it with run_command")
        try:
            return Text(file.read())
        except UnicodeDecodeError:
            raise Refused(f"{shown(path)} is damaged UTF-16; change it with run_command") from None


def replace(path: str, content: bytes) -> None:
    """Write a file whole or not at all, with the mode it had; where a link leads, what it leads to."""
    path = os.path.realpath(path)
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = None
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise Refused(f"{shown(path)} is no regular file")
    if status is not None and status.st_nlink > 1:
        write_in_place(path, content)  # its other names are to keep showing the same file
        return
    unfinished = os.path.join(os.path.dirname(path), f".{os.getpid()}.unfinished")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            if status is not None:
                os.fchmod(fd, stat.S_IMODE(status.st_mode))
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def write_in_place(path: str, content: bytes) -> None:
    """Overwrite a file that has several names."""
    with open(path, "r+b") as file:
        file.write(content)
        file.truncate()


def resolve(call: Call, *, follow: bool = True) -> str:
    """Return the absolute path that a call names."""
    named: str = call["path"]
    if not named or "\0" in named:
        raise Refused("give a path")
    path = os.path.normpath(os.path.join(call.get("folder", WORKSPACE), os.path.expanduser(named)))
    keep_inside(call, path, follow=follow)
    return path


def keep_inside(call: Call, path: str, *, follow: bool = True) -> None:
    """Refuse a path that leads out of all ``roots`` of a call, also over links, where it has any.

    This keeps actions in their place. What runs with the same rights, such as a command, is not bound by it.
    """
    roots: list[str] = call.get("roots") or []
    real = os.path.realpath(path if follow else os.path.dirname(path))
    if roots and not any(is_inside(real, os.path.realpath(root)) for root in roots):
        raise Refused(f"{shown(path)} is outside of {shown(' and '.join(roots))}; reach it with run_command")


def is_inside(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or leads below it; both are free of links."""
    return os.path.commonpath([path, folder]) == folder


def open_regular(path: str) -> Any:  # noqa: ANN401 - a binary file, whose type has no short name
    """Open a regular file; nothing else, as a FIFO would wait for ever."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as problem:
        if problem.errno == errno.ENXIO:
            raise Refused(f"{shown(path)} is no regular file") from None
        raise
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        what = "a folder; use list_files" if stat.S_ISDIR(mode) else "no regular file"
        raise Refused(f"{shown(path)} is {what}")
    return open(fd, "rb")


def is_binary(file: Any) -> bool:  # noqa: ANN401 - see open_regular
    """Tell whether a file's beginning is not text."""
    start = file.read(8192)
    file.seek(0)
    is_utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff")) and not start.startswith(b"\xff\xfe\0\0")
    return b"\0" in start and not is_utf16


def take_lines(file: Any, first: int, count: int) -> tuple[list[str], int]:  # noqa: ANN401 - see open_regular
    """Return some lines of a file of any size and the number of all; memory stays small."""
    start = file.read(2)
    file.seek(0)
    if start in {b"\xff\xfe", b"\xfe\xff"}:
        lines = Text(file.read(LARGEST_EDIT)).lines
        return [shown(line.rstrip("\r")) for line in lines[first - 1 : first - 1 + count]], len(lines)
    taken: list[str] = []
    number = skip_lines(file, first)
    ended = True
    while number < first + count:
        # Never more of a line than is shown, however long it is.
        part = file.readline(CHUNK)
        if not part:
            return taken, number
        if ended:
            number += 1
            if first <= number < first + count:
                taken.append(shown(part.rstrip(b"\r\n").decode("utf-8", "surrogateescape")))
        ended = part.endswith(b"\n")
    return taken, number + count_lines(file, ended=ended)


def skip_lines(file: Any, first: int) -> int:  # noqa: ANN401 - see open_regular
    """Go to the chunk in which a line begins, at the beginning of a line; return how many are before."""
    before = 0
    while True:
        start = file.tell()
        part = file.read(CHUNK)
        feeds = part.count(b"\n")
        if not part or not feeds or before + feeds >= first - 1:
            file.seek(start)
            return before
        before += feeds
        file.seek(start + part.rindex(b"\n") + 1)


def count_lines(file: Any, *, ended: bool) -> int:  # noqa: ANN401 - see open_regular
    """Count the lines that begin in the rest of a file, whose last line so far has ended or not."""
    count = 0
    while True:
        part = file.read(CHUNK)
        if not part:
            return count
        count += part.count(b"\n") + (0 if ended else -1) + (not part.endswith(b"\n"))
        ended = part.endswith(b"\n")


def excerpt(lines: list[str]) -> str:
    """Return the beginning of some lines."""
    return shown("\n".join(line.rstrip("\r") for line in lines[:MOST_MATCHES]))[:LONGEST_LINE]


def numbered(lines: list[str], first: int) -> str:
    """Put numbers before lines and cut what is too long."""
    rows = []
    room = LARGEST_WINDOW
    for number, line in enumerate(lines, start=first):
        cut = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}... ({len(line):,} characters)"
        rows.append(f"{number:6}|{cut}")
        room -= len(cut) + 8
        if room < 0:
            rows.append("... (cut here; ask for fewer lines)")
            break
    return "\n".join(rows)


def matching(path: str, sought: bytes, most: int) -> Iterator[Call]:
    """Yield the lines of a text file that hold some bytes."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > LARGEST_SEARCHED or is_binary(file):
            raise Refused(f"{shown(path)} is binary or too large to search; use run_command with grep")
        data = as_utf8(file.read(LARGEST_SEARCHED))
    if sought not in data:
        return
    for number, line in enumerate(data.split(b"\n"), start=1):
        if sought in line:
            yield {"path": shown(path), "line": number, "text": around(line.rstrip(b"\r"), sought)}
            most -= 1
            if not most:
                return


def as_utf8(data: bytes) -> bytes:
    """Return the bytes of a text as UTF-8."""
    for mark, encoding in MARKS[:2]:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace").encode()
    return data


def around(line: bytes, sought: bytes) -> str:
    """Return a line, of a long one what is around the first place that was sought."""
    start = max(0, line.find(sought) - LONGEST_MATCH // 2)
    text = shown(line[start : start + LONGEST_MATCH].decode("utf-8", "surrogateescape"))
    return f"{'... ' if start else ''}{text}{' ...' if start + LONGEST_MATCH < len(line) else ''}"


def walk_files(path: str) -> Iterator[str]:
    """Yield the files below a folder in sorted order, no link followed."""
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            yield os.path.join(folder, name)


def found(path: str, matches: list[Call], skipped: int, *, whole: bool) -> Call:
    """Describe what a search came to."""
    files = len({match["path"] for match in matches})
    return {"path": shown(path), "matches": matches, "files": files, "skipped": skipped, "whole": whole}


def describe(name: str, status: os.stat_result, path: str) -> Call:
    """Describe an entry of a folder."""
    kind = next((kind for test, kind in KINDS if test(status.st_mode)), "device")
    row = {"name": shown(name), "kind": kind, "size": status.st_size}
    if kind == "link":
        row["target"] = shown(os.readlink(path))
    return row


def shown(text: str) -> str:
    """Return a text in which bytes that are not UTF-8 are spelt out."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


OPERATIONS: dict[str, Callable[[Call], Call]] = {
    "read": read,
    "edit": edit,
    "create": create,
    "search": search,
    "find": find,
    "list": list_folder,
    "info": info,
    "fetch": fetch,
}
