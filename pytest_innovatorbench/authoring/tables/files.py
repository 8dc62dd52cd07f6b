"""Reading tables from files of strangers, and writing them."""

from __future__ import annotations

import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.tables import binary, jsonish, text
from pytest_innovatorbench.authoring.tables.table import MOST_CELLS, Kind, Table, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_BYTES = 50_000_000
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "txt",
    ".npy": "npy",
    ".npz": "npz",
    ".parquet": "parquet",
}
_PARSE: dict[Kind, Callable[[bytes], Table]] = {
    "csv": text.parse_csv,
    "tsv": text.parse_tsv,
    "txt": text.parse_txt,
    "json": jsonish.parse_json,
    "jsonl": jsonish.parse_jsonl,
    "npy": binary.parse_npy,
    "npz": binary.parse_npz,
    "parquet": binary.parse_parquet,
}
_FORMAT: dict[Kind, Callable[[Table], bytes]] = {
    "csv": text.format_text,
    "tsv": text.format_text,
    "txt": text.format_text,
    "json": jsonish.format_json,
    "jsonl": jsonish.format_jsonl,
    "npy": binary.format_npy,
    "npz": binary.format_npz,
    "parquet": binary.format_parquet,
}


def read_table(path: Path) -> Table | None:
    """Read a file by its suffix, without following a link, unpickling or taking more than a cap.

    Returns:
        The table, or ``None`` if the file holds nothing that can be read as records.
        `explain_unreadable` says why.
    """
    try:
        return _read(path)
    except UnreadableError:
        return None


def parse_table(name: str, data: bytes) -> Table | None:
    """Read what a file of that name holds, as `read_table` does."""
    try:
        return _parse(name, data)
    except UnreadableError:
        return None


def explain_unreadable(path: Path) -> str | None:
    """Return why a file cannot be read as a table, in a few words; ``None`` if it can."""
    try:
        _read(path)
    except UnreadableError as reason:
        return str(reason)
    return None


def write_table(table: Table, path: Path) -> None:
    """Write a table in its format, so that reading it gives the same table.

    Raises:
        ValueError: The format has no form for these values.
        OSError: The file cannot be written.
    """
    path.write_bytes(format_table(table))


def format_table(table: Table) -> bytes:
    """Return what `write_table` writes.

    Raises:
        ValueError: The format has no form for these values.
    """
    try:
        return _FORMAT[table.kind](table)
    except (ValueError, TypeError, RecursionError, ArithmeticError, UnreadableError) as problem:
        raise ValueError(f"{table.kind} has no form for these values: {problem}") from problem


def _read(path: Path) -> Table:
    _kind(path.name)  # before a file is read for nothing
    return _parse(path.name, _read_bytes(path))


def _parse(name: str, data: bytes) -> Table:
    table = _PARSE[_kind(name)](data)
    if len(table.rows) * max(1, len(table.columns)) > MOST_CELLS:
        raise UnreadableError(f"more than {MOST_CELLS:,} cells")
    return table


def _kind(name: str) -> Kind:
    suffix = PurePosixPath(name).suffix
    if suffix.lower() not in KINDS:
        raise UnreadableError(f"{suffix or 'a name without suffix'} is no format of tables")
    return KINDS[suffix.lower()]


def _read_bytes(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as problem:
        raise UnreadableError(f"cannot be opened ({problem.strerror})") from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise UnreadableError("not a regular file")
    with os.fdopen(fd, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UnreadableError(f"more than {MOST_BYTES:,} bytes")
    return data
