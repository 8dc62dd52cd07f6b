"""Attacks by answers that need no look at the question: one everywhere, or all at once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.attack import Draft
from pytest_innovatorbench.authoring.attacks.values import (
    JSON,
    TEXT,
    fits,
    numeric_columns,
    replaced,
    share_without_values,
    value_places,
    with_values,
)
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import Table, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_innovatorbench.authoring.attacks.stock import Source, Stock

_FEW_LABELS = 50
_MOST_LABELS = 1_000
_LONGEST_CELL = 2_000
_MOST_PAIRS = 200_000
_MOST_CONSTANTS = 6


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
            lambda cells: [replaced(c, one) if p in numeric else c for p, c in enumerate(cells)],
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
    if not fits(table, _LONGEST_CELL):
        return
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
