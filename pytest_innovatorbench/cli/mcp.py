"""``ibench mcp``: the actions of one attempt for any MCP client."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    working_time: Annotated[str, typer.Option(help="Such as 90, 15m or 36h; default: the task's.")] = "",
    run_dir: Annotated[Path | None, typer.Option(help="Folder of all runs; default .ibench/runs.")] = None,
    sandbox: Annotated[str, typer.Option(help="bubblewrap or none.")] = "bubblewrap",
) -> None:
    """Serve one attempt to an MCP client over standard input and output; its score goes to standard error."""
    from pytest_innovatorbench.agents.clients.mcp_server import check_package  # noqa: PLC0415
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415

    check_package()
    if not task:
        raise SettingsError("no task was named", remedy="write ibench mcp TASK; see ibench list")
    result = _attempt(
        task, root, seed, name, working_time, run_dir or Path.cwd() / ".ibench" / "runs", sandbox
    )
    score = "no score" if result.final is None else f"{result.final:.1f}"
    typer.echo(f"{result.task}: {result.status.upper()} {score}; record: {result.run_dir}", err=True)


def _attempt(  # noqa: PLR0917 - the command's options
    task: str, root: Path | None, seed: int, name: str, working_time: str, run_dir: Path, sandbox: str
) -> AttemptResult:
    from pytest_innovatorbench.agents.clients.mcp_server import serve  # noqa: PLC0415
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415
    from pytest_innovatorbench.runs.serving import serve_attempt  # noqa: PLC0415
    from pytest_innovatorbench.settings import Settings, parse_duration  # noqa: PLC0415

    benchmark = open_root(root)
    task, *others = benchmark.select([task])
    if others:
        raise SettingsError(f"{len(others) + 1} tasks are meant", remedy="name one")
    settings = Settings(
        agents=(name,),
        root=benchmark.root,
        seeds=(seed,),
        run_dir=run_dir,
        run_id=f"mcp-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}",
        sandbox=sandbox,
        working_time=parse_duration("--working-time", working_time) if working_time else None,
    )
    return serve_attempt(benchmark.load(task), name, settings, serve)
