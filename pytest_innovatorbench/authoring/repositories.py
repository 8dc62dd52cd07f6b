"""Copying somebody's repository into a task: its files as they are, without history, caches and far links."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_innovatorbench.errors import SettingsError

_HISTORY = frozenset({".git", ".hg", ".svn"})
_CACHES = frozenset(
    {
        "__pycache__",
        ".cache",
        ".DS_Store",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        "node_modules",
    }
)
_CACHE_ENDINGS = (".pyc", ".pyo")
_BARE = ("HEAD", "objects", "refs")  # what a folder has that is itself a git history
_TOYS = "smoother"  # the folder of the template's own starter code


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What came of copying a repository.

    Attributes:
        name: Its folder below ``task/repositories``.
        files: Number of files.
        size: Their bytes.
        left_out: What was not copied, as path and reason.
    """

    name: str
    files: int
    size: int
    left_out: tuple[tuple[str, str], ...]


def repository(text: str, root: Path) -> Path:
    """Return the folder of a repository that can be copied into a benchmark.

    Raises:
        SettingsError: It cannot.
    """
    folder = Path(text).expanduser().resolve()
    if not folder.is_dir():
        raise SettingsError(
            f"the repository {text!r} is no folder", remedy="clone it first, and name the clone"
        )
    if _is_bare(folder):
        raise SettingsError(f"{text!r} is a bare git repository", remedy="clone it first, and name the clone")
    if root.resolve().is_relative_to(folder):
        raise SettingsError(f"the benchmark lies in {text!r}", remedy="name a repository outside of it")
    if folder.name == _TOYS or not folder.name.isprintable() or folder.name.startswith("."):
        problem = f"repositories/{folder.name} would not do as a folder"
        raise SettingsError(
            problem.encode("ascii", "backslashreplace").decode(), remedy="rename the repository"
        )
    return folder


def copy_repository(source: Path, target: Path) -> Copied:
    """Copy a repository into a new folder.

    Args:
        source: The repository; nothing of it is changed.
        target: The folder to make.

    Raises:
        OSError: A file cannot be read, or written.
    """
    files = size = 0
    left_out: list[tuple[str, str]] = []
    target.mkdir(parents=True)
    for path, reason in _walk(source, ""):
        if reason:
            left_out.append((path, reason))
        elif (source / path).is_symlink():
            (target / path).symlink_to((source / path).readlink())
        elif (source / path).is_dir():
            (target / path).mkdir()
        else:
            files, size = files + 1, size + _copy_file(source / path, target / path)
    left_out += _without_far_links(target)
    return Copied(name=target.name, files=files, size=size, left_out=tuple(sorted(left_out)))


def _walk(source: Path, below: str) -> Iterator[tuple[str, str]]:
    """Yield what is in a folder, folders before their content, and why it is left out, if it is."""
    for name in sorted(file.name for file in (source / below).iterdir()):
        path = f"{below}{name}"
        reason = _reason_against(source / path)
        yield path, reason
        if not reason and (source / path).is_dir() and not (source / path).is_symlink():
            yield from _walk(source, f"{path}/")


def _reason_against(file: Path) -> str:
    mode = file.lstat().st_mode
    if file.name in _HISTORY or (stat.S_ISDIR(mode) and _is_bare(file)):
        return "history"
    if file.name in _CACHES or file.name.endswith(_CACHE_ENDINGS):
        return "cache"
    if stat.S_ISDIR(mode) and (file / "pyvenv.cfg").is_file():
        return "virtual environment"
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode) else "no file"


def _is_bare(folder: Path) -> bool:
    return all((folder / name).exists() for name in _BARE)


def _copy_file(source: Path, target: Path) -> int:
    shutil.copyfile(source, target, follow_symlinks=False)
    is_program = source.stat().st_mode & stat.S_IXUSR
    if is_program:
        target.chmod(target.stat().st_mode | (target.stat().st_mode & 0o444) >> 2)
    return target.stat().st_size


def _without_far_links(folder: Path) -> Iterator[tuple[str, str]]:
    """Remove links that leave the folder or lead nowhere, and yield them.

    Removing one may leave another without its target, so they are looked at until none is removed.
    """
    links = {path for path, _ in _walk(folder, "") if (folder / path).is_symlink()}
    while far := {path for path in links if not _stays(folder, folder / path)}:
        for path in far:
            yield path, f"link to {(folder / path).readlink()}"
            (folder / path).unlink()
        links -= far


def _stays(folder: Path, link: Path) -> bool:
    is_relative = not link.readlink().is_absolute()
    return is_relative and link.exists() and link.resolve().is_relative_to(folder.resolve())
