"""Reading tables from files of strangers, and writing them."""

from __future__ import annotations

import os
import stat
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
    try:
        data = _FORMAT[table.kind](table)
    except (ValueError, TypeError, RecursionError, ArithmeticError, UnreadableError) as problem:
        raise ValueError(f"{table.kind} has no form for these values: {problem}") from problem
    path.write_bytes(data)


def _read(path: Path) -> Table:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UnreadableError(f"{path.suffix or 'a name without suffix'} is no format of tables")
    table = _PARSE[kind](_read_bytes(path))
    if len(table.rows) * max(1, len(table.columns)) > MOST_CELLS:
        raise UnreadableError(f"more than {MOST_CELLS:,} cells")
    return table


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
