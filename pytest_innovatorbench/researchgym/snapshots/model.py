"""Snapshots and what is told about them, as values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal[
    "file", "sparse", "folder", "link", "hard", "whiteout", "fifo", "socket", "device", "unreadable"
]
Content: TypeAlias = list[str] | str | None

_WRITER = json.JSONEncoder(separators=(",", ":"), check_circular=False)

CHUNK = 4 << 20  # bytes of a file that are kept as one object


class Entry(NamedTuple):
    """One name in a folder, as it is kept: as a line that is a list in JSON.

    Attributes:
        name: Within its folder; bytes that are not UTF-8 are surrogate escapes.
        kind: What it is. A ``"sparse"`` file is kept and restored with its holes, a ``"hard"`` one is
            another name of a file that came before, a ``"whiteout"`` says that the lower layer's is deleted.
        mode: Permissions, without those that change who runs a program.
        mtime: Nanoseconds.
        size: Bytes of a file.
        content: Digests of a file's chunks, as ``number:digest`` if it is sparse; the digest of a
            folder's entries; the target of a link; the path of a hard link's first name.
        attributes: Extended attributes, their values as Latin-1.
    """

    name: str
    kind: Kind
    mode: int
    mtime: int
    size: int = 0
    content: Content = None
    attributes: dict[str, str] | None = None

    def chunks(self) -> Iterator[tuple[int, str]]:
        """Yield the offset and the digest of what a file is made of; holes are left out."""
        for position, chunk in enumerate(self.content or ()):
            number, _, digest = chunk.rpartition(":")
            yield CHUNK * (int(number) if number else position), digest

    def line(self) -> str:
        """Return it as a line."""
        return _WRITER.encode(self)

    @classmethod
    def read(cls, line: str) -> Entry:
        """Return the entry that is written in a line."""
        return cls._make(json.loads(line))


def name_in(line: str) -> str:
    """Return the name of the entry in a line, without reading all of it where that can be avoided."""
    name = line.split('"', 2)[1]
    return Entry.read(line).name if "\\" in name else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A path that could not be saved as it was.

    Attributes:
        path: Relative to the saved folder.
        reason: Why, in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one snapshot holds.

    Attributes:
        id: Its name, 16 hexadecimal digits that are the digest of all it holds.
        created: Nanoseconds since 1970.
        parent: The snapshot it was made from, which may be gone; ``None`` for a first one.
        source: The folder that was saved.
        root: That folder, as an entry without a name.
        payload: Digest of what the caller gave along; see `Store.payload`.
        files: Number of files of all kinds, folders left out.
        size: Their bytes.
        stored: Bytes that this snapshot added to the store.
        marks: What could not be saved as it was, at most 1000.
        unmarked: How many more there were.
    """

    id: str
    created: int
    parent: str | None
    source: str
    root: Entry = field(repr=False)
    payload: str = field(repr=False)
    files: int
    size: int
    stored: int
    marks: tuple[Mark, ...] = ()
    unmarked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path in which two snapshots differ; a mere difference in times is none.

    Attributes:
        path: Relative to the saved folder.
        before: What it was, ``None`` if it was added.
        after: What it became, ``None`` if it was removed.
    """

    path: str
    before: Entry | None
    after: Entry | None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """How it differs."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What restoring a snapshot did.

    Attributes:
        written: Files, links and the like that were written.
        size: Bytes of their content.
        removed: Names that were in the way or too many, each with all that was in it.
        kept: Files that were left as they were, or only got other permissions or times.
        skipped: Paths of which the snapshot holds nothing to restore.
        aside: Folder that holds what was removed, if anything was; see `discard_aside`.
    """

    written: int
    size: int
    removed: int
    kept: int
    skipped: tuple[str, ...] = ()
    aside: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What pruning a store did.

    Attributes:
        snapshots: Names of the removed ones.
        objects: How many objects went with them.
        freed: Bytes by which the store became smaller.
    """

    snapshots: tuple[str, ...]
    objects: int
    freed: int
