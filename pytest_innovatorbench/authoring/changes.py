"""Which tasks have changed since a commit, as git knows."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SHARED = "base"  # below evaluations/: what every evaluator rests on
_SECONDS = 120.0
_LONGEST = 200


def changed_tasks(root: Path, reference: str, task_ids: Sequence[str]) -> list[str]:
    """Return the tasks with a file that differs from the last commit shared with a reference.

    What is not committed counts, and so do files that git does not know and does not ignore.

    Args:
        root: The benchmark, anywhere in a git repository.
        reference: A branch, tag or commit.
        task_ids: The tasks there are; those deleted since do not count.

    Raises:
        SettingsError: The folder is in no repository, or there is no such commit.
    """
    paths = list(_changed(root, reference))
    if any(path.parts[:2] == ("evaluations", _SHARED) for path in paths):
        return list(task_ids)
    names = {name for path in paths for name in _tasks_of(path)}
    return [task_id for task_id in task_ids if task_id in names]


def _tasks_of(path: PurePosixPath) -> Iterator[str]:
    """Yield the task that a file belongs to, if it belongs to one."""
    first, *below = path.parts
    if first in {"evaluations", "gym"} and below:
        yield below[0]
    if first == "tests" and len(below) == 1 and path.suffix == ".py":
        yield path.stem.removeprefix("test_")


def _changed(root: Path, reference: str) -> Iterable[PurePosixPath]:
    _git(root, "rev-parse", "--show-toplevel", problem=f"{root} is in no git repository")
    unknown = f"git knows no commit {one_line(reference, 80)!r}"
    commit = _git(
        root, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}", problem=unknown
    )
    apart = f"{one_line(reference, 80)} and the present commit have no common one; fetch more of the history"
    base = _git(root, "merge-base", commit.strip(), "HEAD", problem=apart).strip()
    # A file that was moved counts where it was and where it is.
    compared = ("--no-renames", "--no-ext-diff", "--name-only", "-z", "--relative")
    differing = _git(root, "diff", *compared, base, "--", ".", problem="git could not compare")
    added = _git(root, "ls-files", "--others", "--exclude-standard", "-z", problem="git could not list files")
    return [PurePosixPath(name) for name in (differing + added).split("\0") if name]


def _git(root: Path, *arguments: str, problem: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise SettingsError("git is not installed", remedy="install it, or name the tasks") from error
    except subprocess.TimeoutExpired as error:
        raise SettingsError(f"{problem}: it took too long", remedy="name the tasks") from error
    if done.returncode:
        said = one_line(done.stderr.decode("utf-8", "replace").removeprefix("fatal: "), _LONGEST)
        reason = f" ({said})" if said else ""
        raise SettingsError(f"{problem}{reason}", remedy="name the tasks, or another commit")
    return done.stdout.decode("utf-8", "surrogateescape")
