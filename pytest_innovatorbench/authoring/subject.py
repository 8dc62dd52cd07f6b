"""A task under examination, read as it lies on disk, however broken."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pytest_innovatorbench.authoring.findings import NOT_LOADED, NotCheckedError
from pytest_innovatorbench.authoring.trials import Trials
from pytest_innovatorbench.errors import Problem, TaskError
from pytest_innovatorbench.runs.stop import Stop
from pytest_innovatorbench.tasks.benchmark import Benchmark
from pytest_innovatorbench.tasks.description import MOST_BYTES
from pytest_innovatorbench.tasks.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_innovatorbench.authoring.findings import Options
    from pytest_innovatorbench.tasks.model import Task

Outcome: TypeAlias = Literal["found", "clean", "skipped"]

MOST_TEXT = 5_000_000  # bytes; a larger text is data


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What ``task.yaml`` holds.

    Attributes:
        values: Its values; empty if it cannot be used.
        problems: What is wrong with it.
    """

    values: Mapping[str, Any]
    problems: tuple[Problem, ...]


class Subject:
    """A task under examination. Nothing is ever written into it.

    Rules of one task are checked one after the other, so what one has read is there for the next.

    Args:
        root: The benchmark, a folder with ``evaluations/`` and ``gym/``.
        task_id: Folder name of the task.
        options: How thoroughly to check.
        scratch: Existing private folder for temporary files.
        stop: Ends evaluations and attempts under way when nobody wants them any more.
        codes: Codes of all rules there are, of which a waiver may name any.

    Attributes:
        outcomes: What came of the rules checked so far, by their codes.
    """

    def __init__(
        self,
        root: Path,
        task_id: str,
        options: Options,
        scratch: Path,
        stop: Stop | None = None,
        codes: Iterable[str] = (),
    ) -> None:
        self.stop = stop or Stop()
        self.codes = frozenset(codes)
        self.outcomes: dict[str, Outcome] = {}
        self.root = root
        self.task_id = task_id
        self.options = options
        self.scratch = scratch
        self.evaluations = root / "evaluations" / task_id
        self.gym = root / "gym" / task_id
        self.test_file = root / "tests" / f"test_{task_id}.py"

    @cached_property
    def manifest(self) -> Manifest:
        """What ``task.yaml`` holds, without a look at the rest of the task."""
        file = self.evaluations / "task.yaml"
        values, problems = read_manifest(file, self.shown(file))
        return Manifest(values=values, problems=tuple(problems))

    @cached_property
    def loaded(self) -> Task | TaskError:
        """The task as the harness would load it, or why it would not."""
        try:
            return Benchmark(root=self.root, task_ids=(self.task_id,)).load(self.task_id)
        except TaskError as error:
            return error

    @property
    def task(self) -> Task:
        """The task.

        Raises:
            NotCheckedError: It cannot be loaded.
        """
        if isinstance(self.loaded, TaskError):
            raise NotCheckedError(NOT_LOADED)
        return self.loaded

    @cached_property
    def trials(self) -> Trials:
        """Evaluations of submissions to this task.

        Raises:
            NotCheckedError: The task cannot be loaded.
        """
        return Trials(self.task, sandbox=self.options.sandbox, scratch=self.scratch, stop=self.stop)

    @cached_property
    def description(self) -> str:
        """The text of ``task_description.md``, with Unix line ends.

        Raises:
            NotCheckedError: It is missing, empty, too large or no text in UTF-8.
        """
        text = self.read_text(self.gym / "task" / "task_description.md", MOST_BYTES)
        if text is None or not text.strip() or "\0" in text:
            raise NotCheckedError("there is no description that can be read")
        return text

    @cached_property
    def evaluator(self) -> str:
        """The source of ``evaluation.py``.

        Raises:
            NotCheckedError: It cannot be read.
        """
        return self._source("evaluation.py")

    @cached_property
    def evaluator_tree(self) -> ast.Module:
        """The syntax tree of ``evaluation.py``.

        Raises:
            NotCheckedError: It is not Python.
        """
        try:
            return ast.parse(self.evaluator)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NotCheckedError("evaluation.py is not Python that can be parsed") from error

    def read_text(self, file: Path, most: int = MOST_TEXT) -> str | None:
        """Return a text file's content with Unix line ends, ``None`` if it has none.

        That is so of what is no regular file, too large, unreadable or not UTF-8.
        """
        try:
            if not file.is_file() or file.stat().st_size > most:
                return None
            return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except (OSError, UnicodeDecodeError):
            return None

    def shown(self, path: Path) -> str:
        """Return how a path of the task is called in findings."""
        return path.relative_to(self.root).as_posix()

    def _source(self, name: str) -> str:
        text = self.read_text(self.evaluations / "task" / name)
        if text is None:
            raise NotCheckedError(f"there is no {name} that can be read")
        return text
