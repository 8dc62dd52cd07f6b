"""Rules on the folders and files that the registry asks for."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.layout_tree import tree_of
from pytest_innovatorbench.authoring.findings import Finding, Severity
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.subject import MOST_TEXT
from pytest_innovatorbench.tasks.description import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A folder or file of the registry.

    Attributes:
        path: Below the task's folder.
        what: What belongs there.
        missing: How bad it is that it is not there; ``None`` if it need not be.
        empty: How bad it is that there is nothing in it.
        most: Bytes that a file may have.
    """

    path: str
    what: str
    missing: Severity | None = "error"
    empty: Severity | None = None
    most: int = MOST_TEXT


_IN_GYM = (
    _Wanted(path="", what="what the agent starts from"),
    _Wanted(path="data", what="the data that the agent gets"),
    _Wanted(path="data/datasets", what="training data, and test data without the answers", empty="warning"),
    _Wanted(path="data/checkpoints", what="what the agent trains", missing=None),
    _Wanted(path="data/outputs", what="what the agent submits", missing=None),
    _Wanted(path="task", what="the description and the code to start from"),
    _Wanted(path="task/repositories", what="code to start from, if there is any", missing="note"),
    _Wanted(path="task/scripts", what="scripts that the description names, if there are any", missing="note"),
)
_IN_EVALUATIONS = (
    _Wanted(path="", what="what the agent does not see"),
    _Wanted(path="data", what="the answers, and sample submissions"),
    _Wanted(path="data/references", what="what submissions are compared with", empty="error"),
    _Wanted(path="data/baselines", what="what a lazy agent would submit", empty="error"),
    _Wanted(path="data/outputs", what="what the solution submits", missing="note"),
    _Wanted(path="task", what="config.py and evaluation.py"),
)
_FILES_IN_GYM = (_Wanted(path="task/task_description.md", what="what the agent reads", most=MOST_BYTES),)
_FILES_IN_EVALUATIONS = (
    _Wanted(path="task/config.py", what="class TaskConfig(Config)"),
    _Wanted(path="task/evaluation.py", what="class TaskBenchmark(BaseBenchmark)"),
    _Wanted(path="hint.md", what="the hint", missing=None),
    _Wanted(path="solution/run.sh", what="the published method", missing=None),
)


def _folders(subject: Subject) -> Iterator[Finding]:
    for base, wanted in ((subject.gym, _IN_GYM), (subject.evaluations, _IN_EVALUATIONS)):
        for one in wanted:
            folder = base / one.path
            # What is missing above is one finding, not one more for everything that would be below.
            if one.path and not folder.parent.is_dir():
                continue
            yield from _folder(subject, base, one)


def _folder(subject: Subject, base: Path, wanted: _Wanted) -> Iterator[Finding]:
    folder = base / wanted.path
    shown = subject.shown(folder)
    if not folder.is_dir():
        if os.path.lexists(folder):
            yield Finding(
                message="is no folder", file=shown, remedy=f"make it one, and put {wanted.what} there"
            )
        elif wanted.missing:
            remedy = _misspelt(folder) or f"make it and put {wanted.what} there"
            yield Finding(message="the folder is missing", file=shown, remedy=remedy, severity=wanted.missing)
    elif wanted.empty and folder.resolve() == folder and not tree_of(subject).holds_file(folder):
        remedy = f"put {wanted.what} there"
        yield Finding(message="holds no file", file=shown, remedy=remedy, severity=wanted.empty)


def _files(subject: Subject) -> Iterator[Finding]:
    for base, wanted in ((subject.gym, _FILES_IN_GYM), (subject.evaluations, _FILES_IN_EVALUATIONS)):
        for one in wanted:
            file = base / one.path
            problem = _problem(file, one)
            if problem:
                message, remedy = problem
                yield Finding(message=message, file=subject.shown(file), line=_line(file), remedy=remedy)


def _problem(file: Path, wanted: _Wanted) -> tuple[str, str] | None:
    """Return what is wrong with a file, and what to do about it."""
    if not os.path.lexists(file):
        is_wanted = wanted.missing and file.parent.is_dir()
        return ("is missing", _misspelt(file) or f"write it: {wanted.what}") if is_wanted else None
    if not file.is_file():
        return None if file.is_symlink() else ("is no file", f"write a file there: {wanted.what}")
    try:
        if file.stat().st_size > wanted.most:
            return f"has more than {wanted.most:,} bytes", "write text there, and put data into data/"
        content = file.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}", "mend its mode"
    if not content.removeprefix(b"\xef\xbb\xbf").strip():
        return "is empty", f"write it: {wanted.what}"
    if b"\0" in content and _bad_byte(content) is None:
        return "holds NUL bytes", "save it as UTF-8 text"
    return None if _bad_byte(content) is None else ("is not UTF-8", "save it as UTF-8")


def _bad_byte(content: bytes) -> int | None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def _line(file: Path) -> int | None:
    """Return the line of what is no text, if that is what is wrong."""
    try:
        content = file.read_bytes() if file.is_file() and file.stat().st_size <= MOST_TEXT else b""
    except OSError:
        return None
    place = _bad_byte(content)
    return None if place is None else content.count(b"\n", 0, place) + 1


def _misspelt(path: Path) -> str:
    """Return the advice to rename what has almost the right name."""
    try:
        names = [name for name in os.listdir(path.parent) if name.isprintable()]  # noqa: PTH208 - names alone
    except OSError:
        return ""
    taken = {*_names(_IN_GYM), *_names(_IN_EVALUATIONS), *_names(_FILES_IN_EVALUATIONS)}
    others = {name.casefold(): name for name in names if name not in taken}
    close = difflib.get_close_matches(path.name.casefold(), others, n=1, cutoff=0.75)
    return f"rename {others[close[0]]} to {path.name}" if close else ""


def _names(wanted: tuple[_Wanted, ...]) -> Iterator[str]:
    return (one.path.rpartition("/")[2] for one in wanted)


RULES = (
    Rule(
        code="IB101",
        name="folders",
        summary="Every folder of the registry is there, with data, references and a baseline in it.",
        why=(
            "Harness, rules and readers look for things in these places. Git keeps no empty folders, so "
            "data/outputs and data/checkpoints of gym/ are made in every workspace and may be missing."
        ),
        remedy="make the folder and put there what belongs there",
        check=_folders,
    ),
    Rule(
        code="IB102",
        name="files",
        summary="task_description.md, config.py and evaluation.py are there, and are text in UTF-8.",
        why=(
            "Without a description no agent knows what to do, and without an evaluator nothing is scored. "
            f"A description has at most {MOST_BYTES:,} bytes: an agent has to read it."
        ),
        remedy="write the file",
        check=_files,
    ),
)
