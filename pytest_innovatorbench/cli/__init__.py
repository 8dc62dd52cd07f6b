"""The ``ibench`` command: what one wants beside running pytest.

Commands import what they need when they run, so that ``--help`` is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_innovatorbench.cli import snapshots
from pytest_innovatorbench.cli.calibrate import calibrate
from pytest_innovatorbench.cli.comparing import compare_runs
from pytest_innovatorbench.cli.explain import explain
from pytest_innovatorbench.cli.importing import import_tasks
from pytest_innovatorbench.cli.mcp import mcp
from pytest_innovatorbench.cli.new_task import new_task
from pytest_innovatorbench.cli.root import Root, open_root
from pytest_innovatorbench.cli.telling import tell_agent
from pytest_innovatorbench.cli.validate import validate
from pytest_innovatorbench.errors import FaultError, UserError
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.computers.inventory import Inventory

app = typer.Typer(
    help="Tasks, their authoring, records and machine checks of pytest-innovatorbench. Agents are run by "
    "pytest: pytest --ibench-agent=oracle --ibench-task=all",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command("new-task")(new_task)
app.command()(validate)
app.command()(explain)
app.command()(calibrate)
app.command("compare")(compare_runs)
app.command("import")(import_tasks)
app.command()(mcp)
app.command("tell")(tell_agent)
app.add_typer(snapshots.app, name="snapshots")


Inventories = Annotated[
    Path | None, typer.Option(help="File that lists the computers; else this machine.", metavar="FILE")
]


def _inventory(file: Path | None) -> Inventory:
    from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, read_inventory  # noqa: PLC0415

    return THIS_MACHINE if file is None else read_inventory(file)


def main() -> None:
    """Run the command; a user's mistake ends it with one line and status 2."""
    try:
        app()
    except (UserError, FaultError) as error:
        sys.stderr.write(f"ibench: {one_line(str(error), 2000)}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)


@app.command("list")
def list_tasks(root: Root = None, computers: Inventories = None) -> None:
    """List the tasks, what is wrong with those that are broken, and which cannot run on these computers."""
    from pytest_innovatorbench.errors import NoSuchComputerError, TaskError  # noqa: PLC0415
    from pytest_innovatorbench.researchgym.computers.placement import check  # noqa: PLC0415
    from pytest_innovatorbench.tasks.lacking import lacks  # noqa: PLC0415

    benchmark, inventory = open_root(root), _inventory(computers)
    broken = 0
    for task_id in benchmark.task_ids:
        try:
            task = benchmark.load(task_id)
        except TaskError as error:
            broken += 1
            typer.echo(f"{task_id:28} BROKEN")
            for problem in error.problems:
                typer.echo(f"    {one_line(str(problem))}")
        else:
            needs = task.resources.needs
            count = sum(need.gpus for need in needs)
            gpus = f"{count} GPU" if count else "CPU"
            hours = f"{task.limits.working_hours:g} h"
            typer.echo(f"{task_id:28} {task.domain:5} {hours:>6}  {gpus:6} {one_line(task.title, 200)}")
            for missing in lacks(task):
                typer.echo(f"    cannot run here: {one_line(missing, 500)}")
            try:
                check(needs, inventory)
            except NoSuchComputerError as error:
                typer.echo(f"    cannot run here: {one_line(str(error), 500)}")
    if broken:
        raise UserError(f"{broken} of {len(benchmark.task_ids)} tasks are broken", remedy="see above")


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run, below .ibench/runs.")],
    to: Annotated[list[str] | None, typer.Option(help="Also write json:PATH, md:PATH or html:PATH.")] = None,
) -> None:
    """Show a run's scores from its records, also of one that was killed."""
    from pytest_innovatorbench.reports.document import report_document  # noqa: PLC0415
    from pytest_innovatorbench.reports.table import summary_lines  # noqa: PLC0415
    from pytest_innovatorbench.reports.writer import parse_target, write_report  # noqa: PLC0415
    from pytest_innovatorbench.runs.records import read_results, read_settings  # noqa: PLC0415

    targets = [parse_target(text) for text in to or ()]
    results = list(read_results(run))
    document = report_document(results, read_settings(run), run_dir=run)
    for line in summary_lines(document):
        typer.echo(line)
    for target in targets:
        typer.echo(f"written: {write_report(target, document)}")


@app.command()
def grade(
    archive: Annotated[Path, typer.Argument(help="RUN/attempts/ATTEMPT/submissions/NNN.tar.")],
    task: Annotated[str, typer.Option(help="The task it was made for.")],
    root: Root = None,
    sandbox: Annotated[str, typer.Option(help="bubblewrap or none.")] = "bubblewrap",
) -> None:
    """Evaluate a kept submission again and print the evaluator's verdict as JSON."""
    import json  # noqa: PLC0415

    from pytest_innovatorbench.runs.regrade import regrade  # noqa: PLC0415

    verdict = regrade(archive, open_root(root).load(task), sandbox)
    typer.echo(json.dumps(verdict, indent=1))
    if verdict["score"] is None:
        sys.exit(1)


@app.command()
def doctor(computers: Inventories = None) -> None:
    """Check that this machine can confine agents, say how, and whether the computers answer."""
    from pytest_innovatorbench.runs.checkup import checkup  # noqa: PLC0415

    for line in checkup(_inventory(computers)):
        typer.echo(line)
