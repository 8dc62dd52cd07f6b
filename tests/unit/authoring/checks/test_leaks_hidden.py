"""Answers that are spelt so that nobody who looks for words would find them."""

from __future__ import annotations

import base64
import gzip
import json
import random
import textwrap
import zlib
from collections.abc import Callable

import pytest

from pytest_innovatorbench.authoring.contents_encoded import MOST_FOUND, find_encoded
from tests.unit.authoring.checks.test_leaks_data import (
    DATASETS,
    TRUTH,
    put,
    read_truth,
    truth_file,
    write_truth,
)
from tests.unit.authoring.good import Good
from tests.unit.authoring.leaky import found, only

RANDOM = random.Random(0)  # noqa: S311 - no secrets
CODE = "task/repositories/smoother/cache.py"


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("spell", "how"),
    [
        (lambda data: f'DATA = "{in_base64(data)}"\n', "base64"),
        (lambda data: f'import base64\nDATA = base64.b64decode("{in_base64(data)}")\n', "base64"),
        (lambda data: f'DATA = """\n{base64.encodebytes(data).decode()}"""\n', "base64"),
        (lambda data: f'DATA = "{base64.urlsafe_b64encode(data).decode().rstrip("=")}"\n', "base64"),
        (
            lambda data: "\n".join(f'DATA += b"{line}"' for line in textwrap.wrap(in_base64(data), 60)),
            "base64",
        ),
        (lambda data: "\n".join(f"    '{line}'" for line in textwrap.wrap(in_base64(data), 76)), "base64"),
        (lambda data: json.dumps({"thumbnail": base64.encodebytes(data).decode()}), "base64"),
        (lambda data: "\n".join(in_base64(line) for line in data.splitlines()), "base64"),
        (lambda data: f"DATA = '{in_base64(gzip.compress(data))}'", "base64"),
        (lambda data: f"DATA = '{in_base64(zlib.compress(data))}'", "base64"),
        (lambda data: f"DATA = bytes.fromhex('{data.hex()}')\n", "hex"),
        (lambda data: f"DATA = '{data.hex().upper()}'\n", "hex"),
        (lambda data: f"DATA = '{data.hex(' ')}'\n", "hex"),
        (lambda data: "\n".join(textwrap.wrap(data.hex(), 64)), "hex"),
        (lambda data: "DATA = b'" + "".join(f"\\x{byte:02x}" for byte in data) + "'\n", "hex"),
        (lambda data: "DATA = bytes([" + ", ".join(f"0x{byte:02x}" for byte in data) + "])\n", "hex"),
    ],
)
def test_a_reference_in_digits(good: Good, spell: Callable[[bytes], str], how: str) -> None:
    put(good, CODE, f'"""What is known."""\n\n{spell(truth_file(good).read_bytes())}')
    (finding,) = [one for findings in found(good).values() for one in findings]
    assert f"cache.py!{how} in line " in finding.message
    assert TRUTH in finding.message


def test_where_it_begins_is_said(good: Good) -> None:
    put(good, CODE, f'"""What is known."""\n\nDATA = "{in_base64(truth_file(good).read_bytes())}"\n')
    finding = only(good, "IB501")
    assert finding.file == f"gym/toy/{CODE}"
    assert finding.message == f"gym/toy/{CODE}!base64 in line 3 equals {TRUTH} byte for byte"


def test_some_records_in_digits(good: Good) -> None:
    said = "\n".join(f"{key}: {value}" for key, value in read_truth(good)[10:18])
    put(good, CODE, f"DATA = {in_base64(said.encode())!r}\n")
    assert only(good, "IB502").message.startswith(
        f"gym/toy/{CODE}!base64 in line 1 holds 8 of the 50 answers"
    )


def test_a_solution_in_digits(good: Good) -> None:
    put(good, CODE, in_base64((good.evaluations / "solution/solve.py").read_bytes()))
    assert "base64 in line 1 repeats " in only(good, "IB505").message


def test_digits_in_digits_are_followed_as_far_as_archives(good: Good) -> None:
    data = truth_file(good).read_bytes()
    put(good, CODE, in_base64(in_base64(data).encode()))
    assert only(good, "IB501").message.count("!base64 in line 1") == 2


@pytest.mark.parametrize(
    "name", [CODE, f"{DATASETS.removeprefix('gym/toy/')}/a.csv", "data/datasets/notes.txt"]
)
def test_a_reference_backwards(good: Good, name: str) -> None:
    text = truth_file(good).read_text()
    put(good, name, text[::-1])
    assert only(good, "IB502").message.startswith(f"gym/toy/{name}!backwards holds ")
    put(good, name, "\n".join(line[::-1] for line in text.splitlines()))
    assert "!backwards holds " in only(good, "IB502").message


