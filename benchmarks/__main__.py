"""Measure speed and size: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_innovatorbench
from benchmarks.attempts import measure_attempts, measure_dataset
from benchmarks.figures import Figure, Scale
from benchmarks.models import measure_loop, measure_model_crowd
from benchmarks.neighbours import Neighbours
from benchmarks.remote import measure_remote
from benchmarks.report import document, head, rows
from benchmarks.sessions import measure_sessions
from benchmarks.size import measure_collection, measure_crowd
from benchmarks.snapshots import measure_snapshots
from benchmarks.startup import measure_help, measure_idle, measure_nop
from benchmarks.steps import measure_steps
from benchmarks.validation import measure_command_help, measure_validation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

RESULTS = Path(__file__).with_name("results")
CORES = 2
MEASUREMENTS: Mapping[str, Callable[[Scale, Path], Iterator[Figure]]] = {
    "idle": measure_idle,
    "help": measure_help,
    "nop": measure_nop,
    "attempts": measure_attempts,
    "steps": measure_steps,
    "collection": measure_collection,
    "crowd": measure_crowd,
    "dataset": measure_dataset,
    "snapshots": measure_snapshots,
    "sessions": measure_sessions,
    "validation": measure_validation,
    "help-of-commands": measure_command_help,
    "remote": measure_remote,
    "loop": measure_loop,
    "model-crowd": measure_model_crowd,
}


def main() -> None:
    """Measure what was asked for, print a table and write JSON."""
    options = _options()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    compileall.compile_dir(str(Path(pytest_innovatorbench.__file__).parent), quiet=2)
    print(head())
    started = time.monotonic()
    figures = []
    for figure in measure(options.names or MEASUREMENTS, Scale()):
        figures.append(figure)
        print("\n".join(rows(figure)), flush=True)
    _write(options.json, figures)
    print(f"written: {options.json} after {time.monotonic() - started:.0f} s")


def measure(names: Iterable[str], scale: Scale) -> Iterator[Figure]:
    """Yield the figures of measurements, each made in an empty folder of its own."""
    # Removed at the very end: ext4 makes new files many times slower for minutes after many were deleted.
    with tempfile.TemporaryDirectory(prefix="ibench-perf-") as folder:
        for name in names:
            place = Path(folder, name)
            place.mkdir()
            neighbours = Neighbours()
            figures = list(MEASUREMENTS[name](scale, place))
            yield from (replace(figure, others=neighbours.share()) for figure in figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(MEASUREMENTS)}; else all"
    )
    parser.add_argument("--json", type=Path, default=RESULTS / "latest.json", help="where the figures go")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; known: {', '.join(MEASUREMENTS)}")
    return options


def _write(file: Path, figures: list[Figure]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document(figures), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
