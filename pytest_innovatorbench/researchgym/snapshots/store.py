"""The store: folders as they were, for as long as they are kept."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import MachineFaultError, SnapshotError
from pytest_innovatorbench.researchgym.snapshots.capture import Capture
from pytest_innovatorbench.researchgym.snapshots.differences import differences
from pytest_innovatorbench.researchgym.snapshots.files import locked, write_file
from pytest_innovatorbench.researchgym.snapshots.hashing import best_hash, find_hash
from pytest_innovatorbench.researchgym.snapshots.index import is_orphan, read_index
from pytest_innovatorbench.researchgym.snapshots.model import Change, Entry, Pruned, Restored, Snapshot
from pytest_innovatorbench.researchgym.snapshots.objects import Objects, unusable
from pytest_innovatorbench.researchgym.snapshots.records import Records, values_of
from pytest_innovatorbench.researchgym.snapshots.restoration import Restoration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_VERSION = 1
_FOLDERS = ("packs", "records", "indexes")


class Store:
    """Snapshots of folders, in a folder of their own; made where there is none.

    Any number of processes and threads may use a store, and one `Store`, at once.

    Args:
        folder: Where it lies: on a local file system, since it is locked and has a database.
        hashed_by: ``"blake3"`` or ``"sha256"`` for a new store, else the faster one that is installed.
            One that is there keeps its own.

    Attributes:
        folder: Where it lies.
        name: Names content.

    Raises:
        SnapshotError: It is of another version or takes something that is not installed.
        MachineFaultError: It cannot be made.
    """

    def __init__(self, folder: Path, *, hashed_by: str | None = None) -> None:
        self.folder = folder.absolute()
        with _working():
            about = self._about(hashed_by)
        if about["version"] != _VERSION:
            raise SnapshotError(
                f"the store {folder} is of version {about['version']}",
                remedy="use a newer version of this package",
            )
        if hashed_by not in {None, about["hash"]}:
            raise SnapshotError(
                f"the store {folder} names content by {about['hash']}, not {hashed_by}",
                remedy="use another folder",
            )
        self.name = find_hash(about["hash"])
        self._records = Records(self.folder / "records", self.name)
        if not (self.folder / "catalog").exists():
            with _working(), locked(self.folder, alone=True), self._objects():
                pass

    def save(
        self, tree: Path, *, payload: Mapping[str, Any], parent: str | None = None, index: str | None = None
    ) -> Snapshot:
        """Save a folder as it is; files that have not changed since the last time are not read.

        Args:
            tree: The folder. It is trusted, what is in it is not, and its tenant may be at work in it.
            payload: Any JSON values to keep with it.
            parent: The snapshot that it was made from.
            index: By what name to remember the folder's files, its path if ``None``.

        Raises:
            UnknownNameError: There is no such parent.
            MachineFaultError: The folder cannot be read, or the store not written to. No snapshot is made.
        """
        root = Path(os.path.realpath(tree))
        document = json.dumps(dict(payload), separators=(",", ":"), sort_keys=True).encode("ascii")
        origin = None if parent is None else self.show(parent).id
        created = time.time_ns()
        with _working(), locked(self.folder), self._objects() as objects:
            file = self._index(index or str(root))
            capture = Capture(objects, read_index(file, objects.generation, objects.has))
            entry = capture.read(root)
            values = {
                "created": created,
                "parent": origin,
                "source": str(root),
                "root": entry,
                "payload": objects.put(document),
                "files": capture.files,
                "size": capture.size,
                "stored": objects.written,
                "marks": [{"path": mark.path, "reason": mark.reason} for mark in capture.marks],
                "unmarked": capture.unmarked,
            }
            objects.commit()
            snapshot = self._records.add(values)
            capture.index.write(file, root, objects.generation)
        return snapshot

    def branch(self, name: str, *, payload: Mapping[str, Any]) -> Snapshot:
        """Make a snapshot of the same files with another payload, whose parent is the one named.

        Raises:
            UnknownNameError: There is no such snapshot.
            SnapshotError: Its record is damaged.
            MachineFaultError: The store cannot be written to.
        """
        document = json.dumps(dict(payload), separators=(",", ":"), sort_keys=True).encode("ascii")
        with _working(), locked(self.folder), self._objects() as objects:
            origin = self._records.get(name)
            kept = objects.put(document)
            objects.commit()
            values = values_of(origin)
            values |= {
                "created": time.time_ns(),
                "parent": origin.id,
                "payload": kept,
                "stored": objects.written,
            }
            return self._records.add(values)

    def list(self) -> tuple[Snapshot, ...]:
        """Return all snapshots whose records are whole, oldest first."""
        return self._records.all()

    def damaged(self) -> tuple[str, ...]:
        """Return the names of snapshots whose records are damaged; pruning removes them."""
        return self._records.damaged()

    def show(self, name: str) -> Snapshot:
        """Return a snapshot.

        Args:
            name: Its name, or the first four or more digits of it.

        Raises:
            UnknownNameError: There is none, or more than one that begins so.
            SnapshotError: Its record is damaged.
        """
        return self._records.get(name)

    def payload(self, name: str) -> dict[str, Any]:
        """Return what the caller gave along with a snapshot.

        Raises:
            UnknownNameError: There is no such snapshot.
            SnapshotError: Its record, or the payload, is damaged.
        """
        with _working(), locked(self.folder):
            snapshot = self.show(name)
            with self._objects(snapshot.id) as objects:
                values: dict[str, Any] = json.loads(objects.get(snapshot.payload, "its payload"))
        return values

    def diff(self, before: str, after: str) -> tuple[Change, ...]:
        """Return the paths in which two snapshots differ, sorted; times do not count.

        Raises:
            UnknownNameError: There is no such snapshot.
            SnapshotError: One of them is damaged.
        """
        with _working(), locked(self.folder):
            old, new = self.show(before), self.show(after)
            with self._objects(f"{old.id} or {new.id}") as objects:
                return tuple(differences(objects, old.root, new.root))

    def restore(self, name: str, dest: Path, *, index: str | None = None) -> Restored:
        """Make a folder what it was; only what differs is touched.

        What is too much is moved to a folder beside it, see `discard_aside`. Each file is either the old or
        the new one at any moment, so after an interruption the folder can be used, and restored again.

        Args:
            name: The snapshot.
            dest: The folder, made if there is none; no mount point. Nothing may be at work in it.
            index: By what name its files are remembered, its path if ``None``.

        Raises:
            UnknownNameError: There is no such snapshot.
            SnapshotError: It is damaged; what could be restored until this was found is.
            MachineFaultError: The folder cannot be written to.
        """
        root = Path(os.path.realpath(dest))
        with _working(), locked(self.folder):
            snapshot = self.show(name)
            with self._objects(snapshot.id) as objects, _restoring(root):
                root.mkdir(parents=True, exist_ok=True)
                file = self._index(index or str(root))
                restoration = Restoration(objects, root, read_index(file, objects.generation, objects.has))
                restored = restoration.run(snapshot.root)
                restoration.index.write(file, root, objects.generation)
        return restored

    def prune(self, keep: Callable[[tuple[Snapshot, ...]], Iterable[Snapshot]]) -> Pruned:
        """Remove all snapshots but some, and what only they needed.

        It waits until nobody else uses the store, and keeps everybody out meanwhile.

        Args:
            keep: Returns those to keep of all there are, which are given oldest first.

        Raises:
            SnapshotError: One that is to be kept is damaged, so that nobody knows what it needs; nothing
                is removed.
            MachineFaultError: The store cannot be written to.
        """
        with _working(), locked(self.folder, alone=True):
            before = _size(self.folder)
            there = self.list()
            kept = {snapshot.id for snapshot in keep(there)}
            gone = (*(snapshot.id for snapshot in there if snapshot.id not in kept), *self.damaged())
            with self._objects() as objects:
                live: set[bytes] = set()
                for snapshot in there:
                    if snapshot.id in kept:
                        objects.reader = snapshot.id
                        live.add(bytes.fromhex(snapshot.payload))
                        _mark(objects, snapshot.root, "", live)
                self._records.remove(gone)
                removed = objects.sweep(live)
            for file in (self.folder / "indexes").iterdir():
                if is_orphan(file):
                    file.unlink()
            return Pruned(snapshots=gone, objects=removed, freed=before - _size(self.folder))

    def _about(self, hashed_by: str | None) -> dict[str, Any]:
        file = self.folder / "store.json"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.folder, alone=True):
                if not file.exists():
                    for folder in _FOLDERS:
                        (self.folder / folder).mkdir(exist_ok=True)
                    about = {"version": _VERSION, "hash": hashed_by or best_hash()}
                    write_file(file, json.dumps(about).encode())
        try:
            document: dict[str, Any] = json.loads(file.read_bytes())
            return {"version": document["version"], "hash": document["hash"]}
        except (ValueError, KeyError, TypeError):
            raise SnapshotError(
                f"{file} is damaged", remedy='write {"version": 1, "hash": ...} into it'
            ) from None

    def _objects(self, reader: str = "") -> Objects:
        return Objects(self.folder, self.name, reader)

    def _index(self, name: str) -> Path:
        digest = hashlib.sha256(os.fsencode(name)).hexdigest()
        return self.folder / "indexes" / digest[:32]


def _mark(objects: Objects, folder: Entry, path: str, live: set[bytes]) -> None:
    """Add all that a folder needs."""
    key = bytes.fromhex(str(folder.content))
    if key in live:
        return
    for entry in objects.get_folder(str(folder.content), path):
        if entry.kind == "folder":
            _mark(objects, entry, f"{path}/{entry.name}" if path else entry.name, live)
        elif entry.kind in {"file", "sparse"}:
            live.update(bytes.fromhex(digest) for _, digest in entry.chunks())
    live.add(key)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def _faults(say: Callable[[Exception], MachineFaultError]) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as problem:
        raise say(problem) from None


_working = partial(_faults, unusable)


def _restoring(dest: Path) -> AbstractContextManager[None]:
    def say(problem: Exception) -> MachineFaultError:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        return MachineFaultError(f"{dest} could not be restored ({reason})", detail=str(problem))

    return _faults(say)
