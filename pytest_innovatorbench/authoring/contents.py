"""What the files of a folder hold, within archives too, as far as that is known without running it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from pytest_innovatorbench.authoring.contents_archives import MOST_NESTED, Budget, UnpackedError, unpack
from pytest_innovatorbench.authoring.contents_encoded import MOST_FOUND, find_encoded
from pytest_innovatorbench.authoring.contents_files import (
    MOST_WHOLE,
    Kind,
    UnopenedError,
    hash_file,
    opened,
    read_head,
    read_whole,
    sizes_in,
    sniff,
    why_opaque,
)
from pytest_innovatorbench.authoring.contents_records import Part, split
from pytest_innovatorbench.authoring.contents_text import decode, read_notebook
from pytest_innovatorbench.authoring.tables import KINDS, parse_table
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from pathlib import Path

MOST_READ = 48_000_000  # bytes of all files of a folder that are read
MOST_FILES = 20_000
_HEAD = 512  # bytes that tell formats
_ARCHIVES = frozenset({"zip", "npz", "tar", "gz", "bz2", "xz"})
_NO_TABLES = frozenset({".py", ".md", ".sh", ".ipynb", ".yaml", ".yml", ".toml", ".cfg", ".rst", ".html"})
_INSTALL = "pip install 'pytest-innovatorbench[tables]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that is not looked into, or not wholly.

    Attributes:
        shown: Its name, as in `Content`.
        file: The file on disk, below the benchmark's root.
        why: Why it is not.
    """

    shown: str
    file: str
    why: str


class Content:
    """What one file holds, read when asked for, and once.

    Args:
        shown: Its name in messages, such as ``gym/toy/data/all.zip!test/labels.csv``.
        file: The file on disk, below the benchmark's root.
        path: Its path below the folder that is looked at, that in an archive included.
        kind: What it is.
        size: Bytes that it has.
        head: The first of them.
        data: What it holds, where that was unpacked.
        source: Where it lies, where it is no part of an archive.
    """

    def __init__(
        self,
        *,
        shown: str,
        file: str,
        path: PurePosixPath,
        kind: Kind,
        size: int,
        head: bytes,
        data: bytes | None = None,
        source: Path | None = None,
    ) -> None:
        self.shown = shown
        self.file = file
        self.path = path
        self.kind = kind
        self.size = size
        self.head = head[:_HEAD]
        self._data = data
        self._source = source

    @property
    def is_inside(self) -> bool:
        """Whether it is part of an archive."""
        return self._source is None

    @property
    def name(self) -> str:
        """Its name in messages about the file on disk: a short one, unless it is in an archive."""
        return self.shown if self.is_inside else one_line(self.path.name)

    @cached_property
    def data(self) -> bytes:
        """What it holds; a sample of it, by whole lines, where it is large."""
        return read_whole(self._source) if self._data is None and self._source else self._data or b""

    @cached_property
    def digest(self) -> str:
        """Digest of all that it holds, however large."""
        return hashlib.sha256(self.data).hexdigest() if self._source is None else hash_file(self._source)

    @cached_property
    def text(self) -> str | None:
        """Its text; ``None`` if it holds none."""
        text = decode(self.data) if self.kind == "text" else None
        return read_notebook(text) if text and self.path.suffix.lower() == ".ipynb" else text

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The records in it; none if there are none that can be read."""
        if self.kind == "text" and self.path.suffix.lower() in _NO_TABLES:
            return ()
        table = (
            parse_table(self._name_of_table(), self.data)
            if self.kind in {"text", "npy", "npz", "parquet"}
            else None
        )
        return tuple(split(table)) if table else ()

    @cached_property
    def why_no_records(self) -> str | None:
        """Why records cannot be read in a format for records; ``None`` if they can, or it is none."""
        if self.kind not in {"npy", "npz", "parquet"} or self.parts:
            return None
        library = "pyarrow" if self.kind == "parquet" else "numpy"
        return "holds no records that can be read" if _has(library) else f"needs {library}: {_INSTALL}"

    def made_of(self, text: str, how: str) -> Content:
        """Return another text that the file stands for, as if it lay in an archive."""
        data = text.encode()
        shown, path = f"{self.shown}!{how}", self.path / f"{how}{self.path.suffix}"
        return Content(
            shown=shown, file=self.file, path=path, kind="text", size=len(data), head=data, data=data
        )

    def _name_of_table(self) -> str:
        if self.kind != "text" or self.path.suffix.lower() in KINDS:
            return self.path.name if self.kind == "text" else f"x.{self.kind}"
        first = self.data[:1000].lstrip().partition(b"\n")[0]
        kinds = {b"{": "x.jsonl", b"[": "x.json"}
        separated = "x.tsv" if b"\t" in first else "x.csv" if b"," in first or b";" in first else "x.txt"
        return kinds.get(first[:1], separated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the files of a folder hold.

    Attributes:
        files: The files, archives before what is in them.
        unread: Those not looked into, or not wholly.
    """

    files: tuple[Content, ...]
    unread: tuple[Unread, ...]


