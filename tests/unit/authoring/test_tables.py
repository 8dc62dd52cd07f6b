"""Tables in files of strangers."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from pytest_innovatorbench.authoring.tables import (
    ABSENT,
    MOST_BYTES,
    Table,
    explain_unreadable,
    number,
    read_table,
    write_table,
)
from pytest_innovatorbench.authoring.tables.table import MOST_CELLS

TEXTS = {
    "plain.csv": "id,y\nt0,0.5\nt1,-1\n",
    "quoted.csv": 'id,text\nt0,"a, b"\nt1,"say ""x"""\n',
    "semicolons.csv": "id;y\nt0;0,5\nt1;1\n",
    "windows.csv": "id,y\r\nt0,1\r\nt1,2\r\n",
    "bom.csv": "\ufeffid,y\nt0,1\n",
    "headless.csv": "1,2\n3,4\n",
    "header.csv": "id,y\n",
    "plain.tsv": 'id\ttext\nt0\ta "b\nt1\t"quoted" in part\n',
    "records.json": '[{"id": "a", "y": 1}, {"id": "b", "z": null}]',
    "values.json": '[1, 2.5, null, "x"]',
    "lists.json": "[[1, 2], [3, 4]]",
    "mapping.json": '{"a": 1, "b": 2}',
    "vectors.json": '{"a": [0.1, 0.9], "b": [0.5, 0.5]}',
    "objects.json": '{"a": {"y": 1}, "b": {"y": 2}}',
    "columns.json": '{"id": ["a", "b", "c"], "y": [1, 2, 3]}',
    "wrapped.json": '{"model": "m", "predictions": [{"id": "a", "y": 1}], "n": 1}',
    "records.jsonl": '{"id": "a", "y": 1}\n\n{"id": "b", "y": 2}\n',
    "values.ndjson": '1\n"x"\n',
    "values.txt": "one\ntwo words\n",
}
COLUMNS = {
    "plain.csv": (("id", "y"), ("t0", "0.5")),
    "quoted.csv": (("id", "text"), ("t0", "a, b")),
    "semicolons.csv": (("id", "y"), ("t0", "0,5")),
    "bom.csv": (("id", "y"), ("t0", "1")),
    "headless.csv": (("0", "1"), ("1", "2")),
    "plain.tsv": (("id", "text"), ("t0", 'a "b')),
    "records.json": (("id", "y", "z"), ("a", 1, ABSENT)),
    "values.json": (("value",), (1,)),
    "lists.json": (("0", "1"), (1, 2)),
    "mapping.json": (("key", "value"), ("a", 1)),
    "vectors.json": (("key", "value"), ("a", [0.1, 0.9])),
    "objects.json": (("key", "y"), ("a", 1)),
    "columns.json": (("id", "y"), ("a", 1)),
    "wrapped.json": (("id", "y"), ("a", 1)),
    "values.txt": (("value",), ("one",)),
}


def reason(path: Path) -> str:
    assert read_table(path) is None
    why = explain_unreadable(path)
    assert why is not None
    return why


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_read_and_written_is_the_same(name: str, tmp_path: Path) -> None:
    source = put(tmp_path / name, TEXTS[name])
    table = read_table(source)
    assert table is not None
    written = tmp_path / "written" / name
    written.parent.mkdir()
    write_table(table, written)
    assert read_table(written) == table
    if source.suffix == ".json":
        assert json.loads(written.read_bytes()) == json.loads(source.read_bytes())
    elif source.suffix in {".csv", ".tsv", ".txt"}:
        assert written.read_bytes() == source.read_bytes().removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", COLUMNS)
def test_records_have_columns(name: str, tmp_path: Path) -> None:
    table = read_table(put(tmp_path / name, TEXTS[name]))
    assert table is not None
    assert (table.columns, table.rows[0]) == COLUMNS[name]


