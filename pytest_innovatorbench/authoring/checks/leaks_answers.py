"""Which records of the references are answers, and which are inputs that the agent may have as well."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_innovatorbench.authoring.checks.leaks_evidence import Evidence, name_tokens
from pytest_innovatorbench.authoring.tables import Table, number

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.contents import Content

Sign: TypeAlias = Literal["column", "file", "shape", "none"]

LONG = 8  # words of an answer that nobody writes twice by accident
_COVERED = 0.9
_MOST_EXACT = 1e15
_DIGIT_BITS = math.log2(10)
_SURE_COLUMN = frozenset(
    {"label", "labels", "target", "targets", "answer", "answers", "gold", "truth", "groundtruth", "gt", "y"}
)
_COLUMN = _SURE_COLUMN | {
    *("output", "outputs", "solution", "solutions", "response", "responses", "completion", "class"),
    *("category", "expected", "correct", "summary", "translation", "reference"),
}
_FILE = _SURE_COLUMN - {"y"} | {"solution", "solutions", "expected", "key", "keys"}
_NO_ANSWER = frozenset({"choices", "options", "candidates", "type", "count", "prompt", "template"})


def normal(value: object) -> str:
    """Return a cell in the form that it has in every format: 3, 3.0 and "3" are the same."""
    if isinstance(value, str) and not value[-1:].isdigit():
        return " ".join(value.split()).casefold()
    as_number = number(value)
    if as_number is None or not math.isfinite(as_number):
        return " ".join(str(value).split()).casefold()
    if as_number.is_integer() and abs(as_number) < _MOST_EXACT:
        return str(int(as_number))
    return f"{as_number:.6g}"  # what single precision keeps


def is_answer_column(name: str, *, sure: bool = False) -> bool:
    """Tell by its name whether a column holds answers."""
    tokens = name_tokens(name)
    return bool(tokens & (_SURE_COLUMN if sure else _COLUMN)) and not tokens & _NO_ANSWER


def keys_of(table: Table) -> tuple[tuple[str, ...], ...]:
    """Return the columns that identify a record: each by itself, or all of them together."""
    names = table.key_columns
    alone = all(len(set(table.column(name))) == len(table.rows) for name in names)
    return tuple((name,) for name in names) if alone else (names,)


def key_values(table: Table, names: tuple[str, ...]) -> list[str]:
    """Return what identifies each record, in normal form."""
    return ["\0".join(map(normal, cells)) for cells in zip(*map(table.column, names), strict=True)]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Records of a reference file.

    Attributes:
        content: The file.
        table: The records.
        columns: What of them may be answers.
        sign: What says that these are.
        covered: Whether submissions are asked for these records.
    """

    content: Content
    table: Table
    columns: tuple[str, ...]
    sign: Sign
    covered: bool

    @property
    def named(self) -> bool:
        """Whether names say that these are answers."""
        return self.sign in {"column", "file"}

    @cached_property
    def by_key(self) -> dict[tuple[str, ...], dict[str, int]]:
        """For each key the number of its record, from 0."""
        names = keys_of(self.table) if self.table.key_columns else ()
        return {
            name: {key: place for place, key in enumerate(key_values(self.table, name))} for name in names
        }

    @cached_property
    def normals(self) -> dict[str, list[str]]:
        """The values of each column, in normal form."""
        return {name: list(map(normal, self.table.column(name))) for name in self.columns}

    @cached_property
    def bits(self) -> dict[str, dict[str, float]]:
        """How little it is likely that a value of a column is hit on by accident."""
        return {name: _bits(values) for name, values in self.normals.items()}


def read_answers(evidence: Evidence) -> tuple[Answers, ...]:
    """Return the records of all reference files."""
    submitted = [part.table for content in (*evidence.outputs, *evidence.baselines) for part in content.parts]
    asked = [
        set(key_values(table, names)) for table in submitted if table.key_columns for names in keys_of(table)
    ]
    return tuple(
        _read(content, part.table, submitted, asked)
        for content in evidence.references
        for part in content.parts
    )


def _read(content: Content, table: Table, submitted: list[Table], asked: list[set[str]]) -> Answers:
    values = table.value_columns
    named = tuple(name for name in values if is_answer_column(name))
    shaped = any(set(table.columns) <= set(other.columns) for other in submitted)
    in_file = bool(name_tokens(content.path.stem) & _FILE)
    sign: Sign = "column" if named else "file" if in_file else "shape" if shaped else "none"
    covered = _is_covered(table, submitted, asked)
    return Answers(content=content, table=table, columns=named or values, sign=sign, covered=covered)


def _is_covered(table: Table, submitted: list[Table], asked: list[set[str]]) -> bool:
    if not table.key_columns:
        return any(len(table.rows) == len(other.rows) for other in submitted)
    return any(
        len(keys & others) >= _COVERED * len(keys)
        for keys in (set(key_values(table, names)) for names in keys_of(table))
        for others in asked
    )


def _bits(values: list[str]) -> dict[str, float]:
    """Return the surprise of each value: its rarity, or what a single one spells."""
    counts = Counter(values)
    spoken = {value: _bits_of_spelling(value) if count == 1 else 0.0 for value, count in counts.items()}
    return {value: max(math.log2(len(values) / count), spoken[value]) for value, count in counts.items()}


def _bits_of_spelling(value: str) -> float:
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    few = 3  # digits or letters that two answers share easily
    return (digits * _DIGIT_BITS if digits > few else 0.0) + max(0, letters - few)
