"""What the plugin and the command cost before they do anything."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_innovatorbench
from benchmarks import floor
from benchmarks.children import MeasurementError, Ran, pytest, run, script
from benchmarks.figures import Beside, Figure, Scale, middle
from benchmarks.ground import lay_benchmark, lay_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 8
_DISTRIBUTION = "pytest-innovatorbench"
_PACKAGE = Path(pytest_innovatorbench.__file__).parent
_PLUGIN = "pytest_innovatorbench.plugin"


def measure_idle(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure what pytest pays for the plugin in a run that does not use it.

    Two environments, with and without the distribution, run the same trivial test by turns.
    """
    tests = lay_tests(folder / "tests")
    without, with_it = _environments(folder)
    command = [sys.executable, "-S", "-m", "pytest", "-q"]
    ran: dict[Path, list[Ran]] = {without: [], with_it: []}
    for number in range(scale.pairs + 1):
        for where in (without, with_it) if number % 2 else (with_it, without):
            one = run(command, tests, extra={"PYTHONPATH": str(where)})
            if number:  # the first pair writes the caches
                ran[where].append(one)
    wall = _differences([one.seconds for one in ran[with_it]], [one.seconds for one in ran[without]])
    processor = _differences([one.cpu for one in ran[with_it]], [one.cpu for one in ran[without]])
    bare = [1e3 * one.seconds for one in ran[without]]
    yield Figure(
        name="idle",
        what="what one trivial test under pytest pays for the installed plugin",
        unit="ms",
        limit=10,
        samples=wall,
        beside=(
            middle(processor, "the same in processor time"),
            middle([_import_cost(tests, with_it) for _ in range(scale.repeats)], "import of the plugin"),
            middle(bare, "the run of bare pytest"),
            Beside(label="deepeval", value=4100, source="peer"),
        ),
    )


def measure_help(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure ``ibench --help``."""
    empty = lay_tests(folder / "empty")
    bare = [sys.executable, "-I", "-S", "-c", "pass"]
    typer = [sys.executable, "-c", "import typer"]
    times: dict[str, list[float]] = {"help": [], "typer": [], "bare": []}
    for number in range(2 * scale.repeats + 1):
        for name, command in (("help", [script("ibench"), "--help"]), ("typer", typer), ("bare", bare)):
            seconds = run(command, empty).seconds
            if number:
                times[name].append(1e3 * seconds)
    yield Figure(
        name="help",
        what="ibench --help",
        unit="ms",
        limit=300,
        samples=tuple(times["help"]),
        beside=(middle(times["typer"], "python importing typer"), middle(times["bare"], "python -I -S")),
    )


def measure_nop(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure one attempt of nop, from typing ``pytest`` to the prompt."""
    ground, tests = lay_benchmark(folder / "ground"), lay_tests(folder / "tests")
    command = pytest("--ibench-agent=nop", "--ibench-task=all")
    run(command, ground)
    run(pytest(), tests)
    samples, bare = [], []
    for _ in range(2 * scale.repeats):
        samples.append(run(command, ground).seconds)
        bare.append(run(pytest(), tests).seconds)
    yield Figure(
        name="nop",
        what="one nop attempt, from typing pytest to the prompt",
        unit="s",
        limit=1,
        samples=tuple(samples),
        beside=(
            middle(bare, "one trivial test"),
            Beside(label="one bwrap and one python -I -S", value=floor.confined_python(scale.repeats)),
            Beside(label="Harbor", value=2.1, source="peer"),
            Beside(label="Inspect AI (6 to 9)", value=9, source="peer"),
        ),
    )


def _differences(some: list[float], others: list[float]) -> tuple[float, ...]:
    """Return milliseconds between the quickest of some runs and of others, block by block.

    What else happens on a machine only ever adds to a run, and more than what is looked for here.
    """
    blocks = range(0, len(some), _BLOCK)
    return tuple(1e3 * (min(some[i : i + _BLOCK]) - min(others[i : i + _BLOCK])) for i in blocks)


def _environments(folder: Path) -> tuple[Path, Path]:
    """Make two folders of installed packages: this environment's without us, and with us as a wheel."""
    site = Path(sysconfig.get_path("purelib"))
    ours = {_PACKAGE.name, _metadata().name}
    without, with_it = folder / "without", folder / "with"
    for place in (without, with_it):
        place.mkdir()
        for entry in site.iterdir():
            if entry.name not in ours and entry.suffix != ".pth":
                (place / entry.name).symlink_to(entry)
    (with_it / _PACKAGE.name).symlink_to(_PACKAGE)
    metadata = with_it / _metadata().name
    shutil.copytree(_metadata(), metadata)
    # An editable install lists no modules, so that pytest would treat them differently.
    lines = [f"{_PACKAGE.name}/{file.relative_to(_PACKAGE)},," for file in sorted(_PACKAGE.rglob("*.py"))]
    (metadata / "RECORD").write_text("\n".join(lines) + "\n")
    return without, with_it


def _metadata() -> Path:
    found = distribution(_DISTRIBUTION).locate_file(".")
    name = _DISTRIBUTION.replace("-", "_")
    return next(Path(str(found)).glob(f"{name}-*.dist-info"))


def _import_cost(cwd: Path, where: Path) -> float:
    """Return milliseconds to import the plugin where pytest has been imported."""
    code = f"import pytest, {_PLUGIN}"
    ran = run([sys.executable, "-S", "-X", "importtime", "-c", code], cwd, extra={"PYTHONPATH": str(where)})
    found = re.findall(rf"\|\s*(\d+) \| +{re.escape(_PLUGIN)}$", ran.output, re.MULTILINE)
    package = re.findall(rf"\|\s*(\d+) \| +{_PACKAGE.name}$", ran.output, re.MULTILINE)
    if not found or not package:
        raise MeasurementError(f"{_PLUGIN} was not imported:\n{ran.output[-500:]}")
    return (int(found[-1]) + int(package[-1])) / 1e3
