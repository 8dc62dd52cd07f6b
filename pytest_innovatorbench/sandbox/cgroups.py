"""Control groups, version 1, 2 or both at once, where this process may make some."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_innovatorbench.sandbox.model import Limits

_PREFIX = "ibench"
_CONTROLLERS = ("memory", "pids")
_OWN_PROCESSES = 2  # bwrap and the init process of the sandbox are counted too
_counter = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """Folders in which groups can be made.

    Attributes:
        controllers: For each controller that is to be had, the folder below which it counts.
        unified: A version 2 folder, which can be used to end processes even without controllers.
    """

    controllers: Mapping[str, Path]
    unified: Path | None


class Group:
    """A control group of its own for one process tree.

    Args:
        folders: New folders by controller, or by ``"kill"`` for one that only ends processes.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)
        self._out_of_memory = False

    def has(self, controller: str) -> bool:
        """Tell whether ``controller`` limits this group."""
        return controller in self._folders

    def limit(self, limits: Limits) -> None:
        """Set the caps of ``limits`` for which there is a controller."""
        memory, pids = self._folders.get("memory"), self._folders.get("pids")
        if memory is not None and limits.memory is not None:
            _limit_memory(memory, limits.memory)
        if pids is not None and limits.processes is not None:
            (pids / "pids.max").write_text(str(limits.processes + _OWN_PROCESSES))

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread in the group for a moment, where threads can be moved singly (version 1).

        What it starts in the meantime is born into the group. Moving a process that runs takes a lock
        of the whole system, which costs 10 ms now and then; a thread that moves itself does not.
        """
        folders = [folder for folder in set(self._folders.values()) if _has_threads(folder)]
        try:
            for folder in folders:
                (folder / "tasks").write_text("0")
            yield
        finally:
            for folder in folders:
                (folder.parent / "tasks").write_text("0")

    def join(self, pid: int) -> None:
        """Move a process into the group where it has not been born into it (version 2)."""
        for folder in set(self._folders.values()):
            if not _has_threads(folder):
                (folder / "cgroup.procs").write_text(str(pid))

    def kill(self) -> None:
        """Kill every process of the group."""
        for folder in set(self._folders.values()):
            _kill_all(folder)

    def out_of_memory(self) -> bool:
        """Tell whether the kernel killed a process of the group for want of memory."""
        folder = self._folders.get("memory")
        if folder is not None and not self._out_of_memory:
            self._out_of_memory = _oom_kills(folder) > 0
        return self._out_of_memory

    def close(self) -> None:
        """Remove the group once its processes are gone; what it counted stays known."""
        self.out_of_memory()
        folders, self._folders = set(self._folders.values()), {}
        for folder in folders:
            _remove(folder)


def open_group(limits: Limits, *, for_killing: bool = False) -> Group | None:
    """Make a control group for one process tree.

    Args:
        limits: The caps that it is to enforce.
        for_killing: Whether the group is wanted even without a cap, to end the tree by it.

    Returns:
        The group, or ``None`` where nothing asks for one or none is to be had.
    """
    wanted = [
        name
        for name, cap in zip(_CONTROLLERS, (limits.memory, limits.processes), strict=True)
        if cap is not None
    ]
    if not wanted and not for_killing:
        return None
    bases = find_bases()
    parents = {name: bases.controllers[name] for name in wanted if name in bases.controllers}
    place = _for_killing(bases)
    if for_killing and not parents and place is not None:
        parents["kill"] = place
    if not parents:
        return None
    return _make(parents, limits)


def _for_killing(bases: Bases) -> Path | None:
    """Choose a hierarchy into which processes can be born, and version 2 failing that."""
    return next(iter(bases.controllers.values()), bases.unified)


def _make(parents: Mapping[str, Path], limits: Limits) -> Group | None:
    name = f"{_PREFIX}-{os.getpid()}-{next(_counter)}"
    folders = {controller: parent / name for controller, parent in parents.items()}
    group = Group(folders)
    try:
        for folder in set(folders.values()):
            folder.mkdir()
        group.limit(limits)
    except OSError:
        group.close()
        return None
    return group


@cache
def find_bases() -> Bases:
    """Find where this process may make control groups, once per process."""
    own = dict(_own_paths(Path("/proc/self/cgroup").read_text()))
    bases = locate(own, list(_mounts(Path("/proc/self/mountinfo").read_text())))
    for parent in {*bases.controllers.values(), *filter(None, [bases.unified])}:
        _sweep(parent)
    return bases


def locate(own: Mapping[str, str], mounts: list[tuple[frozenset[str], str, Path]]) -> Bases:
    """Work out the usable folders.

    Args:
        own: Path of this process in each hierarchy: by controller, ``""`` for version 2.
        mounts: Controllers (``{""}`` for version 2), root within the hierarchy and mount point.
    """
    controllers: dict[str, Path] = {}
    unified: Path | None = None
    for names, root, point in mounts:
        for name in names & own.keys():
            folder = _below(point, root, own[name])
            if name in _CONTROLLERS and _is_usable(folder):
                controllers[name] = folder
            elif name == "":
                unified = folder if _is_usable(folder) else unified
                for controller, parent in _version_2(folder):
                    controllers.setdefault(controller, parent)
    return Bases(controllers=controllers, unified=unified)


def _version_2(folder: Path) -> Iterator[tuple[str, Path]]:
    """Version 2 gives controllers only to children of a group that has no processes of its own."""
    for parent in (folder, folder.parent):
        with contextlib.suppress(OSError):
            given = (parent / "cgroup.subtree_control").read_text().split()
            for name in _CONTROLLERS:
                if name in given and _is_usable(parent):
                    yield name, parent


def _own_paths(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            yield name, path


def _mounts(text: str) -> Iterator[tuple[frozenset[str], str, Path]]:
    for line in text.splitlines():
        mount, _, kind = line.partition(" - ")
        _, _, _, root, point, *_ = mount.split()
        filesystem, _, options = kind.split(" ", 2)
        if filesystem == "cgroup":
            yield frozenset(options.split(",")), root, Path(point)
        elif filesystem == "cgroup2":
            yield frozenset([""]), root, Path(point)


def _below(point: Path, root: str, path: str) -> Path:
    """In a container the mount shows only a part of the hierarchy, perhaps without our path."""
    inside = path.removeprefix(root.rstrip("/")) if path.startswith(root) else "/"
    return Path(f"{point}{inside}")


def _is_usable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def _has_threads(folder: Path) -> bool:
    return (folder / "tasks").exists()


def _limit_memory(folder: Path, size: int) -> None:
    if (folder / "memory.max").exists():
        (folder / "memory.max").write_text(str(size))
        swap, left = folder / "memory.swap.max", 0
    else:
        (folder / "memory.limit_in_bytes").write_text(str(size))
        swap, left = folder / "memory.memsw.limit_in_bytes", size
    if swap.exists():
        swap.write_text(str(left))


def _oom_kills(folder: Path) -> int:
    for name in ("memory.events", "memory.oom_control"):
        with contextlib.suppress(OSError):
            counts = dict(line.split() for line in (folder / name).read_text().splitlines())
            return int(counts.get("oom_kill", 0))
    return 0


def _kill_all(folder: Path) -> None:
    """Kill the members of a group, at a blow where the kernel offers that."""
    with contextlib.suppress(OSError):
        if (folder / "cgroup.kill").exists():
            (folder / "cgroup.kill").write_text("1")
            return
        for _ in range(100):  # whatever is started meanwhile is found the next time
            members = (folder / "cgroup.procs").read_text().split()
            if not members:
                return
            for member in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(member), signal.SIGKILL)


def _remove(folder: Path) -> None:
    for _ in range(20):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.005)  # processes that have just died are counted a moment longer
        else:
            return


def _sweep(parent: Path) -> None:
    """Remove the groups of harnesses that were killed before they could."""
    for folder in parent.glob(f"{_PREFIX}-*-*"):
        pid = folder.name.split("-")[1]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
