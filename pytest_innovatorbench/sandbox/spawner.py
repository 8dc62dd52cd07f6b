"""The one thread from which every confined process is started.

``bwrap --die-with-parent`` asks the kernel for a signal at the death of the parent, and the kernel
takes the parent to be the *thread* that forked: a sandbox started by a thread that returns dies with
it. So all of them are started by one daemon thread that lives exactly as long as the process, whoever
asks and however short-lived the asking thread is.
"""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Start: TypeAlias = Callable[[], subprocess.Popen[bytes]]
    Outcome: TypeAlias = subprocess.Popen[bytes] | BaseException
    Request: TypeAlias = tuple[Start, SimpleQueue[Outcome]]


class _Spawner:
    """A queue of processes to start and the thread that starts them."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[Request] = SimpleQueue()
        threading.Thread(target=self._serve, name="ibench-spawner", daemon=True).start()

    def start(self, start: Start) -> subprocess.Popen[bytes]:
        reply: SimpleQueue[Outcome] = SimpleQueue()
        self._requests.put((start, reply))
        outcome = reply.get()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _serve(self) -> None:
        while True:
            start, reply = self._requests.get()
            try:
                reply.put(start())
            except BaseException as problem:  # noqa: BLE001 - it belongs to whoever asked
                reply.put(problem)
            del start, reply  # or they, and the descriptors they hold, live until the next request


_lock = threading.Lock()
_spawner: _Spawner | None = None


def start_process(start: Start) -> subprocess.Popen[bytes]:
    """Call ``start`` in the thread that lives as long as this process.

    Args:
        start: Starts the process; what it raises is raised here.

    Returns:
        What ``start`` returned.
    """
    global _spawner  # noqa: PLW0603 - one thread per process is the point
    with _lock:
        if _spawner is None:
            _spawner = _Spawner()
        spawner = _spawner
    return spawner.start(start)


def _forget() -> None:
    """Threads do not survive a fork, so a forked process begins anew."""
    global _lock, _spawner  # noqa: PLW0603 - see above
    _lock = threading.Lock()
    _spawner = None


os.register_at_fork(after_in_child=_forget)
