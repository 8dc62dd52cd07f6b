"""Tables in JSON and in lines of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pytest_innovatorbench.authoring.tables.table import ABSENT, Table, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_innovatorbench.authoring.tables.table import Row

_Shape: TypeAlias = Literal["records", "values", "lists", "mapping", "mapping of records", "columns"]
_Parts: TypeAlias = tuple[_Shape, tuple[str, ...], tuple["Row", ...]]
_SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How records lie in a document.

    Attributes:
        shape: What holds them.
        frame: The object around them, with nothing in their place, if there is one.
        within: The key in it that they have.
    """

    shape: _Shape
    frame: Mapping[str, object] | None = None
    within: str = ""


def parse_json(data: bytes) -> Table:
    """Read a list of objects, scalars or lists; an object of them by id, of columns, or around a list."""
    document = _load(data)
    frame, within = _unwrap(document)
    shape, columns, rows = _parts(document if frame is None else document[within])
    form = _Form(shape=shape, frame=frame, within=within)
    return Table(kind="json", columns=columns, rows=rows, form=form)


def parse_jsonl(data: bytes) -> Table:
    """Read one object, scalar or list a line."""
    documents = [_load(line) for line in data.splitlines() if line.strip()]
    shape, columns, rows = _parts(documents)
    return Table(kind="jsonl", columns=columns, rows=rows, form=_Form(shape=shape))


def format_json(table: Table) -> bytes:
    """Write a document."""
    form = _form(table)
    document = _document(table, form.shape)
    if form.frame is not None:
        document = {**form.frame, form.within: document}
    return json.dumps(document).encode()


def format_jsonl(table: Table) -> bytes:
    """Write a line for each record."""
    return b"".join(json.dumps(item).encode() + b"\n" for item in _document(table, _form(table).shape))


def _load(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError) as problem:
        raise UnreadableError(f"no JSON that can be read: {str(problem)[:100]}") from None


def _unwrap(document: object) -> tuple[dict[str, object] | None, str]:
    """Find the one list or object among scalars, as in ``{"model": "x", "predictions": [...]}``."""
    if not isinstance(document, dict):
        return None, ""
    inner = [key for key, value in document.items() if not isinstance(value, _SCALARS)]
    if len(inner) != 1 or not document[inner[0]]:
        return None, ""
    return {**document, inner[0]: None}, inner[0]


def _parts(document: object) -> _Parts:
    if isinstance(document, list) and document:
        return _parts_of_list(document)
    if isinstance(document, dict) and document:
        return _parts_of_object(document)
    raise UnreadableError("no list or object with records")


def _parts_of_list(items: list[Any]) -> _Parts:
    if all(isinstance(item, dict) for item in items):
        columns = _names(items)
        return "records", columns, _rows(items, columns)
    if all(isinstance(item, _SCALARS) for item in items):
        return "values", ("value",), tuple((item,) for item in items)
    if all(isinstance(item, list) for item in items) and len({len(item) for item in items}) == 1:
        return "lists", tuple(map(str, range(len(items[0])))), tuple(map(tuple, items))
    raise UnreadableError("records of different kinds")


def _parts_of_object(items: dict[str, Any]) -> _Parts:
    values = list(items.values())
    if all(isinstance(value, dict) for value in values):
        columns = _names(values)
        if "key" in columns:
            raise UnreadableError("a field named key in records that have keys")
        rows = tuple((key, *row) for key, row in zip(items, _rows(values, columns), strict=True))
        return "mapping of records", ("key", *columns), rows
    if _are_columns(values):
        return "columns", tuple(items), tuple(zip(*values, strict=True))
    if all(isinstance(value, (*_SCALARS, list)) for value in values):
        return "mapping", ("key", "value"), tuple(items.items())
    raise UnreadableError("records of different kinds")


def _are_columns(values: list[Any]) -> bool:
    """Tell columns from lists by id: there are fewer of them than they have values."""
    if not all(isinstance(value, list) for value in values):
        return False
    lengths = {len(value) for value in values}
    return len(lengths) == 1 and lengths.pop() > len(values)


def _names(records: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for record in records for name in record))


def _rows(records: Sequence[Mapping[str, object]], columns: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple(tuple(record.get(name, ABSENT) for name in columns) for record in records)


def _form(table: Table) -> _Form:
    return table.form if isinstance(table.form, _Form) else _Form(shape="records")


def _document(table: Table, shape: _Shape) -> Any:  # noqa: ANN401 - any JSON value
    match shape:
        case "records":
            return [_record(table.columns, row) for row in table.rows]
        case "values":
            return [row[0] for row in table.rows]
        case "lists":
            return [list(row) for row in table.rows]
        case "mapping":
            return {str(key): value for key, value in table.rows}
        case "mapping of records":
            return {str(key): _record(table.columns[1:], values) for key, *values in table.rows}
        case "columns":
            return {name: list(table.column(name)) for name in table.columns}


def _record(columns: tuple[str, ...], row: Sequence[object]) -> dict[str, object]:
    return {name: value for name, value in zip(columns, row, strict=True) if value is not ABSENT}
