"""Laying out the folder from which a workspace goes on."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.sandbox.merging import merge_into

if TYPE_CHECKING:
    from pytest_innovatorbench.runs.beginning import Beginning, Files

_LAYERS = ("upper", "copy")


def lay_out(beginning: Beginning, private: Path, lower: Path, whole: Path | None = None) -> str | None:
    """Make the private folder of a workspace, and restore a snapshot where there is need to.

    Args:
        beginning: What the attempt starts from.
        private: The folder.
        lower: What a workspace starts from, for snapshots of layers.
        whole: Where the workspace has to lie whole, if no sandbox layers it in that folder.

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
    files = beginning.files
    places = [private / layer for layer in _LAYERS] if whole is None else [whole]
    if files is None or any(map(_is_folder, places)):
        return None
    if whole is None:
        _restore(files, private / files.layer)
    elif files.layer == "upper":
        _merge(files, private / "restored", lower, whole)
    else:
        _restore(files, whole)
    return files.snapshot


def _is_folder(place: Path) -> bool:
    try:
        return stat.S_ISDIR(place.lstat().st_mode)
    except OSError:
        return False


def _restore(files: Files, place: Path) -> None:
    from pytest_innovatorbench.runs.keeping import open_store  # noqa: PLC0415 - few attempts need it

    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # not a folder, as that was found out
    open_store(files.store).restore(files.snapshot, place)


def _merge(files: Files, layer: Path, lower: Path, whole: Path) -> None:
    """Restore a layer and write what it looks like on what it lay on."""
    unfinished = whole.with_name(f"{whole.name}.unfinished")
    for left in (layer, unfinished):
        shutil.rmtree(left, ignore_errors=True)
    _restore(files, layer)
    try:
        merge_into([layer, lower], unfinished)
        whole.unlink(missing_ok=True)
        unfinished.rename(whole)
    except OSError as error:
        raise MachineFaultError("the workspace could not be restored", detail=str(error)) from None
    shutil.rmtree(layer, ignore_errors=True)
