"""What an agent brings along to a computer that cannot show files of this machine: copies, for a while."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.computers.exchange import send
from pytest_innovatorbench.researchgym.tree_program import describe, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.researchgym.computers.exchange import Station
    from pytest_innovatorbench.sandbox.model import Bind

BROUGHT = "brought"
"""The folder of them, in the private folder of the attempt, which nobody but its user can enter."""
_SENT = frozenset({"file", "folder", "link"})


class Belongings:
    """Files and folders of an agent.

    Args:
        binds: What a sandbox would show, and where.
    """

    def __init__(self, binds: Sequence[Bind] = ()) -> None:
        self._binds = tuple(binds)

    def __bool__(self) -> bool:
        return bool(self._binds)

    def send(self, station: Station) -> None:
        """Copy them to a computer, as far as they are not there.

        Raises:
            MachineFaultError: They cannot be written there.
            UnreachableError: The computer was lost.
        """
        for number, bind in enumerate(self._binds):
            send(station, station.folder / BROUGHT / str(number), dict(_found(bind)))

    def inside(self, path: str, folder: PurePosixPath) -> str | None:
        """Return how a path of theirs is spelt on the computer, ``None`` for one that is not theirs.

        Args:
            path: As in a sandbox, such as ``/solution/run.sh``.
            folder: Private folder of the attempt there.
        """
        for number, bind in enumerate(self._binds):
            place = folder / BROUGHT / str(number)
            if path == bind.dest or path.startswith(f"{bind.dest}/"):
                root = place if bind.source.is_dir() else place / bind.source.name
                return f"{root}{path.removeprefix(bind.dest)}"
        return None


def _found(bind: Bind) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    source = bind.source
    if not source.is_dir():
        entry = describe(source.name, str(source), source.stat())
        yield source.name, (str(source.parent), entry)
        return
    for entry in walk(str(source)):
        if entry["kind"] in _SENT:
            yield entry["path"], (str(source), entry)
