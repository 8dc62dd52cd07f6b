"""Making a new task: all of it, or nothing."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_innovatorbench.authoring.answers import shown_number
from pytest_innovatorbench.authoring.interrupts import Interrupts, interruptible
from pytest_innovatorbench.authoring.names import places
from pytest_innovatorbench.authoring.repositories import Copied, copy_repository
from pytest_innovatorbench.authoring.template import bake
from pytest_innovatorbench.errors import SettingsError, UserError
from pytest_innovatorbench.tasks.benchmark import Benchmark

_PREFIX = ".ibench-new-task-"
_ABANDONED = 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """A new task.

    Attributes:
        files: Number of files at each of its places.
        repository: What was copied of a repository.
    """

    files: Mapping[str, int]
    repository: Copied | None


def create_task(root: Path, answers: Mapping[str, Any]) -> Scaffold:
    """Make a new task in a benchmark.

    It is made aside and moved to its places when it is complete, so whatever fails leaves nothing behind.

    Args:
        root: The benchmark; ``evaluations/``, ``gym/`` and ``tests/`` are made where they are missing.
        answers: An answer for the key of each question.

    Raises:
        UserError: There is such a task, or it cannot be made of these answers.
        OSError: The disk is full, say.
        Interrupted: The process was asked to end.
    """
    name = answers["task_name"]
    with interruptible() as interrupts, _aside(root, interrupts) as folder:
        baked = bake(folder, _values(answers))
        source = answers["repository"]
        starters = baked / "gym" / name / "task" / "repositories"
        copied = copy_repository(source, starters / source.name) if source else None
        _check(baked, answers)
        files = {place: _count(baked / place) for place in places(name)}
        interrupts.hold()
        _place(baked, root, places(name), interrupts)
    return Scaffold(files=files, repository=copied)


def _values(answers: Mapping[str, Any]) -> dict[str, str]:
    values = {key: _text(value) for key, value in answers.items() if key != "repository"}
    pasted = {f"__{key}": values[key] for key in ("title", "paper_title", "paper_url")}
    return {**values, **pasted}


def _text(value: Any) -> str:  # noqa: ANN401 - one of the answers
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown_number(value or Decimal(0)) if isinstance(value, Decimal | None) else str(value)


def _check(baked: Path, answers: Mapping[str, Any]) -> None:
    """Make sure that the answers arrived as they are."""
    name = answers["task_name"]
    task = Benchmark(root=baked, task_ids=(name,)).load(name)
    if (task.title, task.paper.title) != (answers["title"], answers["paper_title"]):
        raise SettingsError("the title cannot be kept as it is", remedy="write it without odd characters")


@contextmanager
def _aside(root: Path, interrupts: Interrupts) -> Iterator[Path]:
    """Make a folder on the benchmark's disk that is gone afterwards, whatever happens."""
    _clear_abandoned(root)
    folder = root / f"{_PREFIX}{secrets.token_hex(8)}"
    try:
        try:
            folder.mkdir(mode=0o700)
            with _locked(folder):
                yield folder
        finally:
            interrupts.hold()  # raises once at most, and then the clause below is still left
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which tells it from one that a killed process has left."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _clear_abandoned(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.lstat().st_mtime > _ABANDONED:
                with _locked(folder):
                    shutil.rmtree(folder)


def _count(place: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(place)) if place.is_dir() else 1


def _place(baked: Path, root: Path, wanted: tuple[str, ...], interrupts: Interrupts) -> None:
    """Move a task to its places, or to none of them."""
    with ExitStack() as undo:
        for place in wanted:
            _make_folder((root / place).parent, undo)
            try:
                _move(baked / place, root / place, undo)
            except FileExistsError:
                raise UserError(f"{place} exists already", remedy="take another name") from None
        interrupts.check()
        undo.pop_all()


def _make_folder(folder: Path, undo: ExitStack) -> None:
    with suppress(FileExistsError):
        folder.mkdir()
        undo.callback(_remove_if_empty, folder)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody else has put something there
        folder.rmdir()


def _move(source: Path, target: Path, undo: ExitStack) -> None:
    """Move to a place that has to be free; moving alone would replace a file, or an empty folder."""
    if source.is_dir():
        target.mkdir()
        undo.callback(_remove_if_empty, target)
        source.rename(target)
        undo.callback(shutil.rmtree, target)
        return
    with target.open("xb") as file:
        undo.callback(target.unlink)
        file.write(source.read_bytes())