@pytest.mark.parametrize(
    "spell",
    [
        lambda values: f"ANSWERS = [{', '.join(values)}]\n",
        lambda values: "ANSWERS = (\n    " + ",\n    ".join(values) + ",\n)\n",
        lambda values: json.dumps({"cache": list(map(float, values))}),
        lambda values: f"np.array([{' '.join(values[::-1])}])",
        lambda values: "# " + "\n# ".join(values),
        lambda values: f"ANSWERS = {[repr(value) for value in values]}\n",
    ],
)
def test_answers_as_a_list(good: Good, spell: Callable[[list[str]], str]) -> None:
    put(good, CODE, f"import math\n\n{spell([value for _, value in read_truth(good)])}")
    assert only(good, "IB502").message == f"cache.py holds 50 of the 50 answers in {TRUTH}"


def test_answers_as_a_dictionary(good: Good) -> None:
    put(good, CODE, f"ANSWERS = { ({key: float(value) for key, value in read_truth(good)})!r}\n")
    assert only(good, "IB502").message == f"cache.py holds 50 of the 50 answers in {TRUTH}"


def label(good: Good, count: int = 200, seed: int = 0) -> list[str]:
    """Give the task labels of two classes as answers."""
    rng = random.Random(seed)  # noqa: S311 - no secrets
    labels = [rng.choice(("cat", "dog")) for _ in range(count)]
    write_truth(good, "id,label", [f"v{place},{name}" for place, name in enumerate(labels)])
    return labels


def test_a_list_of_labels(good: Good) -> None:
    labels = label(good)
    put(good, CODE, f"LABELS = {labels[:120]!r}\n")
    assert only(good, "IB502").message == f"cache.py holds 120 of the 200 answers in {TRUTH}"


@pytest.mark.parametrize("seed", range(3))
def test_lists_by_chance_are_fine(good: Good, seed: int) -> None:
    label(good)
    rng = random.Random(100 + seed)  # noqa: S311 - no secrets
    put(good, CODE, f"LABELS = {[rng.choice(('cat', 'dog')) for _ in range(5000)]!r}\n")
    assert found(good) == {}


def test_ordered_lists_and_parts_of_lists_are_fine(good: Good) -> None:
    values = [value for _, value in read_truth(good)]
    put(good, CODE, f"GRID = [{', '.join(values[:4])}]\nOTHER = [{', '.join(values[20:23])}]\n")
    assert found(good) == {}
    write_truth(good, "id,y", [f"v{place},{place / 8}" for place in range(64)])
    put(good, CODE, f"GRID = {[place / 8 for place in range(64)]!r}\n")
    findings = found(good)
    assert "IB502" not in findings, findings


@pytest.mark.parametrize(
    "text",
    [
        "a_rather_long_name another_long_name-with-dashes, and_some_more_of_these_names\n" * 50,
        "".join(f"{number:x}" * 8 for number in range(16)) * 20,
        "0.12345678901234567890 1234567890123456789\n" * 100,
        in_base64(bytes(range(256)) * 20),
        in_base64(b"\x89PNG\r\n\x1a\n" + RANDOM.randbytes(3000)),
        RANDOM.randbytes(3000).hex(),
        in_base64(b"\x78\x9c" + RANDOM.randbytes(3000)),
    ],
)
def test_other_long_words_stand_for_nothing(good: Good, text: str) -> None:
    assert list(find_encoded(text.encode())) == []
    put(good, "task/repositories/smoother/NOTES.md", text)
    assert found(good) == {}


@pytest.mark.parametrize("altchars", [b"+/", b"-_"])
@pytest.mark.parametrize("between", ["\n", '"\n    "', "'\nDATA += b'", '" +\n"', "\\n", "\n# "])
def test_lines_that_begin_with_signs_are_put_together(between: str, altchars: bytes) -> None:
    packed = gzip.compress(RANDOM.randbytes(10_000))
    text = base64.b64encode(packed, altchars).decode()
    for width in (57, 64, 76):
        lines = [text[at : at + width] for at in range(0, len(text), width)]
        assert any(line.startswith(("+", "/", "-", "_")) for line in lines)
        (one,) = find_encoded(f'import base64\nDATA = (\n"{between.join(lines)}")\n'.encode())
        assert (one.how, one.data) == ("base64", packed)


def test_many_of_them_and_bombs_are_cut() -> None:
    one = in_base64(b"so it is said, and it is said again in other words, too" * 2)
    assert len(list(find_encoded(f"{one}\n{'-' * 50}\n".encode() * 300))) == MOST_FOUND
    (bomb,) = find_encoded(in_base64(zlib.compress(b"a" * 50_000_000)).encode())
    assert len(bomb.data) == 8_000_000
