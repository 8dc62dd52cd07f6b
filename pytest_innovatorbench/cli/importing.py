"""``ibench import``: the published tasks, made into tasks of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.tasks.benchmark import Benchmark
    from pytest_innovatorbench.tasks.importing import Imported
    from pytest_innovatorbench.tasks.model import Task

_LONGEST = 500


def import_tasks(
    dataset: Annotated[Path, typer.Argument(help="Folder with gym/, evaluations/ and conda/ as published.")],
    *,
    into: Annotated[
        Path | None,
        typer.Option(help="A benchmark that gets links to the tasks, so that the dataset stays as it is."),
    ] = None,
) -> None:
    """Write task.yaml for the published tasks of InnovatorBench, and say what each needs."""
    from pytest_innovatorbench.errors import UserError  # noqa: PLC0415
    from pytest_innovatorbench.tasks.benchmark import open_benchmark  # noqa: PLC0415
    from pytest_innovatorbench.tasks.importing import import_dataset  # noqa: PLC0415

    imported = tuple(import_dataset(dataset, into))
    if all(one.outcome == "left out" for one in imported):
        raise UserError(f"no task of {dataset} could be imported", remedy=imported[0].remarks[0])
    benchmark = open_benchmark(into or dataset)
    for one in imported:
        head, *rest = _lines(one, benchmark)
        typer.echo(f"{one_line(one.task_id):28} {head}")
        for line in rest:
            typer.echo(f"    {one_line(line, _LONGEST)}")
    outcomes = [one.outcome for one in imported]
    counts = (f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes))
    typer.echo(f"{len(imported)} tasks: {', '.join(counts)}")


def _lines(one: Imported, benchmark: Benchmark) -> Iterator[str]:
    from pytest_innovatorbench.errors import TaskError  # noqa: PLC0415

    if one.outcome == "left out":
        yield from (one.outcome, *one.remarks)
        return
    try:
        task = benchmark.load(one.task_id)
    except TaskError as error:
        yield from (f"{one.outcome}, BROKEN", *one.remarks, *map(str, error.problems))
        return
    yield f"{task.domain:5} {task.limits.working_hours:>4g} h  {one.outcome}"
    yield from (*one.remarks, *_needs(one, task))


def _needs(one: Imported, task: Task) -> Iterator[str]:
    """Yield what a machine must have, and what of it is not there yet."""
    from pytest_innovatorbench.researchgym.computers.placement import describe_need  # noqa: PLC0415
    from pytest_innovatorbench.tasks.lacking import lacks  # noqa: PLC0415
    from pytest_innovatorbench.tasks.published import facts  # noqa: PLC0415

    yield from (f"needs {describe_need(need)}" for need in task.resources.needs)
    model = facts()[task.id].values.get("model")
    if model:
        yield f"needs {model} in gym/{task.id}/data/checkpoints"
    yield from (f"needs {need}" for need in one.needs)
    yield from (f"missing: {missing}" for missing in lacks(task))
