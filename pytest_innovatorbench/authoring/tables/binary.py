"""Tables in formats of numpy and Arrow, which the extra ``tables`` reads."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.authoring.tables.table import MOST_CELLS, Table, UnreadableError

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_innovatorbench.authoring.tables.table import Row

MOST_UNPACKED = 200_000_000  # bytes
_BATCH = 10_000
_INSTALL = "pip install 'pytest-innovatorbench[tables]'"


def parse_npy(data: bytes) -> Table:
    """Read an array: records, or values along its first axis."""
    array = _load_array(data)
    columns, rows = _split_array(array)
    return Table(kind="npy", columns=columns, rows=rows, form=array.dtype)


def parse_npz(data: bytes) -> Table:
    """Read arrays of one length, each a column."""
    arrays = {name: _load_array(content) for name, content in _unpack(data).items()}
    if len({array.shape[0] for array in arrays.values()}) != 1:
        raise UnreadableError("arrays of different lengths")
    rows = tuple(zip(*(array.tolist() for array in arrays.values()), strict=True))
    form = {name: array.dtype for name, array in arrays.items()}
    return Table(kind="npz", columns=tuple(arrays), rows=rows, form=form)


def parse_parquet(data: bytes) -> Table:
    """Read records."""
    parquet = _import("pyarrow.parquet")
    arrow = _import("pyarrow")
    try:
        with parquet.ParquetFile(io.BytesIO(data)) as file:
            _check_size(file)
            schema = file.schema_arrow
            # Kept as dictionaries, one long text that is repeated cannot fill the memory.
            texts = [column.name for column in schema if str(column.type) in {"string", "large_string"}]
        with parquet.ParquetFile(io.BytesIO(data), read_dictionary=texts) as file:
            batches = file.iter_batches(_BATCH)
            rows = tuple(row for batch in batches for row in zip(*map(_cells, batch.columns), strict=True))
    except (arrow.ArrowException, OSError, MemoryError) as problem:
        raise UnreadableError(f"no parquet that can be read: {str(problem)[:100]}") from None
    if not rows:
        raise UnreadableError("empty")
    return Table(kind="parquet", columns=tuple(schema.names), rows=rows, form=schema)


def format_npy(table: Table) -> bytes:
    """Write an array, of the type it had if the values still fit."""
    numpy = _import("numpy")
    file = io.BytesIO()
    numpy.save(file, _make_array(table, numpy), allow_pickle=False)
    return file.getvalue()


def format_npz(table: Table) -> bytes:
    """Write an array for each column."""
    numpy = _import("numpy")
    types = table.form if isinstance(table.form, dict) else {}
    arrays = {name: _typed(list(table.column(name)), types.get(name), numpy) for name in table.columns}
    file = io.BytesIO()
    numpy.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def format_parquet(table: Table) -> bytes:
    """Write records, with the types they had if the values still fit."""
    arrow, parquet = _import("pyarrow"), _import("pyarrow.parquet")
    columns = {name: list(table.column(name)) for name in table.columns}
    try:
        made = arrow.table(columns, schema=table.form if isinstance(table.form, arrow.Schema) else None)
    except (arrow.ArrowException, TypeError, OverflowError):
        made = arrow.table(columns)
    file = io.BytesIO()
    parquet.write_table(made, file)
    return file.getvalue()


def _import(name: str) -> ModuleType:
    import importlib  # noqa: PLC0415 - with the libraries that it imports

    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnreadableError(f"{name.partition('.')[0]} is not installed: {_INSTALL}") from None


def _load_array(data: bytes) -> Any:  # noqa: ANN401 - numpy is not always there
    """Read an array after a look at its header, which may claim more than the file holds."""
    numpy = _import("numpy")
    try:
        shape, dtype = _header(io.BytesIO(data), numpy)
        if dtype.hasobject:
            raise UnreadableError("a pickle")
        count = 1
        for length in shape:
            count *= length
        if count * dtype.itemsize > len(data) or count > MOST_CELLS:
            raise UnreadableError("larger than its file, or than what is read")
        if not shape or not count:
            raise UnreadableError("no records")
        return numpy.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError, TypeError, MemoryError, RecursionError) as problem:
        raise UnreadableError(f"no array that can be read: {str(problem)[:100]}") from None


def _header(file: io.BytesIO, numpy: ModuleType) -> tuple[tuple[int, ...], Any]:
    read_header = {
        (1, 0): numpy.lib.format.read_array_header_1_0,
        (2, 0): numpy.lib.format.read_array_header_2_0,
    }
    version = numpy.lib.format.read_magic(file)
    if version not in read_header:
        raise UnreadableError(f"version {version} of the format")
    shape, _, dtype = read_header[version](file)
    return shape, dtype


def _unpack(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                raise UnreadableError(f"more than {MOST_UNPACKED:,} bytes when unpacked")
            contents = {member.filename.removesuffix(".npy"): archive.read(member) for member in members}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as problem:
        raise UnreadableError(f"no archive that can be read: {str(problem)[:100]}") from None
    if not contents:
        raise UnreadableError("empty")
    return contents


def _split_array(array: Any) -> tuple[tuple[str, ...], tuple[Row, ...]]:  # noqa: ANN401 - see _load_array
    if array.dtype.names:
        return tuple(array.dtype.names), tuple(array.reshape(-1).tolist())
    if array.ndim == 2:  # noqa: PLR2004 - a table
        return tuple(map(str, range(array.shape[1]))), tuple(map(tuple, array.tolist()))
    return ("value",), tuple((value,) for value in array.tolist())


def _make_array(table: Table, numpy: ModuleType) -> Any:  # noqa: ANN401 - see _load_array
    dtype = table.form
    if getattr(dtype, "names", None):
        return numpy.array([tuple(row) for row in table.rows], dtype=dtype)
    values = [row[0] for row in table.rows] if table.columns == ("value",) else [list(r) for r in table.rows]
    return _typed(values, dtype, numpy)


def _typed(values: list[Any], dtype: object, numpy: ModuleType) -> Any:  # noqa: ANN401 - see _load_array
    """Return an array of a type, or of one that the values have where they do not fit into it."""
    natural = numpy.array(values)
    if dtype is None or natural.dtype.kind != getattr(dtype, "kind", None):
        can = dtype is not None and numpy.can_cast(natural.dtype, dtype, "same_kind")
        return natural.astype(dtype) if can else natural
    return natural if natural.dtype.kind in "USV" else natural.astype(dtype)


def _check_size(file: Any) -> None:  # noqa: ANN401 - pyarrow is not always there
    details = file.metadata
    sizes = sum(details.row_group(place).total_byte_size for place in range(details.num_row_groups))
    if details.num_rows * details.num_columns > MOST_CELLS or sizes > MOST_UNPACKED:
        raise UnreadableError(f"more than {MOST_CELLS:,} cells or {MOST_UNPACKED:,} bytes when unpacked")


def _cells(column: Any) -> list[object]:  # noqa: ANN401 - pyarrow is not always there
    if hasattr(column, "dictionary"):
        texts = column.dictionary.to_pylist()
        return [None if place is None else texts[place] for place in column.indices.to_pylist()]
    cells: list[object] = column.to_pylist()
    return cells
