"""A process tree that ends as one, and the caps that hold without control groups."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_innovatorbench.sandbox.cgroups import Group
    from pytest_innovatorbench.sandbox.model import Limits


class ProcessTree:
    """A started process with everything below it.

    Args:
        process: The process that was started.
        root: Process whose end is the end of the tree: the init process of a sandbox, or the
            started process itself.
        group: Control group of the tree.
        own_session: Whether the tree is ended by its process group, there being no init process.

    Attributes:
        root: Number of the process whose end is the end of the tree.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        root: int,
        group: Group | None,
        own_session: bool = False,
    ) -> None:
        self.stdin: IO[bytes] | None = process.stdin
        self.stdout: IO[bytes] | None = process.stdout
        self.stderr: IO[bytes] | None = process.stderr
        self._process = process
        self._group = group
        self._own_session = own_session
        self.root = root
        self._root = _PidFd(root)
        self._reaping = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit status, or ``None`` while it runs. Killed by signal n is ``128 + n``."""
        return self._reap() if self._root.has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the whole tree and return the exit status.

        Args:
            timeout: Seconds to wait.

        Raises:
            TimeoutError: It still runs.
        """
        if not self._root.has_ended(timeout):
            raise TimeoutError(f"still running after {timeout} seconds")
        return self._reap()

    def kill(self) -> None:
        """End the process and everything it started; safe to call twice."""
        self._root.kill()
        self.wait()

    def out_of_memory(self) -> bool:
        """Tell whether the kernel ended a process of the tree for want of memory."""
        return self._group is not None and self._group.out_of_memory()

    def _kill_session(self) -> None:
        if self._group is not None:
            self._group.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _reap(self) -> int:
        with self._reaping:
            if self._own_session and self._process.returncode is None:
                self._kill_session()  # before the wait, which gives the number of the group away
            status = self._process.wait()
            if self._group is not None:
                self._group.close()
        return status if status >= 0 else 128 - status


class _PidFd:
    """A process that cannot be mistaken for a later one with its number."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def has_ended(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else max(timeout, 0) * 1000))

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)


def cap_process(pid: int, limits: Limits, *, memory: bool, processes: bool) -> None:
    """Set the resource limits of a process, which what it starts will inherit.

    Args:
        pid: The process.
        limits: The caps.
        memory: Whether the cap on memory is to be held by address space. Control groups do it
            better: address space is reserved freely by many programs.
        processes: Whether the cap on processes is to be held. The kernel counts them per user and
            user namespace, and not at all for root.
    """
    caps = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: limits.file_size}
    if memory:
        caps[resource.RLIMIT_AS] = limits.memory
    if processes and limits.processes is not None:
        caps[resource.RLIMIT_NPROC] = limits.processes + 1  # with the init process of the sandbox
    for kind, cap in caps.items():
        if cap is not None:
            _lower(pid, kind, cap)


def _lower(pid: int, kind: int, cap: int) -> None:
    _, hard = resource.prlimit(pid, kind)
    if hard != resource.RLIM_INFINITY:
        cap = min(cap, hard)
    resource.prlimit(pid, kind, (cap, cap))
