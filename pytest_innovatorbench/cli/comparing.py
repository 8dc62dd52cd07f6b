"""``ibench compare``: agents side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_innovatorbench.reports.comparison.model import Comparison


def compare_runs(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, below .ibench/runs.")
    ],
    *,
    png: Annotated[Path | None, typer.Option(help="Also draw a picture; needs matplotlib.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page.")] = None,
) -> None:
    """Show the agents of runs side by side, with means and bootstrap intervals over seeds."""
    from pytest_innovatorbench.errors import UserError  # noqa: PLC0415
    from pytest_innovatorbench.reports.calibration.picture import need_matplotlib  # noqa: PLC0415
    from pytest_innovatorbench.reports.comparison.lines import comparison_lines  # noqa: PLC0415
    from pytest_innovatorbench.reports.comparison.model import compare  # noqa: PLC0415
    from pytest_innovatorbench.runs.records import read_results  # noqa: PLC0415

    if png:
        need_matplotlib()
    folders = list(dict.fromkeys(run.resolve() for run in runs))
    comparison = compare((folder.name, read_results(folder)) for folder in folders)
    if not comparison.contenders:
        raise UserError("no attempts were made in these runs", remedy="name others")
    for line in comparison_lines(comparison):
        typer.echo(line)
    for path in _write(comparison, png, html):
        typer.echo(f"written: {path}")


def _write(comparison: Comparison, png: Path | None, html: Path | None) -> Iterable[Path]:
    from pytest_innovatorbench.reports.writer import write_file  # noqa: PLC0415

    if png:
        from pytest_innovatorbench.reports.comparison.picture import render_comparison_picture  # noqa: PLC0415

        yield write_file(png, render_comparison_picture(comparison))
    if html:
        from pytest_innovatorbench.reports.comparison.page import render_comparison  # noqa: PLC0415

        yield write_file(html, render_comparison(comparison).encode())
