"""A fingerprint of what submissions of a task are graded with."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.evaluation.layout import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.evaluation.target import EvaluationTarget

_CACHES = {"__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_WORKER = Path(__file__).with_name("worker.py")


def digest(target: EvaluationTarget) -> str:
    """Return ``sha256:`` and a hash over the evaluator, its references and its base.

    The agent's side (``gym``), the hidden solution and sample outputs are not part of it. A file is
    read once per process as long as its size and times stay the same.

    Raises:
        OSError: A file cannot be read.
    """
    total = hashlib.sha256()
    for name, path in _parts(target):
        total.update(os.fsencode(name) + b"\0" + _file_digest(path) + b"\n")
    return f"sha256:{total.hexdigest()}"


def _parts(target: EvaluationTarget) -> Iterator[tuple[str, Path]]:
    for name, path in visible(target.folder):
        yield from _files(f"task/{name}", path)
    yield from _files("base", target.base)
    yield "worker", _WORKER


def _files(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a path in sorted order, links as what they point to."""
    if path.is_dir():
        for entry in sorted(path.iterdir()):
            if entry.name not in _CACHES:
                yield from _files(f"{name}/{entry.name}", entry)
    elif path.is_file():
        yield name, path


def _file_digest(path: Path) -> bytes:
    status = path.stat()
    return _read(path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=100_000)
def _read(path: Path, *_status: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
