"""Folders to save and restore, and what tests say of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TypeAlias

import pytest

from pytest_innovatorbench.researchgym.snapshots import Snapshot, Store

Looks: TypeAlias = dict[bytes, tuple[object, ...]]


def look_at(folder: Path) -> Looks:
    """All that a snapshot has to keep of a folder, by path; bytes, as names may be anything."""
    root = os.fsencode(folder)
    found: Looks = {}
    names: dict[tuple[int, int], bytes] = {}
    for parent, folders, files in os.walk(root):
        for path in sorted(os.path.join(parent, name) for name in (*folders, *files)):
            status = os.lstat(path)
            where = os.path.relpath(path, root)
            first = names.setdefault((status.st_dev, status.st_ino), where)
            found[where] = (*_facts(path, status), first if status.st_nlink > 1 else None)
    status = os.lstat(root)
    return {b".": _facts(root, status)} | found


def _facts(path: bytes, status: os.stat_result) -> tuple[object, ...]:
    kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
    if kind == stat.S_IFLNK:
        return kind, status.st_mtime_ns, os.readlink(path)
    if kind == stat.S_IFCHR:
        return kind, status.st_rdev
    kept = {name: os.getxattr(path, name) for name in os.listxattr(path)} if kind != stat.S_IFIFO else {}
    content = Path(os.fsdecode(path)).read_bytes() if kind == stat.S_IFREG else None
    return kind, mode, status.st_mtime_ns, content, tuple(sorted(kept.items()))


def save(store: Store, tree: Path, **rest: str) -> Snapshot:
    """Save a folder with nothing along."""
    return store.save(tree, payload={}, **rest)


def fill(tree: Path, files: int = 20, size: int = 3000) -> Path:
    """Make a folder with files in two folders, none of which can be made smaller."""
    for number in range(files):
        file = tree / f"part{number % 2}" / f"{number:03}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size))
    return tree


def age(tree: Path) -> None:
    """Wait until all that lies in a folder has been there long enough to be known by its times."""
    import time  # noqa: PLC0415 - here alone

    assert tree.is_dir()
    time.sleep(0.03)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A new store."""
    return Store(tmp_path / "store")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with some files, to save."""
    return fill(tmp_path / "work")
