"""What the shell sessions of a local computer take: to open, to print, to read again, many at once."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import floor
from benchmarks.figures import Beside, Figure, Scale
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LINE = 64
_LINES_READ = 50


def measure_sessions(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure new sessions, long outputs, and many sessions at once."""
    with _computer(folder) as computer:
        yield _open(computer, scale)
        yield from _print(computer, scale, folder)
        yield from _read_again(computer, scale)
        yield _crowd(computer, scale)


def _open(computer: LocalComputer, scale: Scale) -> Figure:
    def once(number: int) -> float:
        session = f"new-{number}"
        took = _timed(lambda: (computer.open_session(session), computer.run_command("true", session=session)))
        computer.kill_session(session)
        return took

    samples = [1e3 * once(number) for number in range(max(2, 10 * scale.repeats))]
    bare = [1e3 * _timed(lambda: os.system("bash -c true")) for _ in samples]  # noqa: S605 - the floor
    return Figure(
        name="session",
        what="a new session, with its first command",
        unit="ms",
        limit=20,
        samples=tuple(samples),
        beside=(
            Beside(label="a bash that ends at once", value=sorted(bare)[len(bare) // 2]),
            Beside(label="the published environment", value=3250, source="peer"),
        ),
    )


def _print(computer: LocalComputer, scale: Scale, folder: Path) -> Iterator[Figure]:
    text = _lines(scale.printed)
    (folder / "computer/upper/text").write_bytes(text)
    sought = hashlib.sha256(text).digest()
    samples, bare = [], []
    for number in range(scale.repeats):
        session = f"print-{number}"
        computer.open_session(session)
        samples.append(_timed(partial(computer.run_command, "cat text", session=session)))
        bare.append(_timed(lambda: _copy(folder)))
        newest = max((folder / "computer/sessions").glob("*.out"), key=lambda file: file.stat().st_mtime_ns)
        assert hashlib.sha256(newest.read_bytes()).digest() == sought, "not byte-exact, or out of order"
        computer.kill_session(session)
    yield Figure(
        name="session-print",
        what=f"a command that prints {scale.printed / 1e6:g} MB, kept in order and byte by byte",
        unit="s",
        limit=0.6,
        samples=tuple(samples),
        beside=(Beside(label="cat into a file", value=sorted(bare)[len(bare) // 2]),),
    )


def _read_again(computer: LocalComputer, scale: Scale) -> Iterator[Figure]:
    command = f"yes {'x' * (_LINE - 1)} | head -c {scale.kept}; echo; echo end"
    took = _timed(lambda: computer.run_command(command, session="long"))
    times = [_timed(lambda: computer.read_output("long", _LINES_READ)) for _ in range(10 * scale.repeats)]
    assert computer.read_output("long", _LINES_READ).endswith("end\n")
    yield Figure(
        name="session-tail",
        what=f"the last {_LINES_READ} lines of a session that printed {scale.kept / 1e9:g} GB",
        unit="ms",
        limit=20,
        samples=tuple(1e3 * seconds for seconds in times),
        beside=(Beside(label="printing it", value=1e3 * took),),
    )


def _crowd(computer: LocalComputer, scale: Scale) -> Figure:
    """Measure commands that sleep, one in each of many sessions, all of them seen busy at once."""

    def once(number: int) -> str:
        command = f"sleep {scale.sleep}; echo {number}"
        return computer.run_command(command, session=f"busy-{number}").output

    for number in range(scale.sessions):
        computer.open_session(f"busy-{number}")
    with ThreadPoolExecutor(scale.sessions) as pool:
        started = time.perf_counter()
        said = [pool.submit(once, number) for number in range(scale.sessions)]
        time.sleep(scale.sleep / 2)
        busy = sum(state.running is not None for state in computer.list_sessions())
        trip = _timed(lambda: computer.run_command("true"))
        assert [answer.result() for answer in said] == [f"{number}\n" for number in range(scale.sessions)]
        took = time.perf_counter() - started
    assert busy == scale.sessions, f"only {busy} were busy at once"
    return Figure(
        name="session-crowd",
        what=f"{scale.sessions} sessions busy at once with sleep {scale.sleep:g}",
        unit="s",
        samples=(took,),
        beside=(
            Beside(label="as many bare threads", value=floor.sleeping_threads(scale.sessions, scale.sleep)),
            Beside(label="one more command meanwhile", value=trip),
        ),
    )


@contextmanager
def _computer(folder: Path) -> Iterator[LocalComputer]:
    (folder / "gym").mkdir()
    (folder / "computer").mkdir()
    sandbox = open_sandbox("bubblewrap")
    computer = LocalComputer(sandbox, workspace_lower=folder / "gym", folder=folder / "computer")
    with closing(computer):
        computer.run_command("true")
        yield computer


def _lines(size: int) -> bytes:
    count = size // _LINE
    return "".join(f"{number:0{_LINE - 1}}\n" for number in range(count)).encode()


def _copy(folder: Path) -> None:
    os.system(f"cat '{folder}/computer/upper/text' >'{folder}/copy'")  # noqa: S605 - the floor


def _timed(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
