"""Exchanging folders with a computer, over one run of the program there that gives and takes them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.transport import UnreachableError
from pytest_innovatorbench.researchgym.tree_program import Source, TreeError, as_line, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_innovatorbench.researchgym.computers.transport import Transport

UNLIMITED = 1 << 62
_COMPARED = ("kind", "mode", "size", "time", "target")
_PIECE = 1 << 18
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


class Exchange:
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
        stray = next((path for path in listed if not is_below(path, below)), None)
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


def send(station: Station, place: PurePosixPath, found: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """Make a folder on a computer hold what is found here and nothing else; what it has is not sent.

    Args:
        station: The computer.
        place: The folder there.
        found: By path, the root here and the entry, folders before what is in them.

    Raises:
        MachineFaultError: It cannot be written there.
        UnreachableError: The computer was lost.
    """
    with Exchange(station, "take", place, str(UNLIMITED)) as exchange:
        there = exchange.listing()
        gone = [{"path": path, "kind": "gone"} for path in topmost(there.keys() - found.keys())]
        missing = [one for path, one in found.items() if not _is_same(one[1], there.get(path))]
        exchange.send(b"".join(map(as_line, gone)))
        pack(missing, exchange.send)
        problem = exchange.source.message().get("error")
    if problem is not None:
        raise MachineFaultError(f"files cannot be sent to {station.transport.place}: {problem}")


def is_below(path: str, below: str) -> bool:
    """Tell whether a path lies in a folder, ``""`` for the root."""
    return not below or path.startswith(f"{below}/")


def topmost(paths: Iterable[str]) -> list[str]:
    """Return those paths that lie below no other of them."""
    topmost: list[str] = []
    for path in sorted(paths, key=lambda path: path.split("/")):
        if not topmost or not is_below(path, topmost[-1]):
            topmost.append(path)
    return topmost


def _is_same(here: Mapping[str, Any], there: Mapping[str, Any] | None) -> bool:
    return there is not None and all(here.get(key) == there.get(key) for key in _COMPARED)
