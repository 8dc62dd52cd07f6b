"""Objects: pieces of content, each kept once under its digest and checked when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import DamagedSnapshotError, MachineFaultError
from pytest_innovatorbench.researchgym.snapshots.catalog import Catalog
from pytest_innovatorbench.researchgym.snapshots.hashing import Codec
from pytest_innovatorbench.researchgym.snapshots.model import Entry
from pytest_innovatorbench.researchgym.snapshots.packs import Packs, Writer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from pytest_innovatorbench.researchgym.snapshots.hashing import Hash
    from pytest_innovatorbench.researchgym.snapshots.packs import Place

# What is put waits for more, so that the catalogue is asked for many at once.
_MOST_WAITING = 256
_MOST_BYTES_WAITING = 4 << 20


class Objects:
    """The objects of a store, opened by one thread for one piece of work.

    Nothing that is put is there before `commit`; leaving the context without it drops all of it.

    Args:
        folder: The store.
        name: Names content.
        reader: The snapshot that is read, for errors.
    """

    def __init__(self, folder: Path, name: Hash, reader: str = "") -> None:
        self.reader = reader
        self._name = name
        self._packs = Packs(folder / "packs")
        self._catalog = Catalog(folder / "catalog", self._packs)
        self._codec = Codec()
        self._writer = Writer(self._packs)
        self._put: dict[bytes, Place] = {}
        self._waiting: dict[bytes, bytes] = {}
        self._waiting_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.abandon()
        self._packs.close()
        self._catalog.close()

    @property
    def generation(self) -> str:
        """Changes whenever objects have gone from the store."""
        return self._catalog.generation

    @property
    def written(self) -> int:
        """Bytes that were added so far."""
        self._keep()
        return self._writer.written

    def put(self, data: bytes) -> str:
        """Keep content, unless it is kept already, and return its digest.

        Raises:
            MachineFaultError: The store cannot be written to.
        """
        digest = self._name(data)
        key = bytes.fromhex(digest)
        if key not in self._put and key not in self._waiting:
            self._waiting[key] = data
            self._waiting_bytes += len(data)
            if len(self._waiting) >= _MOST_WAITING or self._waiting_bytes >= _MOST_BYTES_WAITING:
                self._keep()
        return digest

    def put_folder(self, lines: Iterable[str]) -> str:
        """Keep what is in a folder, an entry a line, and return its digest."""
        return self.put("\n".join(lines).encode("ascii"))

    def has(self, digest: str) -> bool:
        """Tell whether content is kept and not known to be damaged."""
        key = bytes.fromhex(digest)
        return key in self._put or key in self._waiting or bool(self._catalog.those_there([key]))

    def place(self, digest: str) -> Place | None:
        """Return where content lies."""
        return self._catalog.find(bytes.fromhex(digest))

    def digest(self, data: bytes) -> str:
        """Return the digest of content."""
        return self._name(data)

    def get(self, digest: str, what: str) -> bytes:
        """Return content.

        Args:
            digest: Its digest.
            what: What it is, for the error.

        Raises:
            DamagedSnapshotError: It is not there, or not what was put.
        """
        key = bytes.fromhex(digest)
        place = self._catalog.find(key)
        data = None if place is None else self._read(place)
        if data is None or self._name(data) != digest:
            self._catalog.mark_damaged(key)
            raise DamagedSnapshotError(what, digest=digest, snapshot=self.reader)
        return data

    def get_lines(self, digest: str, path: str) -> list[str]:
        """Return what is in a folder, an entry a line.

        Raises:
            DamagedSnapshotError: It is not there, or not what was put.
        """
        what = f"the list of {path!r}" if path else "the list of its root"
        return self.get(digest, what).decode("ascii").splitlines()

    def get_folder(self, digest: str, path: str) -> Iterator[Entry]:
        """Yield what is in a folder; see `get_lines`."""
        return map(Entry.read, self.get_lines(digest, path))

    def commit(self) -> None:
        """Have what was put be there for good."""
        self._keep()
        self._writer.finish()
        if self._put:
            self._catalog.add(self._put.items())
        self._put.clear()

    def sweep(self, live: Collection[bytes]) -> int:
        """Remove all objects but some; nobody else may use the store meanwhile.

        Packs of which less than two thirds are needed are written anew, without the rest.

        Returns:
            How many were removed.
        """
        there = self._catalog.everything()
        needed: dict[int, int] = {}
        for digest in live:
            if (place := there.get(digest)) is not None:
                needed[place.pack] = needed.get(place.pack, 0) + place.stored
        size = {pack: self._packs.file(pack).stat().st_size for pack in self._packs.numbers()}
        gone = {pack for pack in size if 3 * needed.get(pack, 0) < 2 * size[pack]}
        # The empty ones first, since this may be for lack of space.
        for pack in gone - needed.keys():
            self._packs.file(pack).unlink()
        moved = {d: p for d in live if (p := there.get(d)) is not None and p.pack in gone}
        moved = {digest: new for digest, place in moved.items() if (new := self._copy(digest, place))}
        self._writer.finish()
        dead = {digest for digest, place in there.items() if digest not in live and place.pack not in gone}
        self._catalog.move(dead, moved.items(), gone)
        for pack in gone & needed.keys():
            self._packs.file(pack).unlink()
        return len(there) - len(live & there.keys())

    def _keep(self) -> None:
        """Write what waits, but for what is kept already."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        there = self._catalog.those_there(waiting) if waiting else ()
        try:
            for key, data in waiting.items():
                if key not in there:
                    self._put[key] = self._writer.add(key, *self._packed(data))
        except OSError as problem:
            raise unusable(problem) from None

    def _copy(self, digest: bytes, place: Place) -> Place | None:
        data = self._packs.read(place)
        return None if data is None else self._writer.add(digest, place.codec, data, place.size)

    def _packed(self, data: bytes) -> tuple[int, bytes, int]:
        return (*self._codec.pack(data), len(data))

    def _read(self, place: Place) -> bytes | None:
        data = self._packs.read(place)
        return None if data is None else self._codec.unpack(place.codec, data, place.size)


def unusable(problem: Exception) -> MachineFaultError:
    """Return the error for a store that cannot be read or written to."""
    reason = problem.strerror if isinstance(problem, OSError) else str(problem)
    return MachineFaultError(f"the store of snapshots cannot be used ({reason})", detail=str(problem))
