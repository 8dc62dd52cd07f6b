"""Attacks on the values of records: of the wrong type, or not finite."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.attack import Draft
from pytest_innovatorbench.authoring.attacks.values import (
    JSON,
    RAW,
    TEXT,
    fits,
    numeric_columns,
    replaced,
    spell,
    with_values,
)
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import ABSENT, Table, format_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_innovatorbench.authoring.attacks.stock import Source, Stock

_NOT_FINITE = {
    "NaN": ("nan", "NaN"),
    "inf": ("inf", "Infinity"),
    "-inf": ("-inf", "-Infinity"),
    "1e999": ("1e999", "1e999"),
    "-1e999": ("-1e999", "-1e999"),
    "400 digits": ("9" * 400, "9" * 400),
    "5,000 digits": ("9" * 5_000, "9" * 5_000),
}


def wrong_types(stock: Stock) -> Iterator[Draft]:
    """Values, records and whole files of another type than the task asks for."""
    for source in stock.tables:
        yield from _wrong_cells(source)
        yield from _wrong_form(source)
    for path in stock.files:
        content = stock.reference[path]
        yield _whole(path, "bytes that are no text", b"\xff\xfe\x00\x01\x80" * 100)
        yield _whole(path, "NUL bytes", bytes(1_000))
        yield _whole(path, "null", b"null")
        yield _whole(path, "a number", b"3")
        yield _whole(path, "a text", b'"text"')
        if path.endswith((".csv", ".tsv", ".txt", ".json", ".jsonl")):
            recoded = content.decode("utf-8", "replace").encode("utf-16")
            yield Draft(name=f"{path} in UTF-16", files={path: recoded}, of=path, share=1.0)


def not_finite(stock: Stock) -> Iterator[Draft]:
    """Numbers that are none, or too large to be kept."""
    found = False
    for source in stock.tables:
        columns = numeric_columns(source.table)
        for name, spellings in _NOT_FINITE.items() if columns else ():
            found = True
            yield from _spoilt_numbers(source, columns, name, spellings)
    if not found:
        raise NotCheckedError("the reference submission has no column of numbers")


def _wrong_cells(source: Source) -> Iterator[Draft]:
    table, path = source.table, source.path
    numeric = numeric_columns(table)
    if numeric:
        yield _cells(source, "words for numbers", lambda _: "abc", numeric)
        if table.kind in JSON:
            yield _cells(source, "numbers as text", str, numeric, share=1.0)
    if len(numeric) < len(table.value_columns):
        texts = set(range(len(table.value_columns))) - numeric
        yield _cells(source, "a number for each text", lambda _: 7, texts)
    every = set(range(len(table.value_columns)))
    if table.kind in TEXT:
        yield _cells(source, "nothing for each value", lambda _: "", every)
        yield _cells(source, "a list for each value", lambda cell: f"[{cell}]", every, share=1.0)
    if table.kind in JSON:
        for name, change, share in _JSON_CELLS:
            yield _cells(source, f"{name} for each value", change, every, share=share)
    wider = replace(table, columns=(*table.columns, "extra"), rows=tuple((*row, 1) for row in table.rows))
    if table.columns != ("value",):
        yield Draft(name=f"one more column in {path}", files={path: wider}, of=path, share=1.0)
    narrower = replace(table, columns=table.columns[:-1], rows=tuple(row[:-1] for row in table.rows))
    if len(table.columns) > 1 and table.kind != "json":
        yield Draft(name=f"one column fewer in {path}", files={path: narrower}, of=path, share=1.0)


_JSON_CELLS: tuple[tuple[str, Callable[[object], object], float], ...] = (
    ("null", lambda _: None, 0.0),
    ("true", lambda _: True, 0.0),
    ("an empty object", lambda _: {}, 0.0),
    ("a list", lambda cell: [cell], 1.0),
    ("an object", lambda cell: {"value": cell}, 1.0),
)


def _cells(
    source: Source, name: str, change: Callable[[object], object], places: set[int], share: float = 0.0
) -> Draft:
    def changed(cells: Sequence[object]) -> Sequence[object]:
        return [
            change(cell) if place in places and cell is not ABSENT else cell
            for place, cell in enumerate(cells)
        ]

    table = with_values(source.table, changed)
    return Draft(name=f"{name} in {source.path}", files={source.path: table}, of=source.path, share=share)


def _wrong_form(source: Source) -> Iterator[Draft]:
    table, path = source.table, source.path
    records = [
        {name: cell for name, cell in zip(table.columns, row, strict=True) if cell is not ABSENT}
        for row in table.rows
    ]
    try:
        listed, by_number = json.dumps(records), json.dumps({str(n): r for n, r in enumerate(records)})
    except (TypeError, ValueError):
        return
    yield Draft(name=f"a list of objects as {path}", files={path: listed.encode()}, of=path, share=1.0)
    yield Draft(name=f"an object of objects as {path}", files={path: by_number.encode()}, of=path, share=1.0)
    if table.kind not in TEXT:
        as_text = replace(table, kind="csv", form=None)
        yield Draft(name=f"CSV as {path}", files={path: format_table(as_text)}, of=path, share=1.0)


def _whole(path: str, what: str, content: bytes) -> Draft:
    return Draft(name=f"{what} as {path}", files={path: content}, of=path)


def _spoilt_numbers(
    source: Source, columns: set[int], name: str, spellings: tuple[str, str]
) -> Iterator[Draft]:
    table, path = source.table, source.path
    literal = spellings[table.kind in JSON]
    if table.kind not in (*TEXT, *JSON) and len(literal) > len("-inf"):
        return
    cell: object = RAW if table.kind in (*TEXT, *JSON) else float(literal)

    def spoil(cells: Sequence[object]) -> Sequence[object]:
        return [replaced(old, cell) if place in columns else old for place, old in enumerate(cells)]

    every = with_values(table, spoil)
    if fits(table, len(literal)):
        files = {path: _written(every, literal)}
        yield Draft(name=f"{name} for every number in {path}", files=files, of=path)
    one = replace(table, rows=(every.rows[0], *table.rows[1:]))
    if len(table.rows) > 1:
        files = {path: _written(one, literal)}
        yield Draft(name=f"{name} in one record of {path}", files=files, of=path, share=1.0)


def _written(table: Table, literal: str) -> bytes | Table:
    return spell(table, literal) if table.kind in (*TEXT, *JSON) else table
