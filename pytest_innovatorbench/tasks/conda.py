"""Packed conda environments: unpacked once per content, shared by every attempt."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import EnvironmentBuildError
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.archives import unpack
from pytest_innovatorbench.tasks.environment import Environment, cache_folder, locked

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "/workspace/conda"
POINTER = b"version https://git-lfs"
_ROOTS = ("workspace/conda", "conda", ".")
_PYTHON = "bin/python"
_SITE = re.compile(r"python3\.(\d+)")
_OLDEST = 8  # the evaluator's worker runs on Python 3.8 and later
_NAMED = 24


def is_pointer(file: Path) -> bool:
    """Tell whether a file was not fetched, and is what git-lfs puts in its place."""
    with file.open("rb") as content:
        return content.read(len(POINTER)) == POINTER


def unpacked(archive: Path, say: Callable[[str], None] = lambda _: None) -> Environment:
    """Return the environment in a ``conda.tar``, unpacking it if need be.

    It knows itself as ``/workspace/conda``, so that is where sandboxes show it. Two processes that
    ask for the same content unpack it once; what was cut short is begun anew.

    Args:
        archive: The archive, of ``/workspace/conda``.
        say: Told in one line that unpacking has begun.

    Raises:
        EnvironmentBuildError: It cannot be read or unpacked, or holds no Python.
    """
    try:
        if is_pointer(archive):
            raise EnvironmentBuildError(
                f"{archive} is kept by git-lfs and was not fetched", remedy="git lfs pull"
            )
        status = archive.stat()
        digest = _digest(archive, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        folder = cache_folder() / f"conda-{digest[:_NAMED]}"
        if not folder.exists():
            _unpack_once(archive, folder, say)
    except OSError as error:
        raise EnvironmentBuildError(
            f"{archive} cannot be unpacked: {error.strerror}: {error.filename}",
            remedy="mend its mode, free disk space, or set XDG_CACHE_HOME to a folder that can be written",
        ) from error
    return _environment(folder)


@lru_cache(maxsize=100)
def _digest(archive: Path, *_status: int) -> str:
    with archive.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _unpack_once(archive: Path, folder: Path, say: Callable[[str], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if folder.exists():
            return
        say(f"unpacking {archive} (once)")
        for unfinished in folder.parent.glob(f"{folder.name}.unfinished-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=f"{folder.name}.unfinished-", dir=folder.parent))
        try:
            unpack(archive, staging)
            _root(archive, staging).rename(folder)
            folder.chmod(0o755)
        except tarfile.TarError as error:
            raise EnvironmentBuildError(
                f"{archive} must not be unpacked: {one_line(str(error), 300)}",
                remedy="pack it again: tar -cf conda.tar /workspace/conda",
            ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _root(archive: Path, staging: Path) -> Path:
    """Return where in an archive the environment begins: people pack it from several folders."""
    for root in _ROOTS:
        python = staging / root / _PYTHON
        if python.is_symlink() or python.is_file():
            return staging / root
    raise EnvironmentBuildError(
        f"{archive} holds no workspace/conda/{_PYTHON}",
        remedy="pack it again: tar -cf conda.tar /workspace/conda",
    )


def _environment(folder: Path) -> Environment:
    site = _site_packages(folder)
    inside = Path(PLACE)
    return Environment(
        folder=folder,
        mount=PLACE,
        python=inside / _PYTHON,
        site_packages=None if site is None else inside / site.relative_to(folder),
    )


def _site_packages(folder: Path) -> Path | None:
    """Return the packages of a Python that evaluators can run on, if it is one."""
    for found in sorted(folder.glob("lib/python3.*/site-packages")):
        version = _SITE.fullmatch(found.parent.name)
        if version and int(version[1]) >= _OLDEST:
            return found
    return None
