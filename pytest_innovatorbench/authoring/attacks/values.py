"""The values of records: which they are, and changing them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.tables import Table, format_table, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_innovatorbench.authoring.attacks.stock import Stock

TEXT = ("csv", "tsv", "txt")
JSON = ("json", "jsonl")
LARGEST = 20_000_000  # bytes of a file that attacks fill up
RAW = "@@raw@@"  # the cell that `spell` puts a literal in place of


def with_values(table: Table, change: Callable[[Sequence[object]], Sequence[object]]) -> Table:
    """Return a table with the values of each record changed together; keys stay."""
    places = value_places(table)
    rows = []
    for row in table.rows:
        cells = list(row)
        for place, cell in zip(places, change([row[place] for place in places]), strict=True):
            cells[place] = cell
        rows.append(tuple(cells))
    return replace(table, rows=tuple(rows))


def value_places(table: Table) -> list[int]:
    """Return where in a row its values are."""
    names = set(table.value_columns)
    return [place for place, name in enumerate(table.columns) if name in names]


def numeric_columns(table: Table) -> set[int]:
    """Return the places in a record's values where every record has a number, or a list of them."""
    values = [table.column(name) for name in table.value_columns]
    return {place for place, column in enumerate(values) if column and all(map(_is_numeric, column))}


def spell(table: Table, literal: str) -> bytes:
    """Return a table as it is written, with a literal wherever `RAW` is a cell."""
    data = format_table(table)
    return data.replace(b'"' + RAW.encode() + b'"', literal.encode()).replace(RAW.encode(), literal.encode())


def fits(table: Table, size: int) -> bool:
    """Tell whether all values of a table may be replaced by so many bytes."""
    return len(table.rows) * len(table.value_columns) * size <= LARGEST


def share_without_values(stock: Stock, table: Table) -> float:
    """Return what records deserve whose values are spoilt.

    Where the records themselves are the choice, as the examples to train on, their values may count for
    nothing, so only an evaluator that pays more than for the reference is wrong for sure.
    """
    return 0.0 if not table.key_columns or stock.is_complete(table) else 1.0


def replaced(old: object, cell: object) -> object:
    """Return a cell in place of another, and of each item where that is a list."""
    return [replaced(item, cell) for item in old] if isinstance(old, list) else cell


def _is_numeric(cell: object) -> bool:
    if isinstance(cell, list):
        return bool(cell) and all(map(_is_numeric, cell))
    return number(cell) is not None