@pytest.mark.parametrize(
    ("array", "columns", "row"),
    [
        (np.array([0.5, 1], "f4"), ("value",), (0.5,)),
        (np.array([[1, 2], [3, 4]]), ("0", "1"), (1, 2)),
        (np.zeros((2, 1, 2), "i2"), ("value",), ([[0, 0]],)),
        (np.array(["a", "bc"]), ("value",), ("a",)),
        (np.array([("a", 1.0), ("b", 2.0)], [("id", "U1"), ("y", "f8")]), ("id", "y"), ("a", 1.0)),
    ],
)
def test_arrays_keep_shape_and_type(
    array: np.ndarray, columns: tuple[str, ...], row: tuple[object, ...], tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", array)
    table = read_table(tmp_path / "a.npy")
    assert table is not None
    assert (table.columns, table.rows[0]) == (columns, row)
    write_table(table, tmp_path / "b.npy")
    again = np.load(tmp_path / "b.npy")
    assert again.dtype == array.dtype
    assert (again == array).all()


def test_arrays_that_no_longer_fit_get_a_type_of_their_own(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([1, 2]))
    table = read_table(tmp_path / "a.npy")
    assert table is not None
    write_table(replace(table, rows=(("x",), ("y",))), tmp_path / "b.npy")
    assert np.load(tmp_path / "b.npy").tolist() == ["x", "y"]
    with pytest.raises(ValueError, match="npy has no form for these values"):
        write_table(replace(table, rows=((1,), ([2, 3],))), tmp_path / "b.npy")


def test_archives_of_arrays_are_columns(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", allow_pickle=False, id=np.array([7, 8]), p=np.array([[0.5, 0.5], [1, 0]]))
    table = read_table(tmp_path / "a.npz")
    assert table is not None
    assert (table.columns, table.rows[1], table.key_columns) == (("id", "p"), (8, [1.0, 0.0]), ("id",))
    write_table(table, tmp_path / "b.npz")
    assert read_table(tmp_path / "b.npz") == table


def test_parquet_keeps_its_schema(tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.string()), ("y", pa.float32()), ("tags", pa.list_(pa.int8()))])
    made = pa.table({"id": ["a", "b"], "y": [0.5, None], "tags": [[1], []]}, schema=schema)
    pq.write_table(made, tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table is not None
    assert (table.columns, table.rows) == (("id", "y", "tags"), (("a", 0.5, [1]), ("b", None, [])))
    write_table(table, tmp_path / "b.parquet")
    assert pq.read_table(tmp_path / "b.parquet").equals(made)
    write_table(replace(table, rows=(("a", "half", None),)), tmp_path / "c.parquet")
    assert pq.read_table(tmp_path / "c.parquet").to_pylist() == [{"id": "a", "y": "half", "tags": None}]


def test_a_text_that_is_repeated_a_million_times_does_not_fill_the_memory(tmp_path: Path) -> None:
    long = pa.array(["x" * 1_000_000], pa.string())
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), long)
    pq.write_table(pa.table({"id": repeated}), tmp_path / "a.parquet", store_schema=False)
    table = read_table(tmp_path / "a.parquet")
    assert table is not None
    assert len({id(row[0]) for row in table.rows}) < 20


@pytest.mark.parametrize(
    ("columns", "rows", "keys"),
    [
        (("id", "y"), (("a", "1"), ("b", "1")), ("id",)),
        (("y", "sample_id"), (("1", "a"), ("2", "b")), ("sample_id",)),
        (("PassengerId", "Survived"), (("1", "0"), ("2", "0")), ("PassengerId",)),
        (("user_id", "item_id", "rating"), ((1, 1, 5), (1, 2, 4), (2, 1, 5)), ("user_id", "item_id")),
        (("word", "y"), (("cat", "1"), ("dog", "1")), ("word",)),
        (("x", "y"), (("0.5", "1"), ("0.75", "2")), ()),
        (("id", "y"), (("a", "1"), ("a", "2")), ()),
        (("id",), (("a",), ("b",)), ()),
        (("id", "idx"), (("a", "1"), ("b", "2")), ("id",)),
        (("label", "y"), (("a", "1"), ("a", "1")), ()),
        (("id", "y"), ((None, 1), ([], 2)), ()),
        (("id", "y"), (), ()),
    ],
)
def test_records_are_told_apart_by_keys(
    columns: tuple[str, ...], rows: tuple[tuple[object, ...], ...], keys: tuple[str, ...]
) -> None:
    table = Table(kind="csv", columns=columns, rows=rows)
    assert table.key_columns == keys
    assert table.value_columns == tuple(name for name in columns if name not in keys)
    assert table.record_keys() == tuple(tuple(row[columns.index(name)] for name in keys) for row in rows)


