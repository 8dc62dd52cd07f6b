"""The records in a file, and what identifies each of them whatever the format."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from pytest_innovatorbench.authoring.tables import Table, number, parse_table

if TYPE_CHECKING:
    from collections.abc import Iterator

Names: TypeAlias = tuple[str, ...]

_MOST_EXACT = 1e15


@dataclass(frozen=True, kw_only=True)
class Part:
    """Records in a file.

    Attributes:
        name: Which part of the file holds them; ``""`` for all of it.
        table: The records.
    """

    name: str
    table: Table

    @cached_property
    def keys(self) -> Names:
        """The columns that identify a record."""
        return self.table.key_columns

    @cached_property
    def values(self) -> Names:
        """The other columns."""
        return tuple(name for name in self.table.columns if name not in self.keys)

    @cached_property
    def identities(self) -> dict[Names, list[str]]:
        """What identifies each record, by the columns that do: each by itself, or all of them together."""
        single: dict[Names, list[str]] = {(name,): self.identify((name,)) for name in self.keys}
        is_each = all(len(set(found)) == len(self.table.rows) for found in single.values())
        return single if is_each else {self.keys: self.identify(self.keys)}

    def identify(self, names: Names) -> list[str]:
        """Return what columns hold of each record, in normal form."""
        cells = zip(*map(self.table.column, names), strict=True)
        return ["\0".join(map(normal, values)) for values in cells]


def split(table: Table) -> Iterator[Part]:
    """Yield the records, and those of each list where an object holds lists, as splits are kept in JSON."""
    yield Part(name="", table=table)
    if table.kind == "json" and table.columns == ("key", "value"):
        for key, value in table.rows:
            inner = parse_table("x.json", json.dumps(value).encode()) if isinstance(value, list) else None
            if inner:
                yield Part(name=str(key), table=inner)


def normal(value: object) -> str:
    """Return a cell in the form that it has in every format: 3, 3.0 and "3" are the same."""
    if isinstance(value, str) and not value[-1:].isdigit():
        return " ".join(value.split()).casefold()
    as_number = number(value)
    if as_number is None or not math.isfinite(as_number):
        return " ".join(str(value).split()).casefold()
    if as_number.is_integer() and abs(as_number) < _MOST_EXACT:
        return str(int(as_number))
    return f"{as_number:.6g}"  # what single precision keeps
