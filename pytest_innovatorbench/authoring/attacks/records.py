"""Attacks on which records there are, and which answer belongs to which."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.attack import Draft
from pytest_innovatorbench.authoring.attacks.values import LARGEST, value_places, with_values
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import Table, format_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_innovatorbench.authoring.attacks.stock import Source, Stock
    from pytest_innovatorbench.authoring.tables import Row

SEEDS = 5
MOST_ROWS = 1_000_000
_MOST_ECHOES = 4


def empty(stock: Stock) -> Iterator[Draft]:
    """Nothing, in every form."""
    yield Draft(name="no file at all", base="nothing")
    yield Draft(name="empty files", files=dict.fromkeys(stock.reference, b""))
    yield Draft(name="files with a line end alone", files=dict.fromkeys(stock.reference, b"\n"))
    bare = {source.path: replace(source.table, rows=()) for source in stock.tables}
    if bare:
        yield Draft(name="no record in any table", files=bare)
    for path, table in bare.items() if len(stock.reference) > 1 else ():
        yield Draft(name=f"no record in {path}", files={path: table}, of=path)
    for path in stock.files if len(stock.reference) > 1 else ():
        yield Draft(name=f"no {path}", files={path: None}, of=path)


def truncated(stock: Stock) -> Iterator[Draft]:
    """Half of what there should be."""
    shares = {source.path: 0.5 if stock.is_complete(source.table) else 1.0 for source in stock.tables}
    for source in stock.tables:
        rows = source.table.rows[: len(source.table.rows) // 2]
        yield _records(source, "the first half of the records", rows, shares[source.path])
    for path in stock.files:
        half = stock.reference[path][: len(stock.reference[path]) // 2]
        share = shares.get(path, 1.0)
        yield Draft(name=f"half the bytes of {path}", files={path: half}, of=path, share=share)


def ids(stock: Stock) -> Iterator[Draft]:
    """Ids that are missing, repeated, unknown or spelt otherwise."""
    sources = [source for source in stock.tables if source.table.key_columns]
    if not sources:
        raise NotCheckedError("the reference submission has no column of ids")
    for source in sources:
        yield from _other_records(source, is_complete=stock.is_complete(source.table))
        for name, change, share in _OTHER_IDS:
            rows = tuple(_rekeyed(source.table, change))
            deserved = share if stock.is_complete(source.table) else 1.0
            yield _records(source, name, rows, deserved)


def shuffled(stock: Stock) -> Iterator[Draft]:
    """The right answers to the wrong records."""
    sources = [s for s in stock.tables if len(s.table.rows) > 1 and stock.is_complete(s.table)]
    if not sources:
        raise NotCheckedError(
            "no table of the reference submission has the records of the inputs or references"
        )
    for source in sources:
        for seed in range(SEEDS):
            yield Draft(
                name=f"the values of {source.path} shuffled",
                files={source.path: _shuffled(source.table, seed)},
                of=source.path,
                together=f"shuffled {source.path}",
            )


def echo(stock: Stock) -> Iterator[Draft]:
    """What the agent was given, given back."""
    drafts = [draft for source in stock.tables for draft in _echoes(stock, source)]
    if not drafts:
        raise NotCheckedError("no table in gym/ has the records of the reference submission")
    yield from drafts


def many_rows(stock: Stock) -> Iterator[Draft]:
    """A million records."""
    sources = [source for source in stock.tables if source.table.rows]
    if not sources:
        raise NotCheckedError("the reference submission has no records")
    for source in sources:
        count = _most_rows(source.table)
        missing = max(0, count - len(source.table.rows))
        repeated = source.table.rows * (count // len(source.table.rows) + 1)
        yield _records(source, f"the same records again, {count:,} in all", repeated[:count], 1.0)
        if source.table.key_columns:
            rows = (*source.table.rows, *_unknown(source.table, missing))
            yield _records(source, f"unknown ids besides, {len(rows):,} records in all", rows, 1.0)


def _records(source: Source, name: str, rows: tuple[Row, ...], share: float) -> Draft:
    table = replace(source.table, rows=rows)
    return Draft(name=f"{name} in {source.path}", files={source.path: table}, of=source.path, share=share)


def _other_records(source: Source, *, is_complete: bool) -> Iterator[Draft]:
    rows = source.table.rows
    kept = tuple(row for number, row in enumerate(rows) if number % 4)
    yield _records(source, "every fourth id missing", kept, len(kept) / len(rows) if is_complete else 1.0)
    yield _records(source, "every id twice", (*rows, *rows), 1.0)
    changed = _shuffled(source.table, 0).rows
    yield _records(source, "every id twice with different values", (*rows, *changed), 1.0)
    some = tuple(_unknown(source.table, max(1, len(rows) // 10)))
    yield _records(source, "unknown ids besides", (*rows, *some), 1.0)


def _rekeyed(table: Table, change: Callable[[object, int], object]) -> Iterator[Row]:
    place = table.columns.index(table.key_columns[0])
    for number, row in enumerate(table.rows):
        yield (*row[:place], change(row[place], number), *row[place + 1 :])


def _like(key: object, number: int) -> object:
    """Return an id that nothing has, of the same type."""
    return f"unknown-{number}" if isinstance(key, str) else -1 - number


_OTHER_IDS: tuple[tuple[str, Callable[[object, int], object], float], ...] = (
    ("unknown ids alone", _like, 0.0),
    ("one id for all records", lambda key, _: "x" if isinstance(key, str) else 0, 0.0),
    ("empty ids", lambda *_: "", 0.0),
    ("ids in capitals", lambda key, _: str(key).upper(), 1.0),
    ("ids in small letters", lambda key, _: str(key).lower(), 1.0),
    ("blanks around ids", lambda key, _: f" {key} ", 1.0),
    ("ids with .0 behind", lambda key, _: f"{key}.0", 1.0),
)


def _unknown(table: Table, count: int) -> Iterator[Row]:
    place = table.columns.index(table.key_columns[0])
    rows = table.rows
    for number in range(count):
        row = rows[number % len(rows)]
        yield (*row[:place], _like(row[place], number), *row[place + 1 :])


def _shuffled(table: Table, seed: int) -> Table:
    """Move every record's values to another record."""
    order = list(range(len(table.rows)))
    random.Random(seed).shuffle(order)  # noqa: S311 - the same attack in every run
    following = dict(zip(order, [*order[1:], *order[:1]], strict=True))
    places = value_places(table)
    moved = iter([table.rows[following[number]] for number in range(len(table.rows))])

    def other_values(_: Sequence[object]) -> Sequence[object]:
        row = next(moved)
        return [row[place] for place in places]

    return with_values(table, other_values)


