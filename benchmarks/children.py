"""Running a child process to its end and measuring it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from benchmarks.memory import TreeMemory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEGABYTE = 1e6
_TAIL = 3000
# Linux lets a child begin with the peak of whoever starts it, so something small starts what is weighed.
_SCALES = """
import os, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
os.write(int(sys.argv[1]), b"%d" % used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
"""


class MeasurementError(Exception):
    """A run that was to be measured failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A child process that has ended.

    Attributes:
        seconds: Wall-clock time.
        cpu: Processor time of it and of what it waited for, in seconds.
        peak: Largest memory in MB: resident of the child where it was weighed, of the whole tree where that
            was watched, else nan.
        output: What it printed.
    """

    seconds: float
    cpu: float
    peak: float
    output: str


def run(
    argv: Sequence[str],
    cwd: Path,
    *,
    extra: Mapping[str, str] | None = None,
    weigh: bool = False,
    watch_tree: bool = False,
) -> Ran:
    """Run a program to its end.

    Args:
        argv: The program and its arguments.
        cwd: Working folder.
        extra: Environment variables in addition to the cleaned ones.
        weigh: Whether to find the peak of its memory, which puts a small process before it.
        watch_tree: Whether to sample the memory of the whole process tree, which costs time.

    Raises:
        MeasurementError: It ended with another status than 0.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as weight:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*_scales(weight.fileno()), *argv] if weigh else argv,
            cwd=cwd,
            env=environment(cwd) | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(weight.fileno(),) if weigh else (),
        )
        memory = TreeMemory(process.pid) if watch_tree else None
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        tree = memory.stop() if memory else math.nan
        said, weighed = (_read(file) for file in (output, weight))
    if process.returncode:
        raise MeasurementError(f"{' '.join(argv)} ended with status {process.returncode}:\n{said[-_TAIL:]}")
    peak = int(weighed) * 1024 if weigh else tree
    return Ran(seconds=seconds, cpu=used.ru_utime + used.ru_stime, peak=peak / MEGABYTE, output=said)


def _scales(result: int) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _SCALES, str(result)]


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def environment(cwd: Path) -> dict[str, str]:
    """Return this environment without what steers Python and pytest, and with a home of its own."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "COV"))
    }
    home = cwd / ".home"
    home.mkdir(exist_ok=True)
    kept.pop("XDG_CACHE_HOME", None)
    return kept | {"HOME": str(home)}


def script(name: str) -> str:
    """Return the path of a program that is installed beside this interpreter.

    Raises:
        MeasurementError: There is none.
    """
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise MeasurementError(f"{path} does not exist: install the package into this environment")
    return str(path)


def pytest(*options: str) -> list[str]:
    """Return the command line of a run of pytest."""
    return [script("pytest"), *options]


def run_attempts(
    ground: Path,
    agent: str,
    count: int,
    *options: str,
    extra: Mapping[str, str] | None = None,
    weigh: bool = False,
    watch_tree: bool = False,
) -> Ran:
    """Run attempts of one agent at the one task of a benchmark.

    Args:
        ground: The benchmark.
        agent: The agent.
        count: How many attempts.
        options: Further options of pytest.
        extra: See `run`.
        weigh: See `run`.
        watch_tree: See `run`.

    Raises:
        MeasurementError: Not all were made and scored, or the agent crashed.
    """
    command = pytest(f"--ibench-agent={agent}", f"--ibench-seeds={count}", *options)
    ran = run(command, ground, extra=extra, weigh=weigh, watch_tree=watch_tree)
    if f"{count} passed" not in ran.output or "crashed" in ran.output:
        raise MeasurementError(f"{' '.join(command)} went wrong:\n{ran.output[-_TAIL:]}")
    return ran
