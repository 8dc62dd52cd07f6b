"""Submissions with the right answers under the wrong ids."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import KINDS, number, read_table, write_table
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_innovatorbench.authoring.tables import Row, Table
    from pytest_innovatorbench.sandbox.trees import Entry

FEWEST_RECORDS = 4
LEAST_FALL = 1.0  # points
MOST_RISE = 2.0  # points; which records are permuted is chance, and a few may gain by it
LEAST_CHANGED = 0.2  # share of records that have to get another answer
MOST_BYTES = 200_000_000
_CODE = (".py", ".sh", ".ipynb", ".so", ".c", ".cc", ".cpp", ".cu", ".js", ".rs", ".go")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permuted:
    """A submission some of whose records have the answers of others.

    Attributes:
        share: Share of the records, above 0 and at most 1.
        records: Their number, over all files.
        folder: Its outputs.
    """

    share: float
    records: int
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    path: str
    table: Table


class Permutation:
    """Permutes the records of a submission, the same way every time.

    Args:
        outputs: The submission. Its files are read without following a link.

    Raises:
        NotCheckedError: It has no records that can be permuted.
    """

    def __init__(self, outputs: Path) -> None:
        self._files = [entry for entry in walk_layers([outputs], "") if entry.kind == "file"]
        if sum(entry.size for entry in self._files) > MOST_BYTES:
            raise NotCheckedError(f"the reference submission has more than {MOST_BYTES:,} bytes")
        found = [source for entry in self._files if (source := _read(entry)) is not None]
        if not found:
            raise NotCheckedError("the reference submission has no table of records")
        self._sources = [source for source in found if _is_permutable(source.table)]
        if not self._sources:
            raise NotCheckedError(
                "no table of the reference submission has records that can be permuted: they are few, "
                "alike, or a list without ids in which order may not matter"
            )

    @property
    def has_code(self) -> bool:
        """Whether the submission has programs, which may be what counts."""
        return any(entry.path.endswith(_CODE) for entry in self._files)

    @property
    def names(self) -> str:
        """The files that are permuted."""
        return ", ".join(source.path for source in self._sources)

    def write(self, share: float, folder: Path) -> Permuted:
        """Write the submission with that share of each file's records permuted.

        More records include fewer: what a small share permutes, a larger one does as well.
        """
        changed = {source.path: _permute(source.table, share) for source in self._sources}
        for entry in self._files:
            target = folder / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if entry.path in changed:
                write_table(changed[entry.path], target)
                continue
            with entry.open() as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        records = sum(len(_chosen(source.table, share)) for source in self._sources)
        return Permuted(share=share, records=records, folder=folder)


def explain_unmoved(scores: Sequence[float]) -> str:
    """Return what is wrong with the scores of none, more and all records permuted; ``""`` if nothing."""
    if scores[-1] > scores[0] - LEAST_FALL:
        return "the score does not fall"
    rises = any(more > less + MOST_RISE for less, more in pairwise(scores))
    return "the score rises again" if rises else ""


def _read(entry: Entry) -> _Source | None:
    if not entry.path.lower().endswith(tuple(KINDS)):
        return None
    table = read_table(entry.layer / entry.where)
    return None if table is None else _Source(path=entry.path, table=table)


def _is_permutable(table: Table) -> bool:
    if len(table.rows) < FEWEST_RECORDS or (not table.key_columns and _may_be_a_set(table)):
        return False
    after = _permute(table, 1.0)
    different = sum(old != new for old, new in zip(table.rows, after.rows, strict=True))
    return different >= LEAST_CHANGED * len(table.rows)


def _may_be_a_set(table: Table) -> bool:
    """Tell a list of answers by place from one of things chosen, where order need not matter."""
    cells = [cell for row in table.rows for cell in row]
    measured = any(isinstance(number(cell), float) and "." in str(cell) for cell in cells)
    return not measured and len(set(map(repr, table.rows))) == len(table.rows)


def _permute(table: Table, share: float) -> Table:
    """Give each chosen record the answer of one half the chosen records away in the order of answers.

    Unlike chance, that changes an answer wherever it can be changed.
    """
    keys = table.key_columns
    places = [place for place, name in enumerate(table.columns) if name not in keys]
    chosen = _chosen(table, share)
    ordered = sorted(chosen, key=lambda row: [_order(table.rows[row][place]) for place in places])
    half = len(ordered) // 2
    rows = list(table.rows)
    for taker, giver in zip(ordered, ordered[half:] + ordered[:half], strict=True):
        rows[taker] = _with_answer(table.rows[taker], table.rows[giver], places)
    return replace(table, rows=tuple(rows))


def _chosen(table: Table, share: float) -> Sequence[int]:
    order = list(range(len(table.rows)))
    random.Random(0).shuffle(order)  # noqa: S311 - the same records every time is what is wanted
    return order[: max(2, round(share * len(order)))]


def _with_answer(taker: Row, giver: Row, places: Sequence[int]) -> Row:
    return tuple(_cells(taker, giver, places))


def _cells(taker: Row, giver: Row, places: Sequence[int]) -> Iterator[object]:
    for place, own in enumerate(taker):
        yield giver[place] if place in places else own


def _order(cell: object) -> tuple[float, str]:
    value = number(cell)
    return (value, "") if value is not None and value == value else (0.0, repr(cell))  # noqa: PLR0124 - NaN
