"""What an attempt costs where the agent takes no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import floor
from benchmarks.children import Ran, pytest, run, run_attempts
from benchmarks.figures import Beside, Figure, Scale, middle
from benchmarks.ground import add_dataset, lay_benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT_ONCE = 4
_LARGE, _SMALL = "large", "small"


def measure_attempts(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure many attempts of nop, and of an agent that opens its computer and runs one command."""
    ground = lay_benchmark(folder / "ground")
    collecting = [_collect(ground, scale.attempts) for _ in range(scale.repeats)]
    start = min(ran.seconds for ran in collecting)
    start_cpu = min(ran.cpu for ran in collecting)
    gross = [run_attempts(ground, "nop", scale.attempts, _at_once(AT_ONCE)) for _ in range(scale.repeats)]
    others = [
        Beside(label=f"the same with --ibench-concurrency={count}", value=_each(ran.seconds - start, scale))
        for count in (1, 2)
        for ran in [run_attempts(ground, "nop", scale.attempts, _at_once(count))]
    ]
    yield Figure(
        name="attempts",
        what=f"a nop attempt among {scale.attempts} with --ibench-concurrency={AT_ONCE}, without start-up",
        unit="ms",
        limit=25,
        samples=tuple(_each(ran.seconds - start, scale) for ran in gross),
        beside=(
            middle([_each(ran.seconds, scale) for ran in gross], "the same with start-up"),
            middle([_each(ran.cpu - start_cpu, scale) for ran in gross], "the same in processor time"),
            *others,
            *_floors(scale, folder),
            Beside(label="Harbor, without a sandbox", value=34, source="peer"),
            Beside(label="Inspect AI, without any process", value=20, source="peer"),
        ),
    )
    one_command = [
        run_attempts(ground, "shell:true", scale.attempts, _at_once(AT_ONCE))
        for _ in range(min(2, scale.repeats))
    ]
    yield Figure(
        name="attempts-with-command",
        what="the same of an agent that opens its computer and runs one command",
        unit="ms",
        samples=tuple(_each(ran.seconds - start, scale) for ran in one_command),
    )


def measure_dataset(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure attempts that run one command, beside a large and beside a small dataset."""
    grounds = {_SMALL: lay_benchmark(folder / _SMALL), _LARGE: lay_benchmark(folder / _LARGE)}
    add_dataset(grounds[_SMALL], 5000)
    add_dataset(grounds[_LARGE], scale.dataset)
    times: dict[str, list[float]] = {_SMALL: [], _LARGE: []}
    count = max(1, scale.attempts // 20)
    for number in range(2 * scale.repeats):
        for name in (_SMALL, _LARGE) if number % 2 else (_LARGE, _SMALL):
            times[name].append(run_attempts(grounds[name], "shell:true", count).seconds / count)
    yield Figure(
        name="dataset",
        what=f"an attempt with a dataset of {scale.dataset:.0e} bytes to one with 5 kB",
        unit="x",
        limit=1.1,
        samples=tuple(large / small for large, small in zip(times[_LARGE], times[_SMALL], strict=True)),
    )


def _floors(scale: Scale, folder: Path) -> Iterator[Beside]:
    times = scale.attempts
    yield Beside(label="two bash scripts and an fsync", value=1e3 * floor.scripts_and_fsync(folder, times))
    yield Beside(
        label=f"one bwrap and one python -I -S, {AT_ONCE} at once",
        value=1e3 * floor.confined_python(times, AT_ONCE),
    )


def _collect(ground: Path, count: int) -> Ran:
    return run(pytest("--ibench-agent=nop", f"--ibench-seeds={count}", "--collect-only", "-q"), ground)


def _each(seconds: float, scale: Scale) -> float:
    return 1e3 * seconds / scale.attempts


def _at_once(count: int) -> str:
    return f"--ibench-concurrency={count}"
