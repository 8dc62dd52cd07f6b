"""What our own loop costs beside the model and the machine."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from benchmarks.children import MeasurementError, run_attempts
from benchmarks.figures import Beside, Figure, Scale, middle
from benchmarks.ground import lay_benchmark
from pytest_innovatorbench.testing.model_server import Body, ModelServer, Says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ANSWERS = 3
_EDGE = 200  # steps at either end


def measure_loop(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure the loop with a model that answers at once: time a step at both ends, and memory."""
    ground = lay_benchmark(folder / "ground")
    first, last, all_of_it = [], [], []
    for _ in range(min(2, scale.repeats)):
        seconds = _loop(ground, scale.steps)
        first.append(1e3 * _median(seconds[:_EDGE]))
        last.append(1e3 * _median(seconds[-_EDGE:]))
        all_of_it.append(1e3 * sum(seconds) / len(seconds))
    yield Figure(
        name="loop",
        what=f"what the loop adds to one of the last {_EDGE} of {scale.steps} steps, with the gym's part",
        unit="ms",
        limit=2.0,
        samples=tuple(last),
        beside=(middle(first, f"to one of the first {_EDGE}"), middle(all_of_it, "on average")),
    )
    file = ground / "steps.json"
    extra = {"IBENCH_STEP_TIMES": str(file)}
    steps = scale.steps // 2
    weighed = run_attempts(ground, f"looper:{steps}", 1, extra=extra, weigh=True)
    yield Figure(
        name="loop-memory",
        what=f"peak resident memory of pytest with an attempt of {steps} steps",
        unit="MB",
        limit=200.0,
        samples=(weighed.peak,),
    )


def measure_model_crowd(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure attempts that wait for a model at once, beside a single one."""
    ground = lay_benchmark(folder / "ground")

    def script(body: Body) -> Says:
        time.sleep(scale.sleep)
        step = len(body["messages"]) // 2
        return Says(
            calls=(("finish", {}),) if step >= _ANSWERS else (("think", {"thought": f"step {step}"}),)
        )

    one, many = [], []
    with ModelServer(script).running() as server:
        extra = {"OPENAI_API_KEY": "none"}
        option = f"--ibench-model-base-url={server.url}/v1"
        for _ in range(min(2, scale.repeats)):
            one.append(run_attempts(ground, "react:none", 1, option, extra=extra).seconds)
            crowd = (option, f"--ibench-concurrency={scale.talkers}")
            many.append(run_attempts(ground, "react:none", scale.talkers, *crowd, extra=extra).seconds)
    yield Figure(
        name="model-crowd",
        what=f"{scale.talkers} attempts at once whose model answers in {scale.sleep:g} s, to the time of one",
        unit="x",
        limit=1.2,
        samples=tuple(all_of_them / alone for all_of_them, alone in zip(many, one, strict=True)),
        beside=(
            middle(one, "seconds of one"),
            Beside(label="seconds of its model alone", value=_ANSWERS * scale.sleep),
        ),
    )


def _loop(ground: Path, steps: int) -> list[float]:
    file = ground / "steps.json"
    run_attempts(ground, f"looper:{steps}", 1, extra={"IBENCH_STEP_TIMES": str(file)})
    seconds: list[float] = json.loads(file.read_text())
    if len(seconds) < steps - 1:
        raise MeasurementError(f"only {len(seconds)} of {steps} steps were taken")
    return seconds


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
