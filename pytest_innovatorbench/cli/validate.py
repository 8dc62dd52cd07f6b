"""``ibench validate``: whether tasks keep the rules."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_innovatorbench.cli.interruption import ends_in_order
from pytest_innovatorbench.cli.root import Root, open_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.authoring.findings import Options
    from pytest_innovatorbench.authoring.model import Rule
    from pytest_innovatorbench.reports.validation.document import Validation
    from pytest_innovatorbench.reports.validation.formats import Output
    from pytest_innovatorbench.tasks.benchmark import Benchmark

_FALSE = frozenset({"", "0", "false", "no"})


def validate(
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK]...", help="Ids, globs, domain:LD; else all.")
    ] = None,
    *,
    changed: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Only tasks changed since the last commit shared with REF."),
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option(metavar="CODES", help="Only these rules or groups: IB3,IB401.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="CODES", help="Not these.")] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="FORMAT[:PATH]", help="text, json, github, sarif, junit or md; repeatable."
        ),
    ] = None,
    attack: Annotated[
        bool | None,
        typer.Option(
            "--attack/--no-attack", help="Try submissions that nobody should be paid for; on where CI is set."
        ),
    ] = None,
    environment: Annotated[
        bool, typer.Option("--environment/--no-environment", help="Install packages and run the tests.")
    ] = True,
    repeat: Annotated[
        int, typer.Option(min=0, metavar="K", help="Run oracle, baseline and nop K times.")
    ] = 0,
    root: Root = None,
    sandbox: Annotated[str, typer.Option(help="bubblewrap or none.")] = "bubblewrap",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List rules not checked and why.")] = False,
) -> None:
    """Check tasks by rules. Ends with 1 if there are errors, or nothing could be checked of a task."""
    from pytest_innovatorbench.authoring.findings import Options  # noqa: PLC0415
    from pytest_innovatorbench.authoring.rules import all_rules, choose  # noqa: PLC0415
    from pytest_innovatorbench.authoring.selection import select_tasks  # noqa: PLC0415
    from pytest_innovatorbench.sandbox import known_sandbox  # noqa: PLC0415

    outputs = _outputs(formats or ["text"])
    known_sandbox(sandbox)
    benchmark = open_root(root)
    rules = all_rules()
    chosen = choose(rules, _codes(select), _codes(ignore))
    names = select_tasks(benchmark, tasks or [], changed)
    options = Options(
        attack=_is_ci() if attack is None else attack,
        environment=environment,
        repeat=repeat,
        sandbox=sandbox,
    )
    with ends_in_order():
        validation = _validate(benchmark, names, chosen, options, [rule.code for rule in rules])
        _show(validation, outputs, verbose=verbose)
    if validation.has_errors or validation.unchecked:
        raise typer.Exit(1)


def _outputs(formats: Sequence[str]) -> list[Output]:
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415
    from pytest_innovatorbench.reports.validation.formats import parse_output  # noqa: PLC0415

    outputs = [parse_output(text) for text in formats]
    if sum(output.path is None for output in outputs) > 1:
        raise SettingsError(
            "two formats cannot both go to standard output", remedy="give all but one as FORMAT:PATH"
        )
    return outputs


def _codes(given: Sequence[str] | None) -> list[str]:
    return [code.strip().upper() for text in given or () for code in text.split(",") if code.strip()]


def _is_ci() -> bool:
    return os.environ.get("CI", "").strip().lower() not in _FALSE


def _validate(
    benchmark: Benchmark,
    names: Sequence[str],
    rules: Sequence[Rule],
    options: Options,
    codes: Sequence[str],
) -> Validation:
    import time  # noqa: PLC0415
    from importlib.metadata import version  # noqa: PLC0415

    from pytest_innovatorbench.authoring.validation import validate as validate_tasks  # noqa: PLC0415
    from pytest_innovatorbench.cli.counter import Counter  # noqa: PLC0415
    from pytest_innovatorbench.reports.validation.document import Validation  # noqa: PLC0415

    started = time.perf_counter()
    with Counter(sys.stderr, len(names)) as counter:
        found = validate_tasks(benchmark.root, names, rules, options, codes=codes, watch=counter.watch)
        tasks = tuple(found)
    return Validation(
        rules=rules,
        tasks=tasks,
        seconds=time.perf_counter() - started,
        harness=version("pytest-innovatorbench"),
        folder=_folder(benchmark.root),
    )


def _folder(root: Path) -> str:
    """Return where the benchmark lies in the repository that annotations are shown on."""
    repository = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    if root == repository or not root.is_relative_to(repository):
        return ""
    return f"{root.relative_to(repository).as_posix()}/"


def _show(validation: Validation, outputs: Sequence[Output], *, verbose: bool) -> None:
    from pytest_innovatorbench.reports.validation.formats import render  # noqa: PLC0415
    from pytest_innovatorbench.reports.writer import write_file  # noqa: PLC0415

    for output in outputs:
        text = render(output.format, validation, verbose=verbose)
        if output.path is None:
            typer.echo(text, nl=False)
        else:
            write_file(output.path, text.encode())
