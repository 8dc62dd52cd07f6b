"""The workspace of a computer that is not this machine: on a file system that both have, or copied."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.exchange import (
    UNLIMITED,
    Exchange,
    is_below,
    send,
    topmost,
)
from pytest_innovatorbench.researchgym.computers.workspace import ALWAYS_THERE, copy_tree
from pytest_innovatorbench.researchgym.tree_program import Source, Taker, as_line, walk
from pytest_innovatorbench.sandbox.disk import usage
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_innovatorbench.researchgym.computers.exchange import Station
    from pytest_innovatorbench.sandbox.trees import Entry

_TAKEN = frozenset({"file", "folder", "link"})
AS_THEY_WERE = "as they were"


class RemoteWorkspace(Protocol):
    """Where the workspace lies, and how it is read.

    Attributes:
        note: What is to be known of it, such as that it could not be read lately.
    """

    note: str | None

    def path(self, folder: PurePosixPath) -> PurePosixPath:
        """Return where it is on the computer, given the private folder of the attempt there."""

    def send(self, station: Station) -> str:
        """Put the files in place where the computer has none; return how they are, in words."""

    def fetch(self, station: Station, below: str) -> None:
        """Learn what is below a folder by now."""

    def tree(self, station: Station) -> Path:
        """Return a folder here that holds all of it, as it is now."""

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of it, as it is known here."""


