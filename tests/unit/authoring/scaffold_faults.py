"""Run ibench-new-task again and again, and break it at each of the changes that it makes to the disk.

Arguments: the fault (``signal`` or ``disk``), a folder with a benchmark, which is the same for each run,
and arguments of the command. Prints a JSON list of the runs: the number of the change, the exit status, and
what was there afterwards. Of the many changes of the same kind, while the task is made aside, not all are tried.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import cookiecutter.generate  # type: ignore[import-untyped]  # noqa: F401 - once for all runs
import jsonschema  # noqa: F401 - same
import yaml  # noqa: F401 - same

from pytest_innovatorbench.authoring import scaffold  # noqa: F401 - same
from pytest_innovatorbench.cli.new_task import main

CHANGES = {"os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree"}
MAKING = {"os.mkdir", "os.rename", "os.symlink", "open"}
UNBROKEN = 10_000  # more changes than there are


def is_change(event: str, args: tuple[Any, ...]) -> bool:
    if event == "open":
        return bool((args[2] or 0) & (os.O_WRONLY | os.O_RDWR) and args[0] != os.devnull)
    return event in CHANGES


class Breaker:
    """Breaks the change of a number; signals are sent at all later ones as well."""

    def __init__(self, fault: str, number: int) -> None:
        self.fault = fault
        self.number = number
        self.seen = 0

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not is_change(event, args):
            return
        self.seen += 1
        if self.seen < self.number:
            return
        if self.fault == "signal":
            os.kill(os.getpid(), signal.SIGINT if self.number % 2 else signal.SIGTERM)
        elif event in MAKING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run(breaker: Breaker, root: Path, arguments: list[str]) -> tuple[int, int]:
    """Run the command in a process of its own; return its exit status and the number of changes it made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with os.fdopen(reading) as said:
            changes = int(said.read())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), changes
    try:
        os.chdir(root)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.argv = ["ibench-new-task", "--no-input", *arguments]
        sys.addaudithook(breaker)
        main()
        code: Any = 0
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - a traceback, which no user should see
        code = 99
    os.write(writing, str(breaker.seen).encode())
    os._exit(code or 0)


def listing(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def broken_run(fault: str, number: int, given: Path, arguments: list[str]) -> tuple[int, int, list[str], int]:
    root = given.with_name(f"{given.name}-{number}")
    shutil.copytree(given, root)
    code, changes = run(Breaker(fault, number), root, arguments)
    left = listing(root)
    shutil.rmtree(root)
    return number, code, left, changes


def runs(fault: str, given: Path, arguments: list[str]) -> list[tuple[int, int, list[str]]]:
    whole = broken_run(fault, UNBROKEN, given, arguments)
    changes = whole[-1]
    chosen = [*range(1, changes - 20, 6), *range(changes - 20, changes + 1)]
    broken = [broken_run(fault, number, given, arguments) for number in chosen]
    return [result[:3] for result in (*broken, whole)]


if __name__ == "__main__":
    print(json.dumps(runs(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])))  # noqa: T201 - the result
