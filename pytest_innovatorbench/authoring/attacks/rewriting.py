"""The same submission written otherwise, which has to score the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.tables import KINDS, format_table, parse_table

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from pytest_innovatorbench.authoring.tables import Row, Table

FEWEST_RECORDS = 10  # of which one may differ a little without being worth much
_TEXT = frozenset({"csv", "tsv", "txt", "json", "jsonl"})
_NEXT_TO_NOTHING = 1e-12  # more than rounding, and less than anybody measures
_FRACTION = re.compile(r"[+-]?\d*\.\d*\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to write a submission otherwise.

    Attributes:
        name: What it changes, as findings say it.
        versions: The files of several such submissions, any of which has to score the same. An evaluator may
            have a reason to refuse one of them, such as a number of digits, but none to refuse all.
    """

    name: str
    versions: tuple[Mapping[str, bytes], ...]


def ways_of(files: Mapping[str, bytes]) -> Iterator[Way]:
    """Yield the ways in which a submission can be written otherwise; none if it has no table of text."""
    for name, changes in _WAYS.items():
        versions = (_changed(files, change) for change in changes)
        other = tuple(version for version in versions if version != files)
        if other:
            yield Way(name=name, versions=other)


def _changed(files: Mapping[str, bytes], change: Callable[[str, bytes], bytes]) -> Mapping[str, bytes]:
    return {path: change(path, data) if _is_text_table(path) else data for path, data in files.items()}


def _is_text_table(path: str) -> bool:
    return KINDS.get(PurePosixPath(path).suffix.lower()) in _TEXT


def _last_line_end(_: str, data: bytes) -> bytes:
    ended = data.endswith(b"\n")
    return data.removesuffix(b"\n").removesuffix(b"\r") if ended else data + b"\n"


def _all_line_ends(_: str, data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n") if b"\r\n" in data else data.replace(b"\n", b"\r\n")


def _all_fractions(path: str, data: bytes) -> bytes:
    return _with_cells(path, data, _shifted)


def _one_fraction(path: str, data: bytes) -> bytes:
    return _with_cells(path, data, _with_another_digit, most=1)


def _with_cells(path: str, data: bytes, change: Callable[[object], object], most: int | None = None) -> bytes:
    """Change the fractions in some records of a table; return the file as it is where that can't be done."""
    table = parse_table(path, data)
    if table is None or len(table.rows) < FEWEST_RECORDS:
        return data
    places = {table.columns.index(name) for name in table.value_columns}
    rows = list(table.rows)
    changed = ((number, _with_values(row, places, change)) for number, row in enumerate(table.rows))
    for number, row in islice((pair for pair in changed if pair[1] != rows[pair[0]]), most):
        rows[number] = row
    return _written(table, tuple(rows), data)


def _with_values(row: Row, places: Container[int], change: Callable[[object], object]) -> Row:
    return tuple(change(cell) if place in places else cell for place, cell in enumerate(row))


def _written(table: Table, rows: tuple[Row, ...], data: bytes) -> bytes:
    try:
        return format_table(replace(table, rows=rows)) if rows != table.rows else data
    except ValueError:
        return data


def _shifted(cell: object) -> object:
    if isinstance(cell, float):
        return cell * (1 + _NEXT_TO_NOTHING)
    is_fraction = isinstance(cell, str) and _FRACTION.fullmatch(cell)
    return repr(float(cell) * (1 + _NEXT_TO_NOTHING)) if isinstance(cell, str) and is_fraction else cell


def _with_another_digit(cell: object) -> object:
    text = repr(cell) if isinstance(cell, float) else cell
    if not isinstance(text, str) or not _FRACTION.fullmatch(text):
        return cell
    other = f"{text[:-1]}{'8' if text[-1] == '9' else int(text[-1]) + 1}"
    return float(other) if isinstance(cell, float) else other


_WAYS: Mapping[str, tuple[Callable[[str, bytes], bytes], ...]] = {
    "with another line end": (_last_line_end, _all_line_ends),
    "with numbers that differ by next to nothing": (_all_fractions, _one_fraction),
}
