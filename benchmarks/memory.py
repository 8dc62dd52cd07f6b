"""Memory of a process tree, sampled while it runs."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import defaultdict
from pathlib import Path

_PAUSE = 0.25
_PAGE = 4096
_KCMP = {"x86_64": 312, "aarch64": 272}  # the number of the system call that compares two processes
_KCMP_VM = 1
_libc = ctypes.CDLL(None)


class TreeMemory:
    """Keeps the largest sum of proportional set sizes that a process tree had.

    Shared pages count once, so that a hundred processes of one program are not counted a hundred times.

    Args:
        root: Number of the process at the top.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Sample no more and return the peak, in bytes."""
        self._done.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._done.wait(_PAUSE):
            self._peak = max(self._peak, weigh_tree(self._root))


def weigh_tree(root: int) -> int:
    """Return the memory of a process and of all below it, in bytes."""
    there = tree(root)
    return sum(proportional_size(pid) for pid in there if not _borrows_memory(pid))


def tree(root: int) -> list[int]:
    """Return the numbers of a process and of all below it."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            children[_parent(entry)].append(int(entry.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def proportional_size(pid: int) -> int:
    """Return a process's share of memory in bytes; its whole size where that alone may be read."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except ProcessLookupError:
        return 0
    except OSError:
        pass
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def _borrows_memory(pid: int) -> bool:
    """Tell whether a process lives in its parent's memory, as one does until it has become a program."""
    number = _KCMP.get(os.uname().machine)
    parent = _parent(Path(f"/proc/{pid}"))
    return number is not None and _libc.syscall(number, pid, parent, _KCMP_VM, 0, 0) == 0


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
