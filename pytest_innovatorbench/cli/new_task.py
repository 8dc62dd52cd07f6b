"""``ibench-new-task``: a new task that works, to be replaced part by part."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_innovatorbench.errors import SettingsError, UserError
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.answers import Question
    from pytest_innovatorbench.authoring.scaffold import Scaffold

_SHOWN_LEFT_OUT = 10
_UNITS = ("bytes", "kB", "MB", "GB")


def main() -> None:
    """Run the command; a user's mistake ends it with one line and status 2."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(new_task)
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"ibench-new-task: {one_line(str(error), 2000)}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)


def new_task(  # noqa: PLR0913, PLR0917 - an option for each question
    name: Annotated[str | None, typer.Argument(help="Name of the task: small letters, digits and _.")] = None,
    title: Annotated[str | None, typer.Option(help="One line for lists.")] = None,
    domain: Annotated[str | None, typer.Option(help="DC, DF, DA, LD, RD, SC or other.")] = None,
    paper_title: Annotated[str | None, typer.Option(help="Title of the paper it comes from.")] = None,
    paper_url: Annotated[str | None, typer.Option(help="Address of the paper.")] = None,
    training_hours: Annotated[
        str | None, typer.Option(metavar="HOURS", help="That one training run may take.")
    ] = None,
    evaluation_seconds: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="That one evaluation may take.")
    ] = None,
    gpus: Annotated[str | None, typer.Option(metavar="NUMBER", help="GPUs of each computer.")] = None,
    gpu_memory_gb: Annotated[str | None, typer.Option(metavar="GB", help="Memory of each GPU.")] = None,
    hint: Annotated[
        bool | None, typer.Option("--hint/--no-hint", help="Whether agents may view a hint.")
    ] = None,
    hint_penalty: Annotated[str | None, typer.Option(metavar="POINTS", help="That viewing it costs.")] = None,
    repository: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Existing code to start from; it is copied.")
    ] = None,
    root: Annotated[Path, typer.Option(help="The benchmark, with evaluations/ and gym/.")] = Path(),
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing; take the defaults.")] = False,  # noqa: FBT002 - typer's way to declare flags
) -> None:
    """Make a new task: a small one that works at once, to be replaced part by part.

    On a terminal, it asks for what is not given.
    """
    from pytest_innovatorbench.authoring.scaffold import create_task  # noqa: PLC0415

    given = {
        "task_name": name,
        "title": title,
        "domain": domain,
        "paper_title": paper_title,
        "paper_url": paper_url,
        "training_hours": training_hours,
        "evaluation_seconds": evaluation_seconds,
        "gpus": gpus,
        "gpu_memory_gb": gpu_memory_gb,
        "hint": None if hint is None else ("yes" if hint else "no"),
        "hint_penalty": hint_penalty,
        "repository": repository,
    }
    benchmark = _existing_folder(root)
    asks = not no_input and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        answers = _answers(given, benchmark, asks=asks)
        made = create_task(benchmark, answers)
    except (KeyboardInterrupt, typer.Abort) as stop:
        typer.echo("\nibench-new-task: interrupted, and nothing was written", err=True)
        raise typer.Exit(128 + getattr(stop, "number", signal.SIGINT)) from None
    except OSError as error:
        raise UserError(
            f"the task could not be made: {error.strerror or error}: {error.filename or benchmark}",
            remedy="nothing is left of it; mend that and try again",
        ) from error
    for line in _told(answers["task_name"], made, root):
        typer.echo(line)


def _existing_folder(root: Path) -> Path:
    if not root.is_dir():
        raise SettingsError(
            f"the benchmark {str(root)!r} is no folder", remedy=f"mkdir {shlex.quote(str(root))}"
        )
    return root.resolve()


def _answers(given: dict[str, str | None], root: Path, *, asks: bool) -> dict[str, Any]:
    from pytest_innovatorbench.authoring.answers import QUESTIONS, answer  # noqa: PLC0415

    known: dict[str, Any] = {"root": root}
    for question in QUESTIONS:
        text = given[question.key]
        if text is None and asks and question.fits(known):
            known[question.key] = _ask(question, known)
        else:
            known[question.key] = answer(question, text, known)
    del known["root"]
    return known


def _ask(question: Question, known: dict[str, Any]) -> Any:  # noqa: ANN401 - each question has its own type
    from pytest_innovatorbench.authoring.answers import answer  # noqa: PLC0415

    def read(text: str) -> Any:  # noqa: ANN401 - as above
        try:
            return answer(question, text, known)
        except SettingsError as error:
            raise typer.BadParameter(one_line(str(error), 2000)) from error

    default = question.default(known) if question.default else None
    return typer.prompt(question.text, default=default, show_default=bool(default), value_proc=read)


def _told(name: str, made: Scaffold, root: Path) -> Iterator[str]:
    yield f"Made the task {name}, which works as it is:"
    for place, files in made.files.items():
        count = f"{files} files" if files > 1 else "1 file"
        yield f"  {_path(root, place):40} {count}"
    copied = made.repository
    if copied:
        yield f"Copied {one_line(copied.name)}: {copied.files:,} files, {_size(copied.size)}"
        for path, reason in copied.left_out[:_SHOWN_LEFT_OUT]:
            yield f"  left out: {one_line(path)} ({one_line(reason)})"
        if len(copied.left_out) > _SHOWN_LEFT_OUT:
            yield f"  left out: {len(copied.left_out) - _SHOWN_LEFT_OUT} more"
    yield "Next: replace what validate names, until it names nothing; then see what it scores."
    yield from (f"  {command}" for command in _commands(name, root))


def _commands(name: str, root: Path) -> Iterator[str]:
    where = shlex.quote(str(root))
    ibench = f"{_program('ibench')} {{}} {name}" + ("" if root == Path() else f" --root {where}")
    yield ibench.format("validate")
    yield ibench.format("calibrate")
    yield f"{_program('pytest')} --ibench-agent=oracle,baseline --ibench-task={name} --ibench-root={where}"


def _program(name: str) -> str:
    """Return what to type for a program that is installed beside this one."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name)
    if not beside.exists() or (found and beside.samefile(found)):
        return name
    shown = os.path.relpath(beside)
    return shlex.quote(str(beside) if shown.startswith("..") else shown)


def _path(root: Path, place: str) -> str:
    return one_line(str(root / place))


def _size(size: int) -> str:
    power = min(max(len(str(size)) - 1, 0) // 3, len(_UNITS) - 1)
    return f"{size / 1000**power:.3g} {_UNITS[power]}"
