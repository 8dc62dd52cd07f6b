"""Many items, and many attempts at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import floor
from benchmarks.children import Ran, pytest, run, run_attempts
from benchmarks.figures import Beside, Figure, Scale, middle
from benchmarks.ground import lay_benchmark, lay_tests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def measure_collection(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure the collection of many items."""
    ground = lay_benchmark(folder / "ground", scale.tasks)
    tests = lay_tests(folder / "tests", scale.tasks, scale.seeds)
    collect_ours = partial(
        run,
        pytest("--ibench-agent=nop", f"--ibench-seeds={scale.seeds}", "--collect-only", "-q"),
        ground,
    )
    collect_bare = partial(run, pytest("--collect-only", "-q"), tests)
    ours, bare = [], []
    for _ in range(scale.repeats):
        ours.append(collect_ours())
        bare.append(collect_bare())
    heavy, light = collect_ours(weigh=True), collect_bare(weigh=True)
    count = scale.tasks * scale.seeds
    assert all(f"{count} tests collected" in ran.output for ran in (*ours, *bare, heavy, light))
    items = f"{count} items ({scale.tasks} tasks x {scale.seeds} seeds)"
    yield Figure(
        name="collection",
        what=f"pytest --collect-only of {items}",
        unit="s",
        limit=3,
        samples=_seconds(ours),
        beside=(middle(_seconds(bare), "bare pytest, as many parameters"),),
    )
    yield Figure(
        name="collection-memory",
        what=f"peak resident memory of collecting {items}",
        unit="MB",
        limit=300,
        samples=(heavy.peak,),
        beside=(middle([light.peak], "bare pytest, as many parameters"),),
    )


def measure_crowd(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure many attempts that sleep at once, in the harness and then in their sandboxes."""
    ground = lay_benchmark(folder / "ground")
    bare = run(pytest(), lay_tests(folder / "tests"), weigh=True)
    for name, agent, place, limits in (
        ("crowd", f"sleeper:{scale.sleep:g}", "in the harness", (5.0, 500.0)),
        ("crowd-in-sandboxes", f"shell:sleep {scale.sleep:g}", "in a sandbox each", (None, None)),
    ):
        repeats = min(scale.repeats, 3) if limits[0] else 1
        timed = [_sleep(ground, agent, scale) for _ in range(repeats)]
        weighed = _sleep(ground, agent, scale, watch_tree=True)
        yield Figure(
            name=name,
            what=f"{scale.sleepers} attempts at once that each sleep {scale.sleep:g} s {place}",
            unit="s",
            limit=limits[0],
            samples=_seconds(timed),
            beside=(
                middle([ran.cpu for ran in timed], "processor time of all of it"),
                Beside(
                    label="as many bare threads that sleep",
                    value=floor.sleeping_threads(scale.sleepers, scale.sleep),
                ),
                middle([bare.seconds], "one trivial test under bare pytest"),
            ),
        )
        yield Figure(
            name=f"{name}-memory",
            what="peak of the process tree's memory meanwhile (proportional set sizes, sampled)",
            unit="MB",
            limit=limits[1],
            samples=(weighed.peak,),
            beside=(middle([bare.peak], "bare pytest, resident"),),
        )


def _sleep(ground: Path, agent: str, scale: Scale, *, watch_tree: bool = False) -> Ran:
    at_once = f"--ibench-concurrency={scale.sleepers}"
    return run_attempts(ground, agent, scale.sleepers, at_once, watch_tree=watch_tree)


def _seconds(ran: Sequence[Ran]) -> tuple[float, ...]:
    return tuple(one.seconds for one in ran)
