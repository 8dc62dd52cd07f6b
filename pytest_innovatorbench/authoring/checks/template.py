"""Rules on what a new task still has of the template."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.template import boilerplate
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.authoring.template import Boilerplate

_MOST_FILES = 100_000  # of each folder; a new task has two dozen
_MOST_BYTES = 100_000


def _left_over(subject: Subject) -> Iterator[Finding]:
    known = boilerplate()
    for folder in (subject.gym, subject.evaluations):
        for entry in islice(walk_layers([folder], ""), _MOST_FILES):
            if entry.kind == "file" and entry.size <= _MOST_BYTES:
                yield from _in_file(subject, known, folder / entry.path, entry.size)
    if not subject.test_file.is_symlink():
        yield from _markers(subject, known, subject.test_file)


def _in_file(subject: Subject, known: Boilerplate, file: Path, size: int) -> Iterator[Finding]:
    if file.suffix in known.endings:
        yield from _markers(subject, known, file)
    elif size in known.sizes and _content(file) in known.data:
        yield Finding(
            message="still holds the data of the template",
            file=subject.shown(file),
            remedy="put your own data there",
        )


def _markers(subject: Subject, known: Boilerplate, file: Path) -> Iterator[Finding]:
    for line, advice in known.markers(subject.read_text(file) or ""):
        yield Finding(message=f"still the template's: {advice}", file=subject.shown(file), line=line)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


RULES = (
    Rule(
        code="IB111",
        name="template-text",
        summary="Nothing is left of the template that a new task is made from.",
        why="A new task works at once, about smoothing a curve. What of that is left would mislead agents.",
        remedy="replace what stands below the marker, and remove the marker",
        check=_left_over,
    ),
)
