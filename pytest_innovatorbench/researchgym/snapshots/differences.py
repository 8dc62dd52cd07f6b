"""In what two trees differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.snapshots.model import Change, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.researchgym.snapshots.objects import Objects


def differences(objects: Objects, before: Entry, after: Entry, path: str = "") -> Iterator[Change]:
    """Yield what differs below two folders, sorted by path, folders before what is in them.

    Folders that are the same are not even looked at.

    Raises:
        DamagedSnapshotError: The list of a folder is lost or altered.
    """
    if before.content == after.content:
        return
    old = {entry.name: entry for entry in objects.get_folder(str(before.content), path)}
    new = {entry.name: entry for entry in objects.get_folder(str(after.content), path)}
    for name in sorted(old.keys() | new.keys()):
        yield from _compare(objects, old.get(name), new.get(name), f"{path}/{name}" if path else name)


def _compare(objects: Objects, old: Entry | None, new: Entry | None, path: str) -> Iterator[Change]:
    if _essence(old) != _essence(new):
        yield Change(path=path, before=old, after=new)
    sides = [side if side is not None and side.kind == "folder" else None for side in (old, new)]
    if all(sides) and old is not None and new is not None:
        yield from differences(objects, old, new, path)
        return
    for side, is_old in zip(sides, (True, False), strict=True):
        for entry in objects.get_folder(str(side.content), path) if side is not None else ():
            before, after = (entry, None) if is_old else (None, entry)
            yield from _compare(objects, before, after, f"{path}/{entry.name}")


def _essence(entry: Entry | None) -> tuple[object, ...] | None:
    """All but the times, and what is in a folder."""
    if entry is None:
        return None
    content = None if entry.kind == "folder" else entry.content
    return entry.kind, entry.mode, entry.size, content, entry.attributes