def test_cells_are_numbers_or_not() -> None:
    cells: tuple[object, ...] = ("1e3", 2, True, None, "x", [], 10**400)
    assert [number(cell) for cell in cells] == [1000, 2, None, None, None, None, None]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.bin", "x", ".bin is no format of tables"),
        ("noname", "x", "a name without suffix is no format of tables"),
        ("a.csv", "", "empty"),
        ("a.txt", "\n", "empty"),
        ("a.csv", b"\xff\xfe", "not UTF-8 text"),
        ("a.csv", "a,b\n1\n", "lines with different numbers of values"),
        ("a.csv", "a,a\n1,2\n", "two columns of one name"),
        ("a.csv", f'"{"x" * 200_000}"\n', "field larger than field limit (131072)"),
        ("a.json", "[" * 100_000, "no JSON that can be read"),
        ("a.json", '{"a":' * 100_000, "no JSON that can be read"),
        ("a.json", "[" + "1" * 10_000 + "]", "no JSON that can be read"),
        ("a.json", "nothing", "no JSON that can be read"),
        ("a.json", "[]", "no list or object with records"),
        ("a.json", "3", "no list or object with records"),
        ("a.json", '[1, {"a": 1}]', "records of different kinds"),
        ("a.json", '{"a": {"b": 1}, "c": 1, "d": {}}', "records of different kinds"),
        ("a.json", '{"a": {"key": 1}, "b": {"key": 1}}', "a field named key in records that have keys"),
        ("a.jsonl", "[1]\n[" + "[" * 100_000, "no JSON that can be read"),
        ("a.npy", b"\x80\x04.", "no array that can be read"),
        ("a.npz", b"PK\x03\x04", "no archive that can be read"),
        ("a.parquet", b"PAR1PAR1", "no parquet that can be read"),
    ],
)  # fmt: skip
def test_what_holds_no_records_is_no_table(name: str, content: str | bytes, why: str, tmp_path: Path) -> None:
    assert reason(put(tmp_path / name, content)).startswith(why)


def test_only_regular_files_of_a_size_are_read(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", "id,y\nt,1\n")
    (tmp_path / "link.csv").symlink_to("a.csv")
    os.mkfifo(tmp_path / "fifo.csv")
    (tmp_path / "folder.csv").mkdir()
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert reason(tmp_path / "link.csv").startswith("cannot be opened")
    assert reason(tmp_path / "fifo.csv") == "not a regular file"
    assert reason(tmp_path / "folder.csv") == "not a regular file"
    assert reason(tmp_path / "large.csv") == f"more than {MOST_BYTES:,} bytes"
    assert reason(tmp_path / "missing.csv").startswith("cannot be opened")
    assert explain_unreadable(tmp_path / "a.csv") is None


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([object()], dtype=object), allow_pickle=True)
    assert reason(tmp_path / "a.npy") == "a pickle"


def test_headers_that_claim_too_much_are_not_believed(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    assert reason(put(tmp_path / "a.npy", file.getvalue())).startswith("larger than its file")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(300_000_000))
    assert reason(tmp_path / "bomb.npz") == "more than 200,000,000 bytes when unpacked"
    pq.write_table(pa.table({"a": pa.array([0] * (MOST_CELLS + 1), pa.int8())}), tmp_path / "a.parquet")
    assert reason(tmp_path / "a.parquet").startswith("more than 5,000,000 cells")


def test_a_table_has_a_most_number_of_cells(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", "a,b\n" + ",\n" * (MOST_CELLS // 2 + 1))
    assert reason(tmp_path / "a.csv") == "more than 5,000,000 cells"


def test_without_libraries_the_reason_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "a.npy", np.array([1]))
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    for name in ("numpy", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    extra = "is not installed: pip install 'pytest-innovatorbench[tables]'"
    assert reason(tmp_path / "a.npy") == f"numpy {extra}"
    assert reason(tmp_path / "a.parquet") == f"pyarrow {extra}"