def _most_rows(table: Table) -> int:
    try:
        size = len(format_table(table)) / len(table.rows)
    except ValueError:
        return len(table.rows)
    return max(len(table.rows), min(MOST_ROWS, int(LARGEST / max(1.0, size))))


def _echoes(stock: Stock, source: Source) -> Iterator[Draft]:
    for given in stock.inputs:
        by_key = _by_key(given.table, source.table)
        if by_key is None:
            continue
        for name in _some(given.table.columns):
            place = given.table.columns.index(name)
            column = {key: row[place] for key, row in by_key.items()}
            if name in source.table.key_columns or _is_leak(stock, source, given, column):
                continue
            echoed = iter(column[key] for key in _keys(source.table))
            table = with_values(source.table, lambda cells, e=echoed: [next(e)] * len(cells))  # type: ignore[misc]  # mypy's lambda
            yield Draft(
                name=f"column {name} of {given.path} as the answer in {source.path}",
                files={source.path: table},
                of=source.path,
            )


def _some(columns: tuple[str, ...]) -> tuple[str, ...]:
    return columns if len(columns) <= _MOST_ECHOES + 1 else (*columns[:_MOST_ECHOES], columns[-1])


def _keys(table: Table) -> list[str]:
    """Return what tells records apart, their place where nothing else does."""
    if not table.key_columns:
        return [str(number) for number in range(len(table.rows))]
    return ["\0".join(map(str, key)) for key in table.record_keys()]


def _by_key(other: Table, table: Table) -> Mapping[str, Row] | None:
    """Return the records of a table by the keys of another, ``None`` if it lacks one."""
    if not table.key_columns:
        rows = dict(zip(_keys(table), other.rows, strict=False))
        return rows if len(other.rows) == len(table.rows) else None
    wanted = set(_keys(table))
    if set(table.key_columns) <= set(other.columns):
        places = [other.columns.index(name) for name in table.key_columns]
        rows = {"\0".join(str(row[place]) for place in places): row for row in other.rows}
        return rows if wanted <= rows.keys() else None
    if len(table.key_columns) == 1 and len(other.key_columns) == 1:
        rows = dict(zip(_keys(other), other.rows, strict=True))
        return rows if wanted <= rows.keys() else None
    return None


def _is_leak(stock: Stock, source: Source, given: Source, column: Mapping[str, object]) -> bool:
    """Tell answers that lie in ``gym/``, which the rules on leaks report, from the inputs' copy."""
    spelt = {key: str(cell) for key, cell in column.items()}
    for answer in stock.answers:
        is_copy = answer.table.columns == given.table.columns != source.table.columns
        by_key = None if is_copy else _by_key(answer.table, source.table)
        for place in range(len(answer.table.columns)) if by_key is not None else ():
            if by_key and all(spelt.get(key) == str(by_key[key][place]) for key in _keys(source.table)):
                return True
    return False
