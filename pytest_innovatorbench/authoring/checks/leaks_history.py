"""Rule on version control: what was removed from a repository must not be in its history."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_evidence import evidence_of
from pytest_innovatorbench.authoring.contents_files import VERSION_CONTROL, is_bare_repository
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.subject import Subject

_MAGIC = (
    (b"# v2 git bundle", "a git bundle"),
    (b"# v3 git bundle", "a git bundle"),
    (b"PACK\0\0\0", "a git pack"),
)
_LEFTOVERS = (".orig", ".rej")
_PATCHES = (".patch", ".diff")
_HUNK = re.compile(r"^@@ -\d", re.MULTILINE)
_CLONE_AGAIN = "keep the files of one commit only, without history"


def is_history(content: Content) -> bool:
    """Tell whether a file is part of a history that this rule reports."""
    return ".git" in content.path.parts or any(content.head.startswith(magic) for magic, _ in _MAGIC)


def _check(subject: Subject) -> Iterator[Finding]:
    yield from _folders(subject)
    archives: set[str] = set()
    for content in evidence_of(subject).gym.files:
        if content.is_inside and ".git" in content.path.parts and content.file not in archives:
            archives.add(content.file)
            archive = content.shown.rpartition("!")[0]
            yield Finding(message=f"{archive} holds .git, with its history", file=content.file)
        elif ".git" not in content.path.parts:
            yield from _files(content)


def _folders(subject: Subject) -> Iterator[Finding]:
    """Report repositories without files; those named .git break a rule of layout."""
    if subject.gym.is_symlink():
        return
    for place, folders, names in os.walk(subject.gym):
        if is_bare_repository((*folders, *names)):
            folders.clear()
            yield Finding(message="a bare git repository, with its history", file=subject.shown(Path(place)))
            continue
        for name in sorted(VERSION_CONTROL.intersection(folders) - {".git"}):
            yield Finding(message=f"{name} holds history", file=subject.shown(Path(place, name)))
        folders[:] = [name for name in folders if name not in VERSION_CONTROL]


def _files(content: Content) -> Iterator[Finding]:
    what = next((what for magic, what in _MAGIC if content.head.startswith(magic)), None)
    if what:
        yield Finding(message=f"{content.shown} is {what}, which holds history", file=content.file)
    elif content.path.name.endswith(_LEFTOVERS) or _is_patch(content):
        yield Finding(
            message=f"{content.shown} says what code was before or after a change",
            file=content.file,
            remedy="remove it, or waive this rule with the reason why it gives nothing away",
            severity="warning",
        )


def _is_patch(content: Content) -> bool:
    return content.path.name.endswith(_PATCHES) and bool(content.text and _HUNK.search(content.text))


RULES = (
    Rule(
        code="IB506",
        name="git-history",
        summary="No history of a repository is in gym/: bare, bundled, packed, archived or as a patch.",
        why="The history of a published method ends with the method. Nested .git folders break IB106.",
        remedy=_CLONE_AGAIN,
        check=_check,
    ),
)
