"""The workspace of a computer that is not this machine: on a file system that both have, or copied."""

from __future__ import annotations

import io
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.transport import UnreachableError
from pytest_innovatorbench.researchgym.computers.workspace import ALWAYS_THERE, copy_tree
from pytest_innovatorbench.researchgym.tree_program import Source, Taker, TreeError, as_line, pack, walk
from pytest_innovatorbench.sandbox.disk import usage
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_innovatorbench.researchgym.computers.transport import Transport
    from pytest_innovatorbench.sandbox.trees import Entry

_UNLIMITED = 1 << 62
_COMPARED = ("kind", "mode", "size", "time", "target")
_TAKEN = frozenset({"file", "folder", "link"})
_PIECE = 1 << 18
AS_THEY_WERE = "as they were"
STALL = 60.0
"""Seconds without a byte after which an exchange counts as lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A computer on which everything is in place.

    Attributes:
        transport: The way to it.
        program: Command there that exchanges folders.
        folder: Private folder of the attempt there.
    """

    transport: Transport
    program: tuple[str, ...]
    folder: PurePosixPath


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
        self._quota = _UNLIMITED if quota is None else quota
        self._fetching = threading.Lock()

    def path(self, folder: PurePosixPath) -> PurePosixPath:
        """Return where it is on the computer."""
        return folder / "workspace"

    def send(self, station: Station) -> str:
        """Send what the computer does not have of what is known here, and remove there what is not of it.

        That is what was fetched last, and the start state for the rest.
        """
        _, fetched = self._read_index()
        here = dict(self._known_state(fetched))
        with _Exchange(station, "take", self.path(station.folder), str(_UNLIMITED)) as exchange:
            there = exchange.listing()
            gone = [{"path": path, "kind": "gone"} for path in _topmost(there.keys() - here.keys())]
            missing = [one for path, one in here.items() if not _is_same(one[1], there.get(path))]
            exchange.send(b"".join(map(as_line, gone)))
            pack(missing, exchange.send)
            problem = exchange.source.message().get("error")
        if problem is not None:
            raise MachineFaultError(f"the workspace cannot be sent to {station.transport.place}: {problem}")
        return "as they were fetched last" if fetched else "as at the start"

    def fetch(self, station: Station, below: str) -> None:
        """Bring the mirror up to date below a folder; what cannot be had stays as it was fetched last."""
        with self._fetching:
            known, fetched = self._read_index()
            self._write_index(known, fetched)  # before there is a mirror, which would be taken for whole
            self._mirror.mkdir(mode=0o700, exist_ok=True)
            below = below if self._has_folders(below) else ""
            try:
                with _Exchange(station, "give", self.path(station.folder), below) as exchange:
                    self._take(exchange, known, below)
                fetched = _topmost([*fetched, below])
            finally:
                self._write_index(known, fetched)

    def tree(self, station: Station) -> Path:
        """Bring all of the mirror up to date and return its folder."""
        self.fetch(station, "")
        return self._mirror

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of the mirror, or of the start state while there is none."""
        return walk_layers([self._mirror if self._mirror.exists() else self._lower], below)

    def _take(self, exchange: _Exchange, known: dict[str, Any], below: str) -> None:
        there = exchange.listing(below)
        quota = self._quota if below else self._quota + usage(self._lower, _UNLIMITED)
        chosen, left_out = _choose(there, quota)
        wanted = {path: entry for path, entry in chosen.items() if entry != known.get(path)}
        exchange.send(b"".join(map(as_line, wanted.values())) + b"\n")
        self._remove(known, [path for path in known if _is_below(path, below) and path not in chosen])
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
        gone = b"".join(as_line({"path": path, "kind": "gone"}) for path in _topmost(paths)) + b"\n"
        Taker(str(self._mirror), 0).take(Source(io.BytesIO(gone).read))

    def _known_state(self, fetched: Sequence[str]) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
        """Yield by path where an entry lies here, and the entry."""
        for entry in _start_state(self._lower):
            if not any(_is_below(entry["path"], part) for part in fetched):
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


class _Exchange:
    """A conversation with the program that gives and takes folders on a computer.

    Raises:
        UnreachableError: On leaving, or within: the computer was lost, or stopped to answer.
    """

    def __init__(self, station: Station, what: str, root: PurePosixPath, argument: str) -> None:
        self._place = station.transport.place
        self._argv = (*station.program, what, str(root), argument)
        self._stream = station.transport.connect(self._argv)
        self._moved = time.monotonic()
        self._is_over = threading.Event()
        self._is_stalled = False
        self.source = Source(self._receive)

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="ibench-exchange", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, _: object) -> None:
        self._is_over.set()
        self._stream.close()
        if isinstance(problem, (OSError, TreeError)):
            said = f"nothing moved for {STALL:g} s" if self._is_stalled else str(problem)
            raise UnreachableError(f"files of {self._place} could not be exchanged: {said}") from problem

    def listing(self, below: str = "") -> dict[str, Any]:
        """Return what there is, by path.

        Raises:
            TreeError: What was listed was not asked for.
        """
        listed = {entry["path"]: entry for entry in self.source.lines()}
        stray = next((path for path in listed if not _is_below(path, below)), None)
        if stray is not None:
            raise TreeError(f"{stray!r} was not asked for")
        return listed

    def send(self, data: bytes) -> None:
        """Send some bytes."""
        for start in range(0, len(data), _PIECE):
            self._stream.sendall(data[start : start + _PIECE])
            self._moved = time.monotonic()

    def _receive(self, size: int) -> bytes:
        data = self._stream.recv(size)
        self._moved = time.monotonic()
        return data

    def _watch(self) -> None:
        """End a stream on which nothing moves, or who waits for it would wait for ever."""
        while not self._is_over.wait(STALL / 10):
            if time.monotonic() - self._moved > STALL:
                self._is_stalled = True
                self._stream.close()
                return


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


def _is_same(here: Mapping[str, Any], there: Mapping[str, Any] | None) -> bool:
    return there is not None and all(here.get(key) == there.get(key) for key in _COMPARED)


def _is_below(path: str, below: str) -> bool:
    return not below or path.startswith(f"{below}/")


def _topmost(paths: Iterable[str]) -> list[str]:
    """Return those paths that lie below no other of them."""
    topmost: list[str] = []
    for path in sorted(paths, key=lambda path: path.split("/")):
        if not topmost or not _is_below(path, topmost[-1]):
            topmost.append(path)
    return topmost