def read_contents(folder: Path, root: Path, *, is_decoded: bool = False) -> Contents:
    """Look at every regular file of a folder, the smallest first, and into archives.

    Args:
        folder: The folder; nothing is found if it is missing or a link.
        root: What names in messages are relative to.
        is_decoded: Whether what texts hold in base64 or as hexadecimal digits counts as files in them.
    """
    reader = _Reader(folder, root, is_decoded=is_decoded)
    reader.read()
    return Contents(files=tuple(reader.files), unread=tuple(reader.unread))


class _Reader:
    def __init__(self, folder: Path, root: Path, *, is_decoded: bool) -> None:
        self.files: list[Content] = []
        self.unread: list[Unread] = []
        self._folder = folder
        self._root = root
        self._is_decoded = is_decoded
        self._file = ""  # the one on disk that is being read
        self._budget = Budget()
        self._room = MOST_READ

    def read(self) -> None:
        sizes = sorted(sizes_in(self._folder))
        for size, path in sizes[:MOST_FILES]:
            self._file = path.relative_to(self._root).as_posix()
            shown = one_line(self._file)
            try:
                self._read_file(path, shown, size)
            except UnopenedError as reason:
                self._leave_out(shown, str(reason))
        if len(sizes) > MOST_FILES:
            self._file = self._folder.relative_to(self._root).as_posix()
            rest = f"only the {MOST_FILES:,} smallest files of {len(sizes):,} are looked at"
            self._leave_out(self._file, rest)

    def _read_file(self, path: Path, shown: str, size: int) -> None:
        head = read_head(path)
        kind = sniff(path.name, head)
        inside = PurePosixPath(path.relative_to(self._folder).as_posix())
        if kind == "opaque":
            self._leave_out(shown, why_opaque(path.name, head))
        elif kind not in _ARCHIVES:
            kind = self._make_room(kind, size, shown)
        self._add(shown=shown, path=inside, kind=kind, size=size, head=head, source=path)
        if kind in _ARCHIVES:
            with opened(path) as file:
                self._read_archive(self.files[-1], file, 1)
        self._read_encoded(self.files[-1], 1)

    def _make_room(self, kind: Kind, size: int, shown: str) -> Kind:
        """Return the kind as which a file is read, given what has been read already."""
        if size > MOST_WHOLE and kind != "text":
            self._leave_out(shown, f"larger than {MOST_WHOLE // 1_000_000} MB")
            return "opaque"
        self._room -= min(size, MOST_WHOLE)
        if self._room < 0:
            self._leave_out(shown, f"smaller files have {MOST_READ // 1_000_000} MB already")
            return "opaque"
        if size > MOST_WHOLE:
            self._leave_out(shown, f"of more than {MOST_WHOLE // 1_000_000} MB, only samples are read")
        return kind

    def _read_archive(self, archive: Content, file: IO[bytes], depth: int) -> None:
        try:
            for member in unpack(archive.kind, archive.path.name, file, self._budget):
                self._read_member(archive, member.name, member.data, depth)
        except UnpackedError as reason:
            self._leave_out(archive.shown, str(reason))

    def _read_member(self, archive: Content, name: str, data: bytes | None, depth: int) -> None:
        shown = f"{archive.shown}!{one_line(name)}"
        if data is None:
            self._leave_out(shown, f"larger than {MOST_WHOLE // 1_000_000} MB")
            return
        kind = sniff(name, data[:_HEAD])
        path = archive.path / PurePosixPath(name.lstrip("/"))
        content = self._add(shown=shown, path=path, kind=kind, size=len(data), head=data, data=data)
        if kind == "opaque":
            self._leave_out(shown, why_opaque(name, data[:_HEAD]))
        elif kind in _ARCHIVES and depth == MOST_NESTED:
            self._leave_out(shown, f"an archive within {depth} others")
        elif kind in _ARCHIVES:
            self._read_archive(content, io.BytesIO(data), depth + 1)
        else:
            self._read_encoded(content, depth + 1)

    def _read_encoded(self, content: Content, depth: int) -> None:
        if content.kind != "text" or not self._is_decoded or depth > MOST_NESTED:
            return
        for count, found in enumerate(find_encoded(content.data, MOST_FOUND + 1)):
            if count == MOST_FOUND:
                self._leave_out(content.shown, f"only its first {MOST_FOUND} encoded parts are looked at")
                return
            self._room -= len(found.data)
            if self._room < 0:
                why = f"smaller files and encoded parts have {MOST_READ // 1_000_000} MB already"
                self._leave_out(f"{content.shown}!{found.how} in line {found.line}", why)
                return
            self._read_member(content, f"{found.how} in line {found.line}", found.data, depth)

    def _add(self, **known: Any) -> Content:  # noqa: ANN401 - as Content takes them
        self.files.append(Content(file=self._file, **known))
        return self.files[-1]

    def _leave_out(self, shown: str, why: str) -> None:
        self.unread.append(Unread(shown=shown, file=self._file, why=why))


def _has(library: str) -> bool:
    import importlib  # noqa: PLC0415 - with the library that it imports

    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True
