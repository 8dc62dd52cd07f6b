"""Leases: which attempt has which computers and GPUs, in all processes of a user.

Whoever comes first is served first, with all that is needed or nothing. While somebody waits, those
who come later get only what is of no use to the one who waits, so nobody waits for ever; and as
nobody holds a part while waiting for another, no two wait for each other.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Self

from pytest_innovatorbench.errors import IbenchError
from pytest_innovatorbench.researchgym.computers.locks import Held, Locks, Ticket
from pytest_innovatorbench.researchgym.computers.placement import (
    Grant,
    Unit,
    check,
    could_use,
    describe_need,
    place,
)
from pytest_innovatorbench.tasks.environment import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from pytest_innovatorbench.researchgym.computers.inventory import Inventory
    from pytest_innovatorbench.tasks.model import Role

_PAUSE = 0.2
"""Seconds between looks at what other processes have let go of; this one's own attempts say so."""


class LeaseCancelledError(IbenchError):
    """Whoever waited for computers was asked to stop."""


class Lease:
    """Computers that an attempt has until it gives them back.

    Args:
        grants: The computers.
        held: The locks on them.
    """

    def __init__(self, grants: tuple[Grant, ...], held: Sequence[Held] = ()) -> None:
        self.grants = grants
        self._held = list(held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give them back; safe to call twice."""
        held, self._held = self._held, []
        for lock in held:
            lock.release()
        if held:
            _line.wake()


class Pool:
    """Gives out the computers of an inventory.

    Args:
        inventory: What there is.
        folder: Where the locks lie; the user's cache by default.
    """

    def __init__(self, inventory: Inventory, folder: Path | None = None) -> None:
        self._inventory = inventory
        self._locks = Locks(folder or cache_folder().with_name("leases"))

    def lease(
        self,
        needs: Sequence[Role],
        *,
        attempt: str,
        say: Callable[[str], None] = lambda _: None,
        listen: Callable[[Callable[[], None]], Callable[[], None]] = lambda _: lambda: None,
    ) -> Lease:
        """Wait for computers.

        Args:
            needs: What each of them must have.
            attempt: Who asks, for those who wait later.
            say: Told in one line for what it waits, if it has to.
            listen: Calls back when the wait is to end; returns what ends the listening.

        Raises:
            NoSuchComputerError: There are no such computers, now or ever.
            LeaseCancelledError: The wait was ended.
        """
        check(needs, self._inventory)
        if self._inventory.file is None and not any(need.gpus for need in needs):
            # Nothing that could be taken: no file is touched by who has no more than this machine.
            grants = place(needs, self._inventory)
            return Lease(grants or ())
        return self._take(needs, attempt, None) or self._wait(needs, attempt, say, listen)

    def _wait(
        self,
        needs: Sequence[Role],
        attempt: str,
        say: Callable[[str], None],
        listen: Callable[[Callable[[], None]], Callable[[], None]],
    ) -> Lease:
        wanted = could_use(needs, self._inventory)
        with self._locks.alone():
            busy = self._busy(wanted)
            ticket = self._locks.line_up(wanted)
            place_in_line = _line.join(wanted)  # in the same order as the tickets
        forget = listen(place_in_line.cancel)
        try:
            say(_waits_for(needs, busy))
            while not place_in_line.is_cancelled:
                if not _line.is_behind(place_in_line):
                    lease = self._take(needs, attempt, ticket)
                    if lease is not None:
                        return lease
                place_in_line.pause(_PAUSE)
            raise LeaseCancelledError("the wait for computers was ended")
        finally:
            forget()
            with self._locks.alone():
                ticket.give_up()
            _line.leave(place_in_line)

    def _take(self, needs: Sequence[Role], attempt: str, ticket: Ticket | None) -> Lease | None:
        held: dict[str, Held] = {}
        with self._locks.alone():
            promised = self._locks.wanted_before(ticket)

            def is_free(unit: Unit) -> bool:
                if unit.identity not in held and not any(unit.excludes(other) for other in promised):
                    lock = self._locks.take(unit)
                    if lock is not None:
                        held[unit.identity] = lock
                return unit.identity in held

            grants = place(needs, self._inventory, is_free)
            kept = {unit.identity for grant in grants or () for unit in grant.units}
            for identity in held.keys() - kept:
                held.pop(identity).release()
            for lock in held.values():
                lock.write(f"{attempt} (process {os.getpid()})")
        return None if grants is None else Lease(grants, list(held.values()))

    def _busy(self, wanted: Sequence[Unit]) -> list[str]:
        """Say who has what one waits for."""
        told = []
        for unit in wanted:
            lock = self._locks.take(unit)
            if lock is not None:
                lock.release()
            else:
                told.append(f"{unit.name} is used by {self._locks.holder(unit) or 'others'}")
        return told


def _waits_for(needs: Sequence[Role], busy: Sequence[str]) -> str:
    what = " and ".join(map(describe_need, needs))
    return f"waits for {what} ({', '.join(busy) or 'others wait already'})"


class _Place:
    """A place in the line of this process."""

    def __init__(self, wanted: tuple[Unit, ...]) -> None:
        self.wanted = wanted
        self.is_cancelled = False
        self._woken = threading.Event()

    def cancel(self) -> None:
        self.is_cancelled = True
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    def pause(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self._woken.clear()


class _Line:
    """Who waits in this process: only the first of those after the same things looks again and again."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._lock = threading.Lock()

    def join(self, wanted: tuple[Unit, ...]) -> _Place:
        place_in_line = _Place(wanted)
        with self._lock:
            self._places.append(place_in_line)
        return place_in_line

    def is_behind(self, place_in_line: _Place) -> bool:
        """Tell whether somebody who came before waits for some of the same things."""
        with self._lock:
            before = self._places[: self._places.index(place_in_line)]
        theirs = [unit for other in before for unit in other.wanted]
        return any(ours.excludes(unit) for ours in place_in_line.wanted for unit in theirs)

    def leave(self, place_in_line: _Place) -> None:
        with self._lock:
            self._places.remove(place_in_line)
        self.wake()

    def wake(self) -> None:
        with self._lock:
            waiting = list(self._places)
        for place_in_line in waiting:
            place_in_line.wake()


_line = _Line()
