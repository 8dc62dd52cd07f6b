"""Files of strangers are read without running, following or unpacking more than is safe."""

from __future__ import annotations

import base64
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from pytest_innovatorbench.authoring import contents, contents_archives
from pytest_innovatorbench.authoring.contents import Contents, read_contents
from pytest_innovatorbench.authoring.contents_files import MOST_WHOLE, sniff
from pytest_innovatorbench.authoring.contents_text import decode, normal_lines, placed_words, read_notebook

MB = 1_000_000


def put(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def read(folder: Path) -> Contents:
    return read_contents(folder, folder.parent)


def why(folder: Path) -> dict[str, str]:
    """Return why files are not looked into, by their names below the folder."""
    return {unread.shown.partition("/")[2]: unread.why for unread in read(folder).unread}


def names(folder: Path) -> list[str]:
    return sorted(content.shown.partition("/")[2] for content in read(folder).files)


def as_zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def as_tar(members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "gym"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.txt", b"text", "text"),
        ("a.bin", b"a\0b", "opaque"),
        ("a.txt", "text".encode("utf-16"), "text"),
        ("a.csv", b"PK\x03\x04", "zip"),
        ("a.npz", b"PK\x03\x04", "npz"),
        ("a.docx", b"PK\x03\x04", "opaque"),
        ("model.pt", b"PK\x03\x04", "opaque"),
        ("a", b"\x93NUMPY\x01\0", "npy"),
        ("a", b"PAR1", "parquet"),
        ("a", b"\x80\x04\x95", "opaque"),
        ("a.pkl", b"c__builtin__\neval\n", "opaque"),
        ("a", bytes(257) + b"ustar\0", "tar"),
        ("a", b"\x1f\x8b\x08", "gz"),
        ("a", b"", "text"),
    ],
)
def test_files_are_what_their_first_bytes_say(name: str, head: bytes, kind: str) -> None:
    assert sniff(name, head) == kind


def test_what_a_file_holds(folder: Path) -> None:
    file = put(folder, "data/a.csv", b"id,y\r\n1,2\r\n")
    (content,) = read(folder).files
    assert content.shown == content.file == "gym/data/a.csv"
    assert content.path.as_posix() == "data/a.csv"
    assert content.text == "id,y\n1,2\n"
    assert [(part.name, part.keys, part.table.rows) for part in content.parts] == [
        ("", ("id",), (("1", "2"),))
    ]
    file.unlink()
    assert content.text == "id,y\n1,2\n"  # read once


def test_records_without_a_telling_name(folder: Path) -> None:
    put(folder, "a", b'{"id": 1, "y": 2}\n')
    put(folder, "b.log", b"id\ty\n1\t2\n")
    put(folder, "c", b'[{"id": 1, "y": 2}]')
    put(folder, "d.md", b"a, b\nc, d\n")
    put(folder, "e", b"one\ntwo\n")
    columns = {
        content.path.name: [part.table.columns for part in content.parts] for content in read(folder).files
    }
    records = [("id", "y")]
    assert columns == {"a": records, "b.log": records, "c": records, "d.md": [], "e": [("value",)]}


def test_splits_in_one_document(folder: Path) -> None:
    put(folder, "a.json", json.dumps({"train": [{"y": 1}], "test": [{"y": 2}, {"y": 3}], "n": 3}).encode())
    (content,) = read(folder).files
    assert [(part.name, len(part.table.rows)) for part in content.parts] == [
        ("", 3),
        ("train", 1),
        ("test", 2),
    ]


def test_links_pipes_and_sockets_are_left_alone(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret.txt", b"secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "outside").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    assert names(folder) == []
    (tmp_path / "other").symlink_to(folder)
    put(folder, "a.txt", b"text")
    assert read(tmp_path / "other").files == ()
    assert read(tmp_path / "missing").files == ()


def test_a_file_that_becomes_a_link_or_goes(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret.txt", b"secret")
    for name in ("a.txt", "b.txt"):
        put(folder, name, b"text")
    first, second = read(folder).files
    for name in ("a.txt", "b.txt"):
        (folder / name).unlink()
    (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
    assert (first.text, first.digest, second.text, second.digest) == ("", "", "", "")


def test_a_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.txt", b"text")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pytest_innovatorbench.authoring.contents_files.os.open", refuse)
    assert why(folder) == {"a.txt": "Permission denied"}


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("unpickled"),)


@pytest.mark.parametrize("name", ["a.pkl", "a.joblib", "a.csv", "a.npy", "a.npz", "a.zip", "a.json"])
def test_pickles_are_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(folder.parent)
    data = pickle.dumps(Trap())
    if name.endswith((".npy", ".npz")):
        file = io.BytesIO()
        array = np.array([Trap()], dtype=object)
        np.save(file, array, allow_pickle=True) if name.endswith("y") else np.savez(file, a=array)
        data = file.getvalue()
    put(folder, name, as_zip({"a.pkl": data}) if name.endswith("zip") else data)
    for content in read(folder).files:
        assert content.text is None
        assert content.parts == ()
        if content.kind in {"npy", "npz"}:
            assert content.why_no_records == "holds no records that can be read"
    assert not Path("unpickled").exists()


