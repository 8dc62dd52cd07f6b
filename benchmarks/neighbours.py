"""What other work took of the machine while something was measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

_IDLE = (3, 4)  # idle and iowait
_GUESTS = 8  # guest times and what follows are counted in the others already


class Neighbours:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._time, self._busy, self._own = time.monotonic(), _busy(), _own()

    def share(self) -> float:
        """Return the share of all cores that others took, 0-1."""
        available = (time.monotonic() - self._time) * (os.cpu_count() or 1)
        theirs = (_busy() - self._busy) - (_own() - self._own)
        return min(1.0, max(0.0, theirs / available))


def _busy() -> float:
    """Return seconds for which cores were busy, all of them together."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:][:_GUESTS]
    ticks = sum(int(field) for index, field in enumerate(fields) if index not in _IDLE)
    return ticks / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Return processor seconds of this process and of what it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
