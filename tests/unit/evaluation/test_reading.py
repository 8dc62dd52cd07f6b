"""Reading what an agent wrote, in evaluators."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evaluations.base.reading import MOST_BYTES, RejectedError, parse_number, read_lines, read_text
from pytest_innovatorbench.evaluation.contract import reading


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"id,a\n1,2\n3,4\n", ["1,2", "3,4"]),
        (b"id,a\r\n1,2\r\n3,4", ["1,2", "3,4"]),
        (b"id,a\n1,2\n\n\n", ["1,2"]),
        (b"id,a\n1\r2\n", ["1\r2"]),
        (b"id,a", []),
    ],
)
def test_lines_below_a_header(table: Path, content: bytes, lines: list[str]) -> None:
    table.write_bytes(content)
    assert read_lines(table, "id,a") == lines


@pytest.mark.parametrize(("content", "lines"), [(b"1\n\n2\n", ["1", "", "2"]), (b"", []), (b" \n\n", [])])
def test_lines_without_a_header(table: Path, content: bytes, lines: list[str]) -> None:
    table.write_bytes(content)
    assert read_lines(table) == lines


def test_another_header_is_named(table: Path) -> None:
    table.write_text("a,id\n1,2\n")
    with pytest.raises(RejectedError, match=r"^the first line of table\.csv must be 'id,a'$"):
        read_lines(table, "id,a")


def test_what_is_no_text_of_ours_is_refused(table: Path) -> None:
    with pytest.raises(RejectedError, match=r"^data/outputs/table\.csv is missing or can't be read$"):
        read_text(table)
    table.mkdir()
    with pytest.raises(RejectedError, match=r"^table\.csv is not a regular file$"):
        read_text(table)
    table.rmdir()
    table.symlink_to("/etc/passwd")
    with pytest.raises(RejectedError, match=r"^table\.csv is not a regular file$"):
        read_text(table)
    table.unlink()
    os.mkfifo(table)
    with pytest.raises(RejectedError, match=r"^table\.csv is not a regular file$"):
        read_text(table)
    table.unlink()
    table.write_bytes(b"\xff\xfe")
    with pytest.raises(RejectedError, match=r"^table\.csv is not UTF-8 text$"):
        read_text(table)
    with table.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(
        RejectedError, match=f"^table.csv has 10737418240 bytes; at most {MOST_BYTES} are read$"
    ):
        read_text(table)
    with pytest.raises(RejectedError, match=r"; at most 9 are read$"):
        read_lines(table, most_bytes=9)


@pytest.mark.parametrize(("text", "number"), [("1", 1.0), (" -2.5e3 ", -2500.0), ("0" * 39 + "7", 7.0)])
def test_numbers(text: str, number: float) -> None:
    assert parse_number(text, "line 2") == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "-Infinity", "1e999", "one", "0x1", "1" * 41, "1\x00"])
def test_what_is_no_finite_number(text: str) -> None:
    with pytest.raises(RejectedError) as caught:
        parse_number(text, "table.csv, line 2")
    assert str(caught.value) == f"table.csv, line 2: {text[:40]!r} is not a finite number"


@pytest.mark.parametrize("text", ["1000.1", "-1e9", "inf", "nan", "x"])
def test_numbers_may_have_a_largest_size(text: str) -> None:
    assert parse_number("-1000", "line 2", 1e3) == -1000
    with pytest.raises(RejectedError, match=r"^line 2: '.*' is not a number from -1000 to 1000$"):
        parse_number(text, "line 2", 1e3)


def test_it_is_quick_to_import() -> None:
    code = "import sys, reading; print({'typing', 'pathlib', 're'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(Path(reading.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"