def test_a_truncated_parquet(folder: Path) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(1000)), "y": list(range(1000))}), file)
    put(folder, "a.parquet", file.getvalue()[:-20])
    (content,) = read(folder).files
    assert content.parts == ()
    assert content.why_no_records == "holds no records that can be read"


def test_without_the_libraries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.parquet", b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (content,) = read(folder).files
    assert content.why_no_records == "needs pyarrow: pip install 'pytest-innovatorbench[tables]'"


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ipynb"])
def test_deep_json(folder: Path, name: str) -> None:
    put(folder, name, b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    (content,) = read(folder).files
    assert content.parts == ()
    assert content.text is not None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfa\r\nb\rc", "a\nb\nc"),
        ("é\n".encode("utf-16"), "é\n"),
        ("é".encode("latin-1"), "é"),
        (b"a\0b", None),
        (b"\xff\0\xff", None),
        (b"\xff\xfe\xff", "ÿþÿ"),
        (b"", ""),
    ],
)
def test_texts_of_any_encoding(data: bytes, text: str | None) -> None:
    assert decode(data) == text


def test_notebooks() -> None:
    cells = [{"source": ["a\n", "b"], "outputs": [{"data": {"text/plain": "c"}}]}, 7, {"source": "d"}]
    assert read_notebook(json.dumps({"cells": cells})) == "a\nb\nc\nd"
    for text in ("no json", "[1]", '{"cells": 3}'):
        assert read_notebook(text) == text


def test_forms_that_words_and_lines_are_compared_in() -> None:
    assert normal_lines("B  c\n\n\tA ") == ["a", "b c"]
    assert placed_words("One, two\n*three*") == (["one", "two", "three"], [1, 1, 2])


# Archives.


def test_names_that_lead_out_of_an_archive(folder: Path, tmp_path: Path) -> None:
    infos = [tarfile.TarInfo(name) for name in ("../../out.txt", "/etc/out.txt", "a\x1b[2J\n.txt")]
    put(folder, "a.tar", as_tar([(info, b"text") for info in infos]))
    put(folder, "b.zip", as_zip({"../out.txt": b"text"}))
    before = sorted(tmp_path.rglob("*"))
    assert names(folder) == [
        "a.tar",
        "a.tar!../../out.txt",
        "a.tar!/etc/out.txt",
        "a.tar!a\\x1b[2J .txt",
        "b.zip",
        "b.zip!../out.txt",
    ]
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_devices_in_a_tar(folder: Path) -> None:
    link, device, pipe = (tarfile.TarInfo(name) for name in ("link", "device", "pipe"))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type, pipe.type = tarfile.CHRTYPE, tarfile.FIFOTYPE
    put(folder, "a.tar", as_tar([(link, b""), (device, b""), (pipe, b""), (tarfile.TarInfo("x"), b"x")]))
    assert names(folder) == ["a.tar", "a.tar!x"]


def test_archives_in_archives_up_to_a_depth(folder: Path) -> None:
    data = b"text"
    for _ in range(5):
        data = as_zip({"a.zip": data})
    put(folder, "a.zip", data)
    assert names(folder)[-1] == "a.zip!a.zip!a.zip!a.zip"
    assert why(folder) == {"a.zip!a.zip!a.zip!a.zip": "an archive within 3 others"}


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 and no more", b"\x1f\x8b\x08 no", b"BZh9 no", b"\xfd7zXZ\0 no"]
)
def test_damaged_archives(folder: Path, data: bytes) -> None:
    put(folder, "a", data)
    assert why(folder)["a"].startswith("the archive cannot be read (")


def test_a_truncated_tar_is_read_as_far_as_it_goes(folder: Path) -> None:
    data = as_tar([(tarfile.TarInfo(name), b"x" * 5000) for name in ("a", "b")])
    put(folder, "a.tar", data[:9000])
    assert names(folder) == ["a.tar", "a.tar!a"]
    assert why(folder) == {"a.tar": "the archive cannot be read (unexpected end of data)"}


