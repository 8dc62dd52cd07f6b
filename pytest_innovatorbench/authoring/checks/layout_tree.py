"""What lies in both folders of a task, walked once for all rules on layout; no file is opened for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.sandbox.trees import Entry

MOST_ENTRIES = 200_000  # of each folder
MOST_SHOWN = 20
_LONGEST = 300
_KEEPERS = frozenset({".gitkeep", ".keep", ".gitignore"})
_CACHES = frozenset(
    {
        *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox"),
        *(".ipynb_checkpoints", ".cache", ".eggs", ".ibench", ".venv", "node_modules", ".ccls-cache"),
        *(".DS_Store", "Thumbs.db", "desktop.ini", ".idea", ".vscode", ".coverage", "htmlcov"),
    }
)
_CACHE_ENDINGS = (".pyc", ".pyo", ".egg-info", ".swp", "~")


@dataclass(frozen=True, slots=True)
class Place:
    """Something in a task.

    Attributes:
        folder: The one of the task's two folders that holds it.
        entry: What it is.
        shown: How findings call it: one line of text, whatever its name.
        is_inside: Whether it lies in a repository's ``.git`` or in a cache.
    """

    folder: Path
    entry: Entry
    shown: str
    is_inside: bool

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / self.entry.path

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.entry.path.rpartition("/")[2]

    def finding(self, message: str, remedy: str = "") -> Finding:
        """Return a finding about it."""
        return Finding(message=message, file=self.shown, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Tree:
    """What lies in both folders of a task.

    Attributes:
        places: Everything, in order.
        cut: The folders of which not all is here.
    """

    places: tuple[Place, ...]
    cut: tuple[Path, ...]

    @property
    def own(self) -> Iterator[Place]:
        """What is the task's own: not inside of repositories and caches."""
        return (place for place in self.places if not place.is_inside)

    def holds_file(self, folder: Path) -> bool:
        """Tell whether there is a file below a folder, other than those that keep it in git."""
        prefix = f"{folder}/"
        return any(
            str(place.path).startswith(prefix)
            and place.entry.kind not in {"folder", "unreadable"}
            and place.name not in _KEEPERS
            for place in self.own
        )


_lock = threading.Lock()
_known: WeakKeyDictionary[Subject, Tree] = WeakKeyDictionary()


def tree_of(subject: Subject) -> Tree:
    """Return what lies in a task's folders, the same for every rule that asks."""
    with _lock:
        tree = _known.get(subject)
    if tree is None:
        tree = _read(subject)
        with _lock:
            _known[subject] = tree
    return tree


def is_repository(name: str) -> bool:
    """Tell whether a name is that of git's own files: a repository's, or of one inside another."""
    return name in {".git", ".gitmodules"}


def is_cache(name: str) -> bool:
    """Tell whether a name is that of what programs make and can make again."""
    return name in _CACHES or name.endswith(_CACHE_ENDINGS)


def first_of(findings: Iterator[Finding], what: str) -> Iterator[Finding]:
    """Yield as many findings as anybody reads, the last of which says how many more there are."""
    shown = list(islice(findings, MOST_SHOWN))
    yield from shown
    more = sum(1 for _ in findings)
    if more:
        last = shown[-1]
        yield Finding(
            message=f"and {more:,} more {what}", file=last.file, remedy=last.remedy, severity=last.severity
        )


def _read(subject: Subject) -> Tree:
    places: list[Place] = []
    cut: list[Path] = []
    for folder in (subject.gym, subject.evaluations):
        entries: Sequence[Entry] = list(islice(walk_layers([folder], ""), MOST_ENTRIES + 1))
        if len(entries) > MOST_ENTRIES:
            cut.append(folder)
        places += _places(subject.shown(folder), folder, entries[:MOST_ENTRIES])
    return Tree(places=tuple(places), cut=tuple(cut))


def _places(name: str, folder: Path, entries: Sequence[Entry]) -> Iterator[Place]:
    outer = "\0"  # of the last repository or cache, with what follows its name
    for entry in entries:
        is_inside = entry.path.startswith(outer)
        last = entry.path.rpartition("/")[2]
        if not is_inside and (is_repository(last) or is_cache(last)):
            outer = f"{entry.path}/"
        yield Place(folder, entry, one_line(f"{name}/{entry.path}", _LONGEST), is_inside)
