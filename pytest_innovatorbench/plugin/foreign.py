"""Telling what agents start from and leave behind from what pytest may collect."""

from __future__ import annotations

from pathlib import Path

_RUNS = ".ibench"


def is_foreign(path: Path, root: Path) -> bool:
    """Tell whether a path that pytest comes across holds somebody else's code.

    Args:
        path: A file or folder.
        root: pytest's root folder; its ``gym`` is what agents start from.
    """
    if path.is_relative_to(root / "gym"):
        return (root / "evaluations").is_dir()
    return path.name == _RUNS or (path / "run.json").is_file() or workspace_around(path) is not None


def workspace_around(path: Path) -> Path | None:
    """Return the workspace of an attempt's record that a path lies in, if it lies in one."""
    absolute = Path(path).absolute()
    for folder in absolute.parents:
        in_record = folder.name == "workspace" and folder.parent.parent.name == "attempts"
        if in_record and (folder.parents[2] / "run.json").is_file():
            return folder
    return None