def test_an_encrypted_zip(folder: Path) -> None:
    data = bytearray(as_zip({"a.txt": b"text"}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    put(folder, "a.zip", bytes(data))
    assert why(folder) == {"a.zip": "the archive is encrypted"}


def bombs() -> dict[str, bytes]:
    """Return archives of a few MB at most that unpack to hundreds."""
    blank = b" " * (100 * MB)
    many = {f"{number}.txt": b" " * (7 * MB) for number in range(20)}
    sparse = tarfile.TarInfo("sparse")
    pax = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "sparse"}
    sparse.pax_headers = {**pax, "GNU.sparse.size": str(7 * MB), "GNU.sparse.map": f"{7 * MB},0"}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(20):
            sparse.name = f"sparse{number}"
            archive.addfile(sparse)
    return {
        "zip of one": as_zip({"a.txt": blank}),
        "zip of many": as_zip(many),
        "gz": gzip.compress(blank, 1),
        "gz in gz": gzip.compress(gzip.compress(blank, 1)),
        "xz": lzma.compress(blank, preset=0),
        "tar in gz": as_tar([(tarfile.TarInfo("a"), blank)], "w:gz"),
        "sparse tar": file.getvalue(),
    }


BOMBS = ("zip of one", "zip of many", "gz", "gz in gz", "xz", "tar in gz", "sparse tar")


@pytest.fixture(scope="session")
def made_bombs() -> dict[str, bytes]:
    return bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(folder: Path, made_bombs: dict[str, bytes], name: str) -> None:
    put(folder, "a", made_bombs[name])
    tracemalloc.start()
    try:
        found = read(folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 120 * MB
    assert sum(content.size for content in found.files) < 60 * MB
    opaque = "neither text nor a format that is read"  # the zeros of a sparse file
    limits = {"larger than 8 MB", "archives unpack to more than 48 MB"}
    said = {unread.why for unread in found.unread} - {opaque}
    assert said
    assert said <= limits


def test_all_archives_share_one_budget(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents_archives, "MOST_UNPACKED", 1000)
    budget = contents_archives.Budget(unpacked=1000, members=10)
    monkeypatch.setattr(contents, "Budget", lambda: budget)
    for name in ("a.zip", "b.zip"):
        put(folder, name, as_zip({"x.txt": b" " * 600}))
    assert why(folder) == {"b.zip": "archives unpack to more than 0 MB"}


def test_archives_of_very_many_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "Budget", lambda: contents_archives.Budget(members=3))
    put(folder, "a.zip", as_zip({f"{number}": b"x" for number in range(5)}))
    assert len(names(folder)) == 4
    assert why(folder) == {"a.zip": "archives hold more than 10,000 files"}


# Large folders and files.


def test_a_large_text_is_sampled_by_whole_lines(folder: Path) -> None:
    lines = [f"{number:08},{number % 7}" for number in range(MOST_WHOLE // 10)]
    put(folder, "a.csv", "\n".join(["id,y", *lines, ""]).encode())
    (content,) = read(folder).files
    assert content.text is not None
    sample = content.text.splitlines()
    assert sample[:2] == ["id,y", "00000000,0"]
    assert sample[-1] == lines[-1]
    assert set(sample[1:]) <= set(lines)
    assert len(content.data) < 5 * MB
    assert len(content.parts[0].table.rows) == len(sample) - 1
    assert why(folder) == {"a.csv": "of more than 8 MB, only samples are read"}


def test_two_gigabytes_take_no_memory(folder: Path) -> None:
    file = put(folder, "a.csv", b"id,y\n1,2\n")
    os.truncate(file, 2_000 * MB)
    tracemalloc.start()
    try:
        (content,) = read(folder).files
        assert content.text is None
        assert content.parts == ()
        assert tracemalloc.get_traced_memory()[1] < 30 * MB
    finally:
        tracemalloc.stop()


def test_a_large_file_in_a_format_that_cannot_be_sampled(folder: Path) -> None:
    file = put(folder, "a.parquet", b"PAR1")
    os.truncate(file, MOST_WHOLE + 1)
    (content,) = read(folder).files
    assert (content.kind, content.parts) == ("opaque", ())
    assert why(folder) == {"a.parquet": "larger than 8 MB"}


def test_the_smallest_files_are_read_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_READ", 1000)
    for name, size in (("a.txt", 900), ("b.txt", 90), ("c.txt", 30)):
        put(folder, name, b"x" * size)
    assert why(folder) == {"a.txt": "smaller files have 0 MB already"}
    assert [content.kind for content in read(folder).files] == ["text", "text", "opaque"]


def test_very_many_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_FILES", 3)
    for number in range(5):
        put(folder, f"{number}.txt", b"x")
    assert read(folder).unread[0].why == "only the 3 smallest files of 5 are looked at"
    assert len(read(folder).files) == 3


@pytest.mark.parametrize(
    ("most", "count", "left_out"),
    [
        (1_000_000, 3, {}),
        (1_000_000, 5, {"a.txt": "only its first 3 encoded parts are looked at"}),
        (
            450,
            3,
            {"a.txt!base64 in line 3": "smaller files and encoded parts have 0 MB already"},
        ),
    ],
)
def test_encoded_parts_that_are_too_many_or_too_large_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, most: int, count: int, left_out: dict[str, str]
) -> None:
    monkeypatch.setattr(contents, "MOST_FOUND", 3)
    monkeypatch.setattr(contents, "MOST_READ", most)
    one = base64.b64encode(b"so it is said, and it is said again in other words, too")
    put(folder, "a.txt", (one + b"\n" + b"-" * 50 + b"\n") * count)
    found = read_contents(folder, folder.parent, is_decoded=True)
    assert {unread.shown.partition("/")[2]: unread.why for unread in found.unread} == left_out
