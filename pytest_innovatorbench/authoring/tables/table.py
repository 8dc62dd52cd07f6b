"""A table as a value, and which of its columns say what a record is about."""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["csv", "tsv", "json", "jsonl", "txt", "npy", "npz", "parquet"]
Row: TypeAlias = tuple[object, ...]

MOST_CELLS = 5_000_000
_KEY_NAME = re.compile(
    r"(id|idx|index|key|name|uid|uuid|guid|no|nr|number|file|filename|path)|.*(_| |-)(id|idx|index|key)"
    r"|(sample|example|instance|question|query|item|image|doc|document|record|row|line)s?_?"
    r"(id|idx|index|no|nr|number|name)"
)
_CAMEL = re.compile(r".*[a-z](Id|ID|Idx|Index|Key)")


class UnreadableError(Exception):
    """A file holds no table; the text says why."""


class Absent(enum.Enum):
    """The value of a column that a record of JSON does not have, unlike one that is null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Records with the same columns.

    Attributes:
        kind: Format of the file.
        columns: Their names; where the file has none, ``"value"``, or ``"key"`` and ``"value"``, or numbers.
        rows: The values of each record; all of them text in csv, tsv and txt.
        form: What the format needs to be written as it was.
    """

    kind: Kind
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    form: object = field(default=None, repr=False, compare=False)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that identify a record: one with unique values, or several that have them together.

        None where nothing does, as in a list of values, whose place is their key.
        """
        if len(self.columns) < 2:  # noqa: PLR2004 - a record needs a value besides
            return ()
        named = [name for name in self.columns if _is_key_name(name)][: len(self.columns) - 1]
        single = tuple(name for name in named if self._is_unique((name,)))
        if single:
            return single
        if len(named) > 1 and self._is_unique(named):
            return tuple(named)
        first = self.columns[:1]
        return first if self._is_unique(first) and not any(map(_is_fraction, self.column(first[0]))) else ()

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The other columns."""
        keys = self.key_columns
        return tuple(name for name in self.columns if name not in keys)

    def column(self, name: str) -> tuple[object, ...]:
        """Return a column's values, from the first record to the last."""
        place = self.columns.index(name)
        return tuple(row[place] for row in self.rows)

    def record_keys(self) -> tuple[Row, ...]:
        """Return what identifies each record; empty tuples where nothing does."""
        places = [self.columns.index(name) for name in self.key_columns]
        return tuple(tuple(row[place] for place in places) for row in self.rows)

    def _is_unique(self, names: tuple[str, ...] | list[str]) -> bool:
        places = [self.columns.index(name) for name in names]
        seen: set[Row] = set()
        for row in self.rows:
            key = tuple(row[place] for place in places)
            if any(not isinstance(part, str | int) or part == "" for part in key) or key in seen:
                return False
            seen.add(key)
        return bool(seen)


def number(value: object) -> float | None:
    """Return a cell as a number, ``None`` if it is none. True and false are none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _is_key_name(name: str) -> bool:
    return bool(_KEY_NAME.fullmatch(name.strip().lower()) or _CAMEL.fullmatch(name.strip()))


def _is_fraction(value: object) -> bool:
    """Tell measurements from ids: nobody numbers records by fractions."""
    if isinstance(value, str) and not any(mark in value for mark in ".eEnN"):
        return False
    as_number = number(value) if isinstance(value, str | float) else None
    return as_number is not None and (math.isnan(as_number) or "." in str(value) or "e" in str(value).lower())
