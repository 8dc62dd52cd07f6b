"""Tables of text: csv, tsv, and txt with one value a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_innovatorbench.authoring.tables.table import Table, UnreadableError, number

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.tables.table import Row

_SEPARATORS = {"csv": ",", "tsv": "\t", "txt": " "}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a file spells its records.

    Attributes:
        separator: What stands between two values.
        headed: Whether its first line names the columns.
        quoted: Whether quotation marks are the format's, not the values'.
        newline: How lines end.
    """

    separator: str
    headed: bool = True
    quoted: bool = True
    newline: str = "\n"


def parse_csv(data: bytes) -> Table:
    """Read values with commas between, or semicolons or tabs where there are no commas."""
    first = _decode(data).partition("\n")[0]
    separator = next((mark for mark in ",;\t" if mark in first), ",")
    return _parse(data, "csv", separator)


def parse_tsv(data: bytes) -> Table:
    """Read values with tabs between."""
    return _parse(data, "tsv", "\t")


def parse_txt(data: bytes) -> Table:
    """Read one value a line."""
    rows = tuple((line,) for line in _decode(data).split("\n") if line)
    if not rows:
        raise UnreadableError("empty")
    form = _Form(separator=" ", headed=False, newline=_newline(data))
    return Table(kind="txt", columns=("value",), rows=rows, form=form)


def format_text(table: Table) -> bytes:
    """Write a table of one of these formats."""
    form = table.form if isinstance(table.form, _Form) else _Form(separator=_SEPARATORS[table.kind])
    headed = form.headed and table.kind != "txt"
    rows: Iterable[Row] = ([table.columns] if headed else []) + list(table.rows)
    spelt = [[_spell(value) for value in row] for row in rows]
    if form.quoted and table.kind != "txt":
        return _encode(_quote(spelt, form))
    return _encode("".join(form.separator.join(row) + form.newline for row in spelt))


def _parse(data: bytes, kind: Literal["csv", "tsv"], separator: str) -> Table:
    text = _decode(data)
    quoted, rows = _split(text, separator)
    if not rows:
        raise UnreadableError("empty")
    if len({len(row) for row in rows}) > 1:
        raise UnreadableError("lines with different numbers of values")
    headed = not all(number(cell) is not None for cell in rows[0])
    columns = rows[0] if headed else tuple(map(str, range(len(rows[0]))))
    if len(set(columns)) < len(columns):
        raise UnreadableError("two columns of one name")
    form = _Form(separator=separator, headed=headed, quoted=quoted, newline=_newline(data))
    return Table(kind=kind, columns=columns, rows=tuple(rows[1:] if headed else rows), form=form)


def _split(text: str, separator: str) -> tuple[bool, list[tuple[str, ...]]]:
    """Return whether quotation marks belong to the format, and the cells of each line that has any."""
    if '"' not in text:
        return True, [tuple(line.split(separator)) for line in text.split("\n") if line]
    if separator == "\t":  # many write text into tsv as it is
        plain = [tuple(line.split(separator)) for line in text.split("\n") if line]
        if len({len(row) for row in plain}) == 1 and not any(map(_is_quoted, _cells(plain))):
            return False, plain
    try:
        return True, [tuple(row) for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    except csv.Error as problem:
        raise UnreadableError(str(problem)) from None


def _cells(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    return (cell for row in rows for cell in row)


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _quote(rows: list[list[str]], form: _Form) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=form.separator, lineterminator=form.newline).writerows(rows)
    return file.getvalue()


def _spell(value: object) -> str:
    return "" if value is None else str(value)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UnreadableError("not UTF-8 text") from None


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _newline(data: bytes) -> str:
    return "\r\n" if b"\r\n" in data else "\n"
