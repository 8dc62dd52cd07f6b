"""Records: one small file for each snapshot, which makes it one."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import SnapshotError, UnknownNameError
from pytest_innovatorbench.researchgym.snapshots.files import sync_folder, write_file
from pytest_innovatorbench.researchgym.snapshots.model import Entry, Mark, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_innovatorbench.researchgym.snapshots.hashing import Hash

_SUFFIX = ".json"
_DIGITS = 16
_SHORTEST = 4
_LISTED = 10


class Records:
    """The records of a store.

    Args:
        folder: Where they lie.
        name: Names content, and so the snapshots.
    """

    def __init__(self, folder: Path, name: Hash) -> None:
        self._folder = folder
        self._name = name

    def add(self, values: dict[str, Any]) -> Snapshot:
        """Make a snapshot of its values; from here on it is there."""
        document = {**values, "salt": secrets.token_hex(8)}
        data = json.dumps(document, indent=1).encode("ascii")
        identity = self._name(data)[:_DIGITS]
        write_file(self._folder / f"{identity}{_SUFFIX}", data)
        return _snapshot(identity, json.loads(data))

    def all(self) -> tuple[Snapshot, ...]:
        """Return all that are whole, oldest first."""
        found = [snapshot for name in self._names() if (snapshot := self._read(name)) is not None]
        return tuple(sorted(found, key=lambda snapshot: (snapshot.created, snapshot.id)))

    def damaged(self) -> tuple[str, ...]:
        """Return the names of those that are not whole."""
        return tuple(name for name in self._names() if self._read(name) is None)

    def get(self, name: str) -> Snapshot:
        """Return one.

        Args:
            name: Its name, or the first four or more digits of it.

        Raises:
            UnknownNameError: There is none, or more than one that begins so.
            SnapshotError: Its record is damaged.
        """
        names = self._names()
        found = [known for known in names if known.startswith(name)] if len(name) >= _SHORTEST else []
        if len(found) != 1:
            raise UnknownNameError("snapshot", name, found or names[-_LISTED:])
        snapshot = self._read(found[0])
        if snapshot is None:
            raise SnapshotError(
                f"snapshot {found[0]} is damaged: its record is altered", remedy="use another snapshot"
            )
        return snapshot

    def remove(self, names: Iterable[str]) -> None:
        """Remove some for good."""
        for name in names:
            (self._folder / f"{name}{_SUFFIX}").unlink(missing_ok=True)
        sync_folder(self._folder)

    def _names(self) -> list[str]:
        form = re.compile(rf"([0-9a-f]{{{_DIGITS}}}){re.escape(_SUFFIX)}")
        found = (form.fullmatch(file.name) for file in self._folder.iterdir())
        return sorted(match[1] for match in found if match)

    def _read(self, name: str) -> Snapshot | None:
        try:
            data = (self._folder / f"{name}{_SUFFIX}").read_bytes()
        except OSError:
            return None
        return _snapshot(name, json.loads(data)) if self._name(data)[:_DIGITS] == name else None


def values_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot's values without its name, for another one that shares some."""
    return {**asdict(snapshot), "root": snapshot.root, "id": None}


def _snapshot(identity: str, document: dict[str, Any]) -> Snapshot:
    del document["salt"]
    document["id"] = identity
    document["root"] = Entry._make(document["root"])
    document["marks"] = tuple(Mark(**mark) for mark in document["marks"])
    return Snapshot(**document)
