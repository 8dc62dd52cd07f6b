"""Whether a folder can be overlaid, found out by doing it."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.sandbox.model import Jail, Overlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.sandbox.model import Sandbox

_SAMPLE = 1000
_OVERLAID = "/overlaid"
_TRIAL = ["/bin/sh", "-c", "mkdir .t && : >.t/a && mv .t/a .t/b && rm -r .t"]


def overlay_problem(sandbox: Sandbox, lower: Path, upper: Path) -> str | None:
    """Return why ``lower`` cannot be overlaid with writes in ``upper``, or ``None`` if it can.

    Args:
        sandbox: Where the overlay would be mounted.
        lower: The folder that is to be seen.
        upper: Existing folder that would take the writes.
    """
    lower, upper = lower.resolve(), upper.resolve()
    if lower.is_relative_to(upper) or upper.is_relative_to(lower):
        return f"{lower} and {upper} lie inside each other"
    stranger = next(_strangers(lower), None)
    if stranger is not None:
        return f"{stranger} belongs to another user"
    return _try_out(_FileSystems(sandbox, lower, upper))


def _strangers(lower: Path) -> Iterator[str]:
    """Paths of another owner in the first two levels.

    The kernel copies a file up under its owner, and refuses to (``EOVERFLOW``) for an owner who is
    not mapped into the sandbox.
    """
    owner = (os.geteuid(), os.getegid())
    folders = [str(lower)]
    if _owner(lower.stat()) != owner:
        yield str(lower)
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in itertools.islice(entries, _SAMPLE):
                if _owner(entry.stat(follow_symlinks=False)) != owner:
                    yield entry.path
                if folder == str(lower) and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def _owner(status: os.stat_result) -> tuple[int, int]:
    return status.st_uid, status.st_gid


class _FileSystems:
    """What a trial depends on: any two folders on the same file systems count as the same."""

    def __init__(self, sandbox: Sandbox, lower: Path, upper: Path) -> None:
        self.sandbox = sandbox
        self.lower = lower
        self.upper = upper
        self._key = (sandbox.name, lower.stat().st_dev, upper.stat().st_dev, os.geteuid())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _FileSystems) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)


@cache
def _try_out(where: _FileSystems) -> str | None:
    """Mount one such overlay and write to it, once for each pair of file systems and user."""
    with tempfile.TemporaryDirectory(dir=where.upper.parent, prefix=".overlay-") as folder:
        upper, work = Path(folder, "upper"), Path(folder, "work")
        upper.mkdir()
        work.mkdir()
        jail = Jail(
            overlay=Overlay(lower=where.lower, upper=upper, work=work, dest=_OVERLAID),
            cwd=_OVERLAID,
            environment={"PATH": "/usr/bin:/bin"},
        )
        return _run(where.sandbox, jail)


def _run(sandbox: Sandbox, jail: Jail) -> str | None:
    try:
        tree = sandbox.spawn(jail, _TRIAL, stderr=subprocess.PIPE)
    except MachineFaultError as problem:
        return f"an overlay cannot be mounted here ({problem.detail})"
    status = tree.wait()
    if tree.stderr is None:
        return None
    with tree.stderr as stderr:
        said = stderr.read().decode(errors="replace").strip()
    return f"an overlay cannot be written to here ({said})" if status else None