class SharedWorkspace:
    """A workspace on a file system that this machine and the computer both have at the same path.

    Args:
        lower: What it starts from; never changed.
        place: Its folder.
    """

    def __init__(self, lower: Path, place: Path) -> None:
        self.note: str | None = None
        self._lower = lower
        self._place = place

    def path(self, folder: PurePosixPath) -> PurePosixPath:  # noqa: ARG002 - it is elsewhere
        """Return where it is on the computer."""
        return PurePosixPath(self._place)

    def send(self, station: Station) -> str:
        """Put the start state in place where there is nothing, and hold that the computer sees it."""
        if not self._place.exists():
            self._place.parent.mkdir(parents=True, exist_ok=True)
            copy_tree(self._lower, self._place)
        done = station.transport.run(["test", "-d", str(self._place / ALWAYS_THERE[0])], timeout=30)
        if done.status:
            raise MachineFaultError(
                f"{station.transport.place} does not see {self._place}: "
                "share it at the same path, or use workspace: {sync: PATH}"
            )
        return AS_THEY_WERE

    def fetch(self, station: Station, below: str) -> None:
        """Nothing has to be done."""

    def tree(self, station: Station) -> Path:  # noqa: ARG002 - it lies here
        """Return its folder."""
        return self._place

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of it."""
        return walk_layers([self._place], below)


class SyncedWorkspace:
    """A workspace that lies on the computer, with a mirror here of what was fetched last.

    Args:
        lower: What it starts from; never changed.
        folder: Existing private folder here, for the mirror. One that was laid out there is what is sent.
        quota: Bytes that are fetched at most, besides as many as it starts from.
    """

    def __init__(self, lower: Path, folder: Path, quota: int | None = None) -> None:
        self.note: str | None = None
        self._lower = lower
        self._mirror = folder / "mirror"
        self._index = folder / "mirror.json"
        self._quota = UNLIMITED if quota is None else quota
        self._fetching = threading.Lock()

    def path(self, folder: PurePosixPath) -> PurePosixPath:
        """Return where it is on the computer."""
        return folder / "workspace"

    def send(self, station: Station) -> str:
        """Send what the computer does not have of what is known here, and remove there what is not of it.

        That is what was fetched last, and the start state for the rest.
        """
        _, fetched = self._read_index()
        send(station, self.path(station.folder), dict(self._known_state(fetched)))
        return "as they were fetched last" if fetched else "as at the start"

    def fetch(self, station: Station, below: str) -> None:
        """Bring the mirror up to date below a folder; what cannot be had stays as it was fetched last."""
        with self._fetching:
            known, fetched = self._read_index()
            self._write_index(known, fetched)  # before there is a mirror, which would be taken for whole
            self._mirror.mkdir(mode=0o700, exist_ok=True)
            below = below if self._has_folders(below) else ""
            try:
                with Exchange(station, "give", self.path(station.folder), below) as exchange:
                    self._take(exchange, known, below)
                fetched = topmost([*fetched, below])
            finally:
                self._write_index(known, fetched)

    def tree(self, station: Station) -> Path:
        """Bring all of the mirror up to date and return its folder."""
        self.fetch(station, "")
        return self._mirror

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of the mirror, or of the start state while there is none."""
        return walk_layers([self._mirror if self._mirror.exists() else self._lower], below)

    def _take(self, exchange: Exchange, known: dict[str, Any], below: str) -> None:
        there = exchange.listing(below)
        quota = self._quota if below else self._quota + usage(self._lower, UNLIMITED)
        chosen, left_out = _choose(there, quota)
        wanted = {path: entry for path, entry in chosen.items() if entry != known.get(path)}
        exchange.send(b"".join(map(as_line, wanted.values())) + b"\n")
        self._remove(known, [path for path in known if is_below(path, below) and path not in chosen])
        came: set[str] = set()

        def is_wanted(entry: Mapping[str, Any]) -> bool:
            came.add(entry["path"])
            return entry["path"] in wanted and entry["kind"] == wanted[entry["path"]]["kind"]

        Taker(str(self._mirror), quota, is_mirror=True, allowed=is_wanted).take(exchange.source)
        self._remove(known, list(wanted.keys() - came))
        known.update((path, wanted[path]) for path in came)
        self.note = f"not fetched: {left_out[0]!r} and {len(left_out) - 1} more" if left_out else None

    def _remove(self, known: dict[str, Any], paths: Sequence[str]) -> None:
        """Remove from the mirror what is not on the computer any more."""
        for path in paths:
            known.pop(path, None)
        gone = b"".join(as_line({"path": path, "kind": "gone"}) for path in topmost(paths)) + b"\n"
        Taker(str(self._mirror), 0).take(Source(io.BytesIO(gone).read))

    def _known_state(self, fetched: Sequence[str]) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
        """Yield by path where an entry lies here, and the entry."""
        for entry in _start_state(self._lower):
            if not any(is_below(entry["path"], part) for part in fetched):
                yield entry["path"], (str(self._lower), entry)
        for part in fetched:
            for entry in walk(str(self._mirror), part):
                yield entry["path"], (str(self._mirror), entry)

    def _read_index(self) -> tuple[dict[str, Any], list[str]]:
        """Return what is in the mirror, and the folders that were fetched whole.

        Where there is no index, the mirror was laid out by others, and is whole.
        """
        if not self._mirror.exists():
            return {}, []
        try:
            index = json.loads(self._index.read_text())
        except FileNotFoundError:
            return {entry["path"]: entry for entry in walk(str(self._mirror))}, [""]
        return index["known"], index["fetched"]

    def _has_folders(self, below: str) -> bool:
        """Tell whether the mirror can be walked to a folder, which may have been something else before."""
        above = [self._mirror / part for part in PurePosixPath(below).parents]
        return not any(place.is_symlink() or place.is_file() for place in above)

    def _write_index(self, known: Mapping[str, Any], fetched: Sequence[str]) -> None:
        unfinished = self._index.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"known": known, "fetched": fetched}))
        unfinished.replace(self._index)


def _start_state(lower: Path) -> Iterator[dict[str, Any]]:
    known = set()
    for entry in walk(str(lower)):
        known.add(entry["path"])
        if entry["kind"] in _TAKEN:
            yield entry
    for path in ALWAYS_THERE:
        for folder in (*reversed(PurePosixPath(path).parents[:-1]), PurePosixPath(path)):
            if str(folder) not in known:
                known.add(str(folder))
                yield {"path": str(folder), "kind": "folder", "mode": 0o755}


def _choose(there: Mapping[str, Any], quota: int) -> tuple[dict[str, Any], list[str]]:
    """Return what of a listing is to be in the mirror, and the paths of the rest."""
    chosen, left_out = {}, []
    for path, entry in there.items():
        size = entry.get("size", 0)
        if entry["kind"] in _TAKEN and size <= quota:
            quota -= size
            chosen[path] = entry
        else:
            left_out.append(path)
    return chosen, left_out
