"""The catalogue: where each object lies. All it says can be had from the packs again."""

from __future__ import annotations

import secrets
import sqlite3
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SnapshotError
from pytest_innovatorbench.researchgym.snapshots.packs import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from pytest_innovatorbench.researchgym.snapshots.packs import Packs

_PATIENCE = 60.0  # seconds to wait for others who write
_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS packs (number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS objects (
    digest BLOB PRIMARY KEY, pack INTEGER, offset INTEGER, stored INTEGER, size INTEGER, codec INTEGER,
    damaged INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (generation TEXT);
"""
_ADD = (
    "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (digest) DO UPDATE SET"
    " pack = excluded.pack, offset = excluded.offset, stored = excluded.stored, size = excluded.size,"
    " codec = excluded.codec, damaged = 0 WHERE damaged"
)


class Catalog:
    """The catalogue of a store, opened by one thread; brought up to what packs there are.

    Args:
        file: Where it lies, or comes to lie.
        packs: The packs of the store.

    Raises:
        SnapshotError: It is damaged.
    """

    def __init__(self, file: Path, packs: Packs) -> None:
        self._file = file
        self._database = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
        try:
            if not self._is_laid_out():
                self._database.executescript(_TABLES)
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._agree_with(packs)
        except sqlite3.OperationalError:
            self.close()
            raise
        except sqlite3.DatabaseError as problem:
            self.close()
            raise SnapshotError(
                f"the catalogue {file} is damaged ({problem})",
                remedy="remove it while nothing uses the store; it is made again from the packs",
            ) from None

    @property
    def generation(self) -> str:
        """Changes whenever objects have gone."""
        row = self._database.execute("SELECT generation FROM about").fetchone()
        return str(row[0]) if row else ""

    def those_there(self, digests: Collection[bytes]) -> set[bytes]:
        """Return which of some hundreds of objects are there and not known to be damaged."""
        marks = ", ".join("?" * len(digests))
        query = f"SELECT digest FROM objects WHERE digest IN ({marks}) AND NOT damaged"  # noqa: S608 - marks
        return {row[0] for row in self._database.execute(query, tuple(digests))}

    def find(self, digest: bytes) -> Place | None:
        """Return where an object lies."""
        query = "SELECT pack, offset, stored, size, codec FROM objects WHERE digest = ?"
        row = self._database.execute(query, (digest,)).fetchone()
        return None if row is None else Place._make(row)

    def add(self, found: Iterable[tuple[bytes, Place]]) -> None:
        """Enter the objects of new packs; of those that are there twice, the first whole one counts."""
        rows = [(digest, *place) for digest, place in found]
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._enter(rows, {row[1] for row in rows})

    def mark_damaged(self, digest: bytes) -> None:
        """Note that an object is damaged, so that it is kept again when it is next saved."""
        with self._database:
            self._database.execute("UPDATE objects SET damaged = 1 WHERE digest = ?", (digest,))
            self._renew()

    def move(
        self, digests: Collection[bytes], to: Iterable[tuple[bytes, Place]], gone: Iterable[int]
    ) -> None:
        """Enter what pruning did.

        Args:
            digests: Objects that are no longer there.
            to: Objects that lie elsewhere now.
            gone: Packs that are no longer there.
        """
        moved = [(digest, *place) for digest, place in to]
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "DELETE FROM objects WHERE digest = ?",
                [(digest,) for digest in (*digests, *(m[0] for m in moved))],
            )
            self._enter(moved, {row[1] for row in moved})
            self._forget(gone)

    def everything(self) -> dict[bytes, Place]:
        """Return all objects that there are."""
        rows = self._database.execute("SELECT digest, pack, offset, stored, size, codec FROM objects")
        return {row[0]: Place._make(row[1:]) for row in rows}

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _is_laid_out(self) -> bool:
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'about'"
        return bool(self._database.execute(query).fetchone()[0])

    def _agree_with(self, packs: Packs) -> None:
        """Enter packs whose writer was killed before it could, and drop those that have gone."""
        known = {row[0] for row in self._database.execute("SELECT number FROM packs")}
        there = packs.numbers()
        if known == there:
            return
        for pack in there - known:
            found = [(digest, *place) for digest, place in packs.scan(pack)]
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._enter(found, {pack})
        if known - there:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._forget(known - there)

    def _enter(self, rows: Iterable[tuple[object, ...]], packs: Iterable[int]) -> None:
        self._database.executemany(_ADD, rows)
        self._database.executemany("INSERT OR IGNORE INTO packs VALUES (?)", [(pack,) for pack in packs])

    def _forget(self, packs: Iterable[int]) -> None:
        numbers = [(pack,) for pack in packs]
        self._database.executemany("DELETE FROM objects WHERE pack = ?", numbers)
        self._database.executemany("DELETE FROM packs WHERE number = ?", numbers)
        self._renew()

    def _renew(self) -> None:
        self._database.execute("DELETE FROM about")
        self._database.execute("INSERT INTO about VALUES (?)", (secrets.token_hex(8),))
