"""Where the workspaces of an attempt lie on this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.researchgym.computers.placement import Grant
    from pytest_innovatorbench.tasks.model import Task


def name_on(task: Task, record: Path) -> str:
    """Return what an attempt is called on computers that others use as well: its own name for good."""
    digest = hashlib.sha256(os.fsencode(record)).hexdigest()[:12]
    return f"ibench-{task.id[:40]}-{digest}".lower()


def shared_place(grants: Sequence[Grant]) -> Path | None:
    """Return the folder that this machine and another one both have, for workspaces, if there is one."""
    accesses = (grant.machine.ssh for grant in grants)
    places = [Path(access.workspace) for access in accesses if access is not None and access.is_shared]
    return places[0] if places else None


def collecting(grants: Sequence[Grant]) -> int:
    """Return the number of the computer whose outputs are evaluated."""
    return next((index for index, grant in enumerate(grants) if grant.role.outputs), 0)


def folder_of(private: Path, index: int, grant: Grant) -> Path:
    """Return the private folder here of one computer, given that of the first."""
    return private if index == 0 else private.with_name("computers") / grant.machine.name


def whole_place(task: Task, grants: Sequence[Grant], private: Path) -> Path | None:
    """Return where the workspace that is evaluated lies as a whole, or here as a mirror.

    Args:
        task: The task.
        grants: What the attempt was given.
        private: The private folder of its first workspace, in its record.

    Returns:
        The folder, which may not be there yet; ``None`` where a sandbox layers it.
    """
    index = collecting(grants)
    access, place = grants[index].machine.ssh, shared_place(grants)
    if access is not None and not access.is_shared:
        return folder_of(private, index, grants[index]) / "mirror"
    if access is not None or place is not None:
        place = Path(access.workspace) if access is not None else place
        assert place is not None  # noqa: S101 - one of the two
        return place / name_on(task, private.parent)
    return private / "copy" if len(grants) > 1 or grants[0].machine.kind != "local" else None
