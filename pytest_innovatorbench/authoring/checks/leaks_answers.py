"""Which records of the references are answers, and which are inputs that the agent may have as well."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_innovatorbench.authoring.checks.leaks_evidence import Evidence, name_tokens
from pytest_innovatorbench.authoring.contents_records import normal

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.contents_records import Part
    from pytest_innovatorbench.authoring.tables import Table

Sign: TypeAlias = Literal["column", "file", "shape", "none"]

LONG = 8  # words of an answer that nobody writes twice by accident
_COVERED = 0.9
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


def is_answer_column(name: str, *, sure: bool = False) -> bool:
    """Tell by its name whether a column holds answers."""
    tokens = name_tokens(name)
    return bool(tokens & (_SURE_COLUMN if sure else _COLUMN)) and not tokens & _NO_ANSWER


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Records of a reference file.

    Attributes:
        content: The file.
        part: The records.
        columns: What of them may be answers.
        sign: What says that these are.
        covered: Whether submissions are asked for these records.
    """

    content: Content
    part: Part
    columns: tuple[str, ...]
    sign: Sign
    covered: bool

    @property
    def table(self) -> Table:
        """The records as a table."""
        return self.part.table

    @property
    def named(self) -> bool:
        """Whether names say that these are answers."""
        return self.sign in {"column", "file"}

    @cached_property
    def by_key(self) -> dict[tuple[str, ...], dict[str, int]]:
        """For each key the number of its record, from 0."""
        found = self.part.identities if self.part.keys else {}
        return {names: {key: place for place, key in enumerate(keys)} for names, keys in found.items()}

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
    submitted = [part for content in (*evidence.outputs, *evidence.baselines) for part in content.parts]
    asked = [set(keys) for part in submitted if part.keys for keys in part.identities.values()]
    return tuple(
        _read(content, part, submitted, asked) for content in evidence.references for part in content.parts
    )


def _read(content: Content, part: Part, submitted: list[Part], asked: list[set[str]]) -> Answers:
    named = tuple(name for name in part.values if is_answer_column(name))
    shaped = any(set(part.table.columns) <= set(other.table.columns) for other in submitted)
    in_file = bool(name_tokens(content.path.stem) & _FILE)
    sign: Sign = "column" if named else "file" if in_file else "shape" if shaped else "none"
    covered = _is_covered(part, submitted, asked)
    return Answers(content=content, part=part, columns=named or part.values, sign=sign, covered=covered)


def _is_covered(part: Part, submitted: list[Part], asked: list[set[str]]) -> bool:
    if not part.keys:
        return any(len(part.table.rows) == len(other.table.rows) for other in submitted)
    return any(
        len(others.intersection(keys)) >= _COVERED * len(keys)
        for keys in part.identities.values()
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
