"""From task folders to test items.

The nodes follow the folders, ``evaluations/<task>/task/config.py``, so that every way of naming an
item on the command line works; nothing in those folders is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_innovatorbench.errors import TaskError
from pytest_innovatorbench.plugin.items import AttemptItem, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.tasks.benchmark import Benchmark
    from pytest_innovatorbench.tasks.model import Task

# The first that a task has stands for it; a broken task may lack any of them.
_STANDS_FOR_TASK = ("task/config.py", "task/evaluation.py", "task.yaml", "task.yml", "hint.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What there is to collect.

    Attributes:
        benchmark: Where the tasks are.
        task_ids: The tasks that were selected.
        open_file: Makes the node of the file that stands for a task, which collects the items.
        records: Folder that is never collected, if there is one.
    """

    benchmark: Benchmark
    task_ids: frozenset[str]
    open_file: Callable[..., pytest.File]
    records: Path | None = None


class Collection:
    """Collects the items of tasks.

    Args:
        config: pytest's.
        source: What there is to collect.
    """

    def __init__(self, config: pytest.Config, source: Source) -> None:
        self._source = source
        self._evaluations = source.benchmark.root / "evaluations"
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args[:] = [str(self._evaluations)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Take over ``evaluations/`` and the folders of its tasks."""
        if path == self._evaluations:
            # Told outright: for folders outside of its root pytest makes up ids it cannot find again.
            nodeid = os.path.relpath(path, parent.config.rootpath)
            return TasksFolder.from_parent(parent, path=path, nodeid=nodeid, source=self._source)
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Keep pytest out of the records of runs, wherever they lie."""
        records = self._source.records
        return True if records and collection_path.is_relative_to(records) else None


class TasksFolder(pytest.Directory):
    """The ``evaluations`` folder."""

    def __init__(self, *, source: Source, **rest: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**rest)
        self._source = source

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield a folder per selected task."""
        for task_id in self._source.benchmark.task_ids:
            if task_id in self._source.task_ids:
                yield TaskFolder.from_parent(
                    self,
                    path=self.path / task_id,
                    nodeid=f"{self.nodeid}/{task_id}",
                    source=self._source,
                    task_id=task_id,
                )


class TaskFolder(pytest.Directory):
    """A folder on the way to the file that stands for a task."""

    def __init__(self, *, source: Source, task_id: str, **rest: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**rest)
        self._source = source
        self._task_id = task_id

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield the next folder, or the file."""
        file = self._file()
        step = self.path / file.relative_to(self.path).parts[0]
        nodeid = f"{self.nodeid}/{step.name}"
        if step == file:
            yield self._source.open_file(self, path=step, nodeid=nodeid, task_id=self._task_id)
        else:
            yield TaskFolder.from_parent(
                self, path=step, nodeid=nodeid, source=self._source, task_id=self._task_id
            )

    def _file(self) -> Path:
        task = self._source.benchmark.root / "evaluations" / self._task_id
        files = [task / name for name in _STANDS_FOR_TASK]
        return next((file for file in files if file.is_file()), files[0])


class AttemptFile(pytest.File):
    """The file that stands for a task; its items are the attempts."""

    def __init__(self, *, run: Run, task_id: str, **rest: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**rest)
        self._run = run
        self._task_id = task_id

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an attempt per agent and seed; those of a broken task say what is wrong with it."""
        task = self._load()
        for agent in self._run.agents:
            for seed in self._run.settings.seeds:
                name = f"{self._task_id}[{printable(agent)}-{seed}]"
                yield AttemptItem.from_parent(
                    self,
                    name=name,
                    # As text, which pytest takes apart: it has to equal what --lf reads back as text.
                    nodeid=f"{self.nodeid}::{name}",
                    run=self._run,
                    task_id=self._task_id,
                    task=task,
                    agent=agent,
                    seed=seed,
                )

    def _load(self) -> Task | TaskError:
        try:
            return self._run.benchmark.load(self._task_id)
        except TaskError as error:
            return error


def attempts_of(run: Run) -> Source:
    """Return what there is to collect of a run: its attempts."""
    return Source(
        benchmark=run.benchmark,
        task_ids=run.task_ids,
        open_file=partial(AttemptFile.from_parent, run=run),
        records=run.settings.run_dir,
    )
