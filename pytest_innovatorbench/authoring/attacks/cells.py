"""Attacks on the values of records: of the wrong type, not finite, all the same, all at once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.attack import Draft
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import ABSENT, Table, format_table, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_innovatorbench.authoring.attacks.stock import Source, Stock

TEXT = ("csv", "tsv", "txt")
JSON = ("json", "jsonl")
_RAW = "@@raw@@"
_NOT_FINITE = {
    "NaN": ("nan", "NaN"),
    "inf": ("inf", "Infinity"),
    "-inf": ("-inf", "-Infinity"),
    "1e999": ("1e999", "1e999"),
    "-1e999": ("-1e999", "-1e999"),
    "400 digits": ("9" * 400, "9" * 400),
    "5,000 digits": ("9" * 5_000, "9" * 5_000),
}
_FEW_LABELS = 50
_MOST_LABELS = 1_000
_LONGEST_CELL = 2_000
_MOST_PAIRS = 200_000
_MOST_CONSTANTS = 6


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


def constant(stock: Stock) -> Iterator[Draft]:
    """One answer everywhere."""
    sources = [source for source in stock.tables if len(source.table.rows) > 1]
    if not sources:
        raise NotCheckedError("the reference submission has no records")
    for source in sources:
        share = share_without_values(stock, source.table)
        for name, cells in _constants(source.table):
            table = with_values(source.table, lambda _, cells=cells: cells)  # type: ignore[misc]  # mypy's lambda
            yield Draft(
                name=f"{name} everywhere in {source.path}",
                files={source.path: table},
                of=source.path,
                share=share,
            )


def all_answers(stock: Stock) -> Iterator[Draft]:
    """Every possible answer at once."""
    drafts = [draft for source in stock.tables for draft in _all_answers(stock, source)]
    if not drafts:
        raise NotCheckedError("the reference submission has no labels or probabilities")
    yield from drafts


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
    """Return a table as it is written, with a literal wherever `raw` is a cell."""
    data = format_table(table)
    return data.replace(b'"' + _RAW.encode() + b'"', literal.encode()).replace(
        _RAW.encode(), literal.encode()
    )


def raw() -> str:
    """Return the cell that `spell` puts a literal in place of."""
    return _RAW


def share_without_values(stock: Stock, table: Table) -> float:
    """Return what records deserve whose values are spoilt.

    Where the records themselves are the choice, as the examples to train on, their values may count for
    nothing, so only an evaluator that pays more than for the reference is wrong for sure.
    """
    return 0.0 if not table.key_columns or stock.is_complete(table) else 1.0


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
    cell: object = _RAW if table.kind in (*TEXT, *JSON) else float(literal)

    def spoil(cells: Sequence[object]) -> Sequence[object]:
        return [_replaced(old, cell) if place in columns else old for place, old in enumerate(cells)]

    every = with_values(table, spoil)
    yield Draft(name=f"{name} for every number in {path}", files={path: _written(every, literal)}, of=path)
    one = replace(table, rows=(every.rows[0], *table.rows[1:]))
    if len(table.rows) > 1:
        files = {path: _written(one, literal)}
        yield Draft(name=f"{name} in one record of {path}", files=files, of=path, share=1.0)


def _written(table: Table, literal: str) -> bytes | Table:
    return spell(table, literal) if table.kind in (*TEXT, *JSON) else table


def _replaced(old: object, cell: object) -> object:
    return [_replaced(item, cell) for item in old] if isinstance(old, list) else cell


def _is_numeric(cell: object) -> bool:
    if isinstance(cell, list):
        return bool(cell) and all(map(_is_numeric, cell))
    return number(cell) is not None


def _constants(table: Table) -> Iterator[tuple[str, Sequence[object]]]:
    places = value_places(table)
    values = [[row[place] for place in places] for row in table.rows]
    counted = Counter(json.dumps(cells, default=str) for cells in values)
    spelt = {json.dumps(cells, default=str): cells for cells in reversed(values)}
    for text, count in counted.most_common(_MOST_CONSTANTS):
        if count > 1:
            yield f"the answer {_short(spelt[text])}", spelt[text]
    yield "the first answer", values[0]
    yield "0", [_zero(cell, table) for cell in values[0]]
    if table.kind in (*TEXT, *JSON):
        yield "an empty text", ["" for _ in places]
    numeric = numeric_columns(table)
    if numeric:
        columns = list(zip(*values, strict=True))
        yield (
            "the mean answer",
            [_mean(column, table) if place in numeric else column[0] for place, column in enumerate(columns)],
        )


def _short(cells: Sequence[object]) -> str:
    text = ", ".join(map(str, cells))
    return repr(text if len(text) <= 40 else text[:37] + "...")  # noqa: PLR2004 - a line of a report


def _zero(cell: object, table: Table) -> object:
    if isinstance(cell, list):
        return [_zero(item, table) for item in cell]
    return "0" if table.kind in TEXT else 0


def _mean(column: Iterable[object], table: Table) -> object:
    cells = list(column)
    if isinstance(cells[0], list):
        lists = [cell for cell in cells if isinstance(cell, list) and len(cell) == len(cells[0])]
        return [_mean(items, table) for items in zip(*lists, strict=True)]
    numbers = [value for cell in cells if (value := number(cell)) is not None]
    mean = sum(numbers) / max(1, len(numbers))
    return f"{mean:.6g}" if table.kind in TEXT else mean


def _all_answers(stock: Stock, source: Source) -> Iterator[Draft]:
    table, path = source.table, source.path
    share = share_without_values(stock, table)
    labels = _labels(table)
    for place, answers in labels.items():
        for name, cell in _joined(answers, table):
            changed = with_values(table, lambda cells, p=place, c=cell: [*cells[:p], c, *cells[p + 1 :]])  # type: ignore[misc]  # mypy's lambda
            yield Draft(name=f"{name} in {path}", files={path: changed}, of=path, share=share)
        if len(labels) == 1 and table.key_columns and len(table.rows) * len(answers) <= _MOST_PAIRS:
            yield _each(source, place, answers, share)
    numeric = numeric_columns(table)
    if len(numeric) > 1 or any(isinstance(cell, list) for row in table.rows[:1] for cell in row):
        one: object = "1" if table.kind in TEXT else 1
        ones = with_values(
            table,
            lambda cells: [_replaced(c, one) if p in numeric else c for p, c in enumerate(cells)],
        )
        yield Draft(name=f"1 for every class in {path}", files={path: ones}, of=path, share=share)


def _labels(table: Table) -> dict[int, list[object]]:
    """Return the different answers by their place in a record's values, where they are no measurements."""
    labels: dict[int, list[object]] = {}
    for place, name in enumerate(table.value_columns):
        cells = [cell for cell in table.column(name) if isinstance(cell, str | int)]
        different = list(dict.fromkeys(cells))
        is_number = bool(cells) and all(number(cell) is not None for cell in cells)
        fractional = any("." in str(cell) or "e" in str(cell).lower() for cell in different)
        if len(different) > 1 and (not is_number or (len(different) <= _FEW_LABELS and not fractional)):
            labels[place] = list(different[:_MOST_LABELS])
    return labels


def _joined(answers: Sequence[object], table: Table) -> Iterator[tuple[str, object]]:
    for name, mark in (("commas", ", "), ("spaces", " "), ("line ends", "\n")):
        yield f"all answers with {name} between", mark.join(map(str, answers))[:_LONGEST_CELL]
    listed = list(answers)
    yield "a list of all answers", listed if table.kind in JSON else json.dumps(listed)[:_LONGEST_CELL]


def _each(source: Source, place: int, answers: Sequence[object], share: float) -> Draft:
    position = value_places(source.table)[place]
    rows = tuple(
        (*row[:position], answer, *row[position + 1 :]) for row in source.table.rows for answer in answers
    )
    table = replace(source.table, rows=rows)
    name = f"every id with each of the answers in {source.path}"
    return Draft(name=name, files={source.path: table}, of=source.path, share=share)
