"""``ibench calibrate``: where a task's submissions fall on the scale."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_innovatorbench.cli.interruption import ends_in_order
from pytest_innovatorbench.cli.root import Root, open_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_innovatorbench.authoring.calibration.survey import Survey

_WIDTH_OF_FILES = 120


def calibrate(
    task: Annotated[str, typer.Argument(help="The task.")],
    *,
    root: Root = None,
    seeds: Annotated[int, typer.Option(min=0, help="How often to run the oracle; 0 leaves it out.")] = 3,
    attacks: Annotated[bool, typer.Option(help="Try submissions that nobody should be paid for.")] = True,
    png: Annotated[Path | None, typer.Option(help="Also draw a picture; needs matplotlib.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write a document for programs.")] = None,
    sandbox: Annotated[str, typer.Option(help="bubblewrap or none.")] = "bubblewrap",
) -> None:
    """Score a task's submissions, oracle and attacks, and propose score curves where a band is missed."""
    if png:
        from pytest_innovatorbench.reports.calibration.picture import need_matplotlib  # noqa: PLC0415

        need_matplotlib()
    with ends_in_order():
        found = _survey(root, task, sandbox, seeds=seeds, attacks=attacks)
    from pytest_innovatorbench.reports.calibration.lines import survey_lines  # noqa: PLC0415

    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH_OF_FILES
    for line in survey_lines(found, width=width):
        typer.echo(line)
    for path in _write(found, png, html, json):
        typer.echo(f"written: {path}")
    if not found.is_fine:
        raise typer.Exit(1)


def _survey(root: Path | None, task: str, sandbox: str, *, seeds: int, attacks: bool) -> Survey:
    from pytest_innovatorbench.authoring.calibration.survey import survey  # noqa: PLC0415
    from pytest_innovatorbench.authoring.findings import NotCheckedError, Options  # noqa: PLC0415
    from pytest_innovatorbench.authoring.validation import examined  # noqa: PLC0415
    from pytest_innovatorbench.errors import UnknownNameError, UserError  # noqa: PLC0415

    benchmark = open_root(root)
    if task not in benchmark.task_ids:
        raise UnknownNameError("task", task, benchmark.task_ids)
    benchmark.load(task)  # its own words for what is wrong
    with examined(benchmark.root, task, Options(attack=attacks, sandbox=sandbox)) as subject:
        try:
            return survey(subject, seeds=seeds, attacks=attacks, say=_say)
        except NotCheckedError as reason:
            raise UserError(f"{task} cannot be calibrated: {reason}", remedy="see ibench doctor") from None


def _say(what: str) -> None:
    if sys.stderr.isatty():
        typer.echo(what, err=True)


def _write(found: Survey, png: Path | None, html: Path | None, json: Path | None) -> Iterable[Path]:
    from pytest_innovatorbench.reports.writer import write_file  # noqa: PLC0415

    if png:
        from pytest_innovatorbench.reports.calibration.picture import render_picture  # noqa: PLC0415

        yield write_file(png, render_picture(found))
    if html:
        from pytest_innovatorbench.reports.calibration.page import render_calibration  # noqa: PLC0415

        yield write_file(html, render_calibration(found).encode())
    if json:
        from pytest_innovatorbench.reports.calibration.document import render_document  # noqa: PLC0415

        yield write_file(json, render_document(found).encode())
