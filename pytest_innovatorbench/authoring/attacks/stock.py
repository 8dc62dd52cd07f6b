"""What attacks are made from: the task's own submissions, inputs and answers."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import KINDS, Table, parse_table
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject

MOST_BYTES = 50_000_000
MOST_FILES = 2_000
MOST_TABLES = 20
# Each file that is spoilt alone costs its own evaluations.
MOST_SPOILT = 4
MOST_NAMED = 100
_LONGEST = 100  # characters of a path in an evaluator
_ENDING = re.compile(r"\.[A-Za-z]\w{0,15}")
_NAME = re.compile(r"\w[\w-]*(?:\.\w[\w-]*)*\.[A-Za-z]\w{0,15}|[A-Z][A-Z_]{2,20}")
_CODE = (".py", ".sh", ".ipynb", ".so", ".c", ".cc", ".cpp", ".cu", ".js", ".rs", ".go")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table with the path it has below its folder."""

    path: str
    table: Table


class Stock:
    """What attacks on one task are made from. All of it is read without following a link.

    Args:
        subject: The task.
    """

    def __init__(self, subject: Subject) -> None:
        self.task_id = subject.task_id
        self._evaluations = subject.evaluations
        self._gym = subject.gym
        self._source = subject.evaluator if _has_evaluator(subject) else ""

    @cached_property
    def reference(self) -> Mapping[str, bytes]:
        """The sample outputs, by their paths; the baseline submission where there are none.

        Raises:
            NotCheckedError: There is neither, or it is too large to make many of.
        """
        files = _read(self._evaluations, "data/outputs") or self.baseline
        if not files:
            raise NotCheckedError("there are neither data/outputs nor data/baselines to make attacks from")
        return files

    @cached_property
    def baseline(self) -> Mapping[str, bytes]:
        """The baseline submission, by its paths; empty if there is none."""
        return _read(self._evaluations, "data/baselines")

    @cached_property
    def tables(self) -> tuple[Source, ...]:
        """The tables in the reference submission that are spoilt one by one."""
        found = ((path, parse_table(path, data)) for path, data in self.reference.items())
        sources = [Source(path=path, table=table) for path, table in found if table is not None]
        return tuple(source for source in sources if source.table.rows)[:MOST_SPOILT]

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files in the reference submission that are spoilt one by one, tables first."""
        first = [source.path for source in self.tables]
        return tuple(first + [path for path in self.reference if path not in first])[:MOST_SPOILT]

    @cached_property
    def inputs(self) -> tuple[Source, ...]:
        """The tables that agents are given."""
        return _sources(self._gym, "data")

    @cached_property
    def answers(self) -> tuple[Source, ...]:
        """The tables that are hidden from them."""
        return _sources(self._evaluations, "data/references")

    @cached_property
    def answer_paths(self) -> tuple[str, ...]:
        """The hidden files, below ``data/references``."""
        entries = walk_layers([self._evaluations], "data/references")
        paths = (entry.path for entry in entries if entry.kind == "file")
        return tuple(path for _, path in zip(range(MOST_SPOILT), paths, strict=False))

    @cached_property
    def imported(self) -> tuple[str, ...]:
        """The modules that the evaluator's own source names, those of the benchmark left out."""
        try:
            tree = ast.parse(self._source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
        names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").partition(".")[0])
        return tuple(sorted(names - {"evaluations", "__future__", ""}))

    @cached_property
    def named_files(self) -> tuple[str, ...]:
        """Names of files that the evaluator's own source may look for, but those that are submitted."""
        found: dict[str, None] = {}
        for text in _texts(self._source):
            name = text.rpartition("/")[2].replace("*", "x").replace("?", "x")
            if _ENDING.fullmatch(name):
                found.update(dict.fromkeys(f"{path}{name}" for path in self.files))
                found.update(dict.fromkeys(str(PurePosixPath(path).with_suffix(name)) for path in self.files))
                found[f"x{name}"] = None
            elif _NAME.fullmatch(name):
                found[name] = None
        named = (name for name in found if name not in self.reference and name not in self.baseline)
        return tuple(islice(named, MOST_NAMED))

    @property
    def submits_code(self) -> bool:
        """Whether agents hand in programs, which the evaluator may have to run."""
        return any(path.endswith(_CODE) for path in self.reference)

    def is_complete(self, table: Table) -> bool:
        """Tell whether a submission's records are all that the task asks for, and no choice among more."""
        keys = table.record_keys()
        others = [source.table for source in (*self.inputs, *self.answers)]
        if not table.key_columns:
            return len(table.rows) > 1 and any(len(other.rows) == len(table.rows) for other in others)
        wanted = {str(key[0]) for key in keys} if len(table.key_columns) == 1 else {str(key) for key in keys}
        return any(_has_keys(other, table, wanted) for other in others)


def _texts(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= _LONGEST:
            yield node.value


def _has_keys(other: Table, table: Table, wanted: set[str]) -> bool:
    if len(other.rows) != len(table.rows):
        return False
    if len(table.key_columns) > 1:
        return {str(key) for key in other.record_keys()} == wanted
    return any({str(cell) for cell in other.column(name)} == wanted for name in other.columns)


def _has_evaluator(subject: Subject) -> bool:
    try:
        return bool(subject.evaluator)
    except NotCheckedError:
        return False


def _read(folder: Path, below: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for entry in walk_layers([folder], below):
        if entry.kind != "file":
            continue
        total += entry.size
        if total > MOST_BYTES or len(files) == MOST_FILES:
            raise NotCheckedError(f"{below} has more than {MOST_BYTES:,} bytes or {MOST_FILES:,} files")
        try:
            with entry.open() as file:
                files[entry.path] = file.read(MOST_BYTES)
        except OSError:
            continue
    return files


def _sources(folder: Path, below: str) -> tuple[Source, ...]:
    return tuple(_tables(folder, below))[:MOST_TABLES]


def _tables(folder: Path, below: str) -> Iterable[Source]:
    left = MOST_BYTES
    for entry in walk_layers([folder], below):
        if entry.kind != "file" or not entry.path.lower().endswith(tuple(KINDS)) or entry.size > left:
            continue
        left -= entry.size
        try:
            with entry.open() as file:
                table = parse_table(entry.path, file.read(entry.size))
        except OSError:
            continue
        if table is not None and table.rows:
            yield Source(path=entry.path, table=table)


_STOCKS: WeakKeyDictionary[Subject, Stock] = WeakKeyDictionary()


def stock_of(subject: Subject) -> Stock:
    """Return what attacks on a task are made from, read once."""
    if subject not in _STOCKS:
        _STOCKS[subject] = Stock(subject)
    return _STOCKS[subject]
