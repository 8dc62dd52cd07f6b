"""``ibench mcp``: the actions of one attempt for any MCP client."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pytest_innovatorbench.cli.root import Root, open_root

if TYPE_CHECKING:
    from pytest_innovatorbench.runs.model import AttemptResult


def mcp(
    task: Annotated[str, typer.Argument(help="The task to attempt.")] = "",
    *,
    root: Root = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the attempt.")] = 0,
    name: Annotated[str, typer.Option(help="What the agent is called in the record.")] = "mcp",
    computers: Annotated[
        Path | None, typer.Option(help="File that lists the computers; else this machine.", metavar="FILE")
    ] = None,
    working_time: Annotated[str, typer.Option(help="Such as 90, 15m or 36h; default: the task's.")] = "",
    max_evals: Annotated[
        int | None, typer.Option(min=0, help="Evaluations that may be asked for; default: the task's.")
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="Actions that may be taken; default: the task's.")
    ] = None,
    hints: Annotated[
        Literal["allow", "deny"], typer.Option(help="Whether the hint may be viewed.")
    ] = "allow",
    snapshot_every: Annotated[
        str, typer.Option(help="Such as 15m or 200steps, and at evaluations; or eval, at these alone.")
    ] = "",
    run_dir: Annotated[Path | None, typer.Option(help="Folder of all runs; default .ibench/runs.")] = None,
    sandbox: Annotated[str, typer.Option(help="bubblewrap or none.")] = "bubblewrap",
) -> None:
    """Serve one attempt to an MCP client over standard input and output; its score goes to standard error."""
    from pytest_innovatorbench.agents.clients.mcp_server import check_package  # noqa: PLC0415
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415
    from pytest_innovatorbench.settings import parse_duration, parse_interval  # noqa: PLC0415

    check_package()
    if not task:
        raise SettingsError("no task was named", remedy="write ibench mcp TASK; see ibench list")
    result = _attempt(
        task,
        root,
        agents=(name,),
        seeds=(seed,),
        computers=computers,
        working_time=parse_duration("--working-time", working_time) if working_time else None,
        max_evals=max_evals,
        max_steps=max_steps,
        hints=hints,
        snapshot_every=parse_interval("--snapshot-every", snapshot_every) if snapshot_every else None,
        run_dir=run_dir or Path.cwd() / ".ibench" / "runs",
        sandbox=sandbox,
    )
    score = "no score" if result.final is None else f"{result.final:.1f}"
    typer.echo(f"{result.task}: {result.status.upper()} {score}; record: {result.run_dir}", err=True)


def _attempt(task: str, root: Path | None, **asked: Any) -> AttemptResult:  # noqa: ANN401 - as Settings has them
    from pytest_innovatorbench.agents.clients.mcp_server import serve  # noqa: PLC0415
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415
    from pytest_innovatorbench.runs.serving import serve_attempt  # noqa: PLC0415
    from pytest_innovatorbench.settings import Settings  # noqa: PLC0415

    benchmark = open_root(root)
    task, *others = benchmark.select([task])
    if others:
        raise SettingsError(f"{len(others) + 1} tasks are meant", remedy="name one")
    run_id = f"mcp-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    settings = Settings(root=benchmark.root, run_id=run_id, **asked)
    return serve_attempt(benchmark.load(task), settings, serve)
