"""The benchmark that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from pytest_innovatorbench.tasks.benchmark import Benchmark

Root: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Folder with evaluations/ and gym/; else this one or the built-in tasks."),
]


def open_root(root: Path | None) -> Benchmark:
    """Open the benchmark in a folder, or else this one or the built-in one."""
    from pytest_innovatorbench.tasks.benchmark import find_root, open_benchmark  # noqa: PLC0415

    return open_benchmark(root or find_root(Path.cwd()))
