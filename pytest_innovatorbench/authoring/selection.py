"""Which tasks are to be validated."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.changes import changed_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.tasks.benchmark import Benchmark


def select_tasks(benchmark: Benchmark, patterns: Sequence[str], changed: str | None = None) -> list[str]:
    """Return the tasks that any of the patterns takes; all if there are none.

    Args:
        benchmark: The benchmark; a task of which only ``gym/`` exists is one, too.
        patterns: As `Benchmark.select` knows them.
        changed: Leave out what has not changed since this branch, tag or commit.

    Raises:
        UnknownNameError: A pattern takes no task.
        SettingsError: git does not know what has changed.
    """
    everything = replace(benchmark, task_ids=tuple(sorted({*benchmark.task_ids, *_half_tasks(benchmark)})))
    chosen = everything.select(patterns or ["all"])
    return changed_tasks(benchmark.root, changed, chosen) if changed is not None else chosen


def _half_tasks(benchmark: Benchmark) -> list[str]:
    gym = benchmark.root / "gym"
    if not gym.is_dir():
        return []
    with os.scandir(gym) as entries:
        return [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith((".", "_"))]
