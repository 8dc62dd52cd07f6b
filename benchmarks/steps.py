"""What one step of an agent costs, from the first to the last of a long attempt."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import floor
from benchmarks.children import run_attempts
from benchmarks.figures import Beside, Figure, Scale
from benchmarks.ground import lay_benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHARE = 10


def measure_steps(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure ``run_command true`` in one session, with every event written."""
    ground = lay_benchmark(folder / "ground")
    runs = [_steps(ground, scale.steps, folder / f"{number}.json") for number in range(min(2, scale.repeats))]
    yield Figure(
        name="command",
        what="run_command true in a session, events written",
        unit="ms",
        limit=1,
        samples=tuple(median(steps) for steps in runs),
        beside=(
            Beside(label="99 of 100 are faster than", value=max(_percentile(steps, 0.99) for steps in runs)),
            Beside(label="a round trip through a bare bash", value=1e3 * floor.round_trip(scale.steps)),
            Beside(label="Inspect AI, local sandbox", value=3.7, source="peer"),
            Beside(label="the published environment", value=3100, source="peer"),
        ),
    )
    yield Figure(
        name="last-steps",
        what=f"the last tenth of {scale.steps} steps to the first tenth",
        unit="x",
        limit=1.2,
        samples=tuple(_growth(steps) for steps in runs),
        beside=(Beside(label="Inspect AI, by step 1000", value=92 / 22, source="peer"),),
    )


def _steps(ground: Path, count: int, file: Path) -> list[float]:
    """Return milliseconds of each step of one attempt."""
    run_attempts(ground, f"stepper:{count}", 1, extra={"IBENCH_STEP_TIMES": str(file)})
    times = [1e3 * seconds for seconds in json.loads(file.read_text())]
    assert len(times) == count
    return times


def _growth(steps: list[float]) -> float:
    share = max(1, len(steps) // _SHARE)
    return median(steps[-share:]) / median(steps[:share])


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]
