"""Laying out the folder from which a workspace goes on."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_innovatorbench.runs.beginning import Beginning, Files

_LAYERS = ("upper", "copy")


def lay_out(beginning: Beginning, private: Path) -> str | None:
    """Make the private folder of a workspace, and restore a snapshot into it where there is need to.

    Args:
        beginning: What the attempt starts from.
        private: The folder.

    Returns:
        The snapshot that was restored.

    Raises:
        OSError: The folder cannot be made.
        UserError: The snapshot is gone or damaged.
        MachineFaultError: The workspace cannot be written to.
    """
    if private.is_symlink() or not private.is_dir():
        private.unlink(missing_ok=True)
        private.mkdir(mode=0o700)
    if beginning.files is None or any(_is_folder(private / layer) for layer in _LAYERS):
        return None
    _restore(beginning.files, private)
    return beginning.files.snapshot


def _is_folder(place: Path) -> bool:
    try:
        return stat.S_ISDIR(place.lstat().st_mode)
    except OSError:
        return False


def _restore(files: Files, private: Path) -> None:
    from pytest_innovatorbench.runs.keeping import open_store  # noqa: PLC0415 - few attempts need it

    place = private / files.layer
    place.unlink(missing_ok=True)  # not a folder, as that was found out
    open_store(files.store).restore(files.snapshot, place)
