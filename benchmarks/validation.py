"""What it takes to validate tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import floor
from benchmarks.children import run, script
from benchmarks.figures import Beside, Figure, Scale, middle
from benchmarks.ground import lay_good_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BARE = ("--no-attack", "--no-environment")
_EVALUATIONS = 6  # of each of these tasks: what cannot be had for less


def measure_validation(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure ``ibench validate`` on many small tasks, and on a built-in one with every attack."""
    ground = lay_good_tasks(folder / "ground", scale.tasks)
    command = [script("ibench"), "validate", "--root", str(ground)]
    run([*command, "good_000", *_BARE], folder)
    ran = [run([*command, *_BARE], folder) for _ in range(scale.repeats)]
    least = floor.confined_python(scale.repeats) * _EVALUATIONS * scale.tasks
    yield Figure(
        name="validation",
        what=f"ibench validate on {scale.tasks} tasks, without attacks and environments",
        unit="s",
        limit=10,
        samples=tuple(one.seconds for one in ran),
        beside=(
            middle([one.cpu for one in ran], "the same in processor time"),
            Beside(label="one bwrap and one python -I -S for each evaluation", value=least),
        ),
    )
    attacked = [script("ibench"), "validate", "loss_noisy_labels", "--attack", "--no-environment"]
    ran = [run(attacked, folder) for _ in range(scale.repeats)]
    yield Figure(
        name="attacks",
        what="ibench validate on the task loss_noisy_labels, with every attack",
        unit="s",
        limit=30,
        samples=tuple(one.seconds for one in ran),
        beside=(middle([one.cpu for one in ran], "the same in processor time"),),
    )


def measure_command_help(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure ``--help`` of every command of ``ibench``, and show the slowest."""
    import typer  # noqa: PLC0415 - so that nothing else of benchmarks waits for it

    from pytest_innovatorbench.cli import app  # noqa: PLC0415

    commands = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # an app of commands is a group
    times: dict[str, list[float]] = {command: [] for command in commands}
    for number in range(scale.repeats + 1):
        for command in commands:
            seconds = run([script("ibench"), command, "--help"], folder).seconds
            if number:
                times[command].append(1e3 * seconds)
    slowest = max(commands, key=lambda command: sorted(times[command])[len(times[command]) // 2])
    yield Figure(
        name="help-of-commands",
        what=f"--help of the slowest command of ibench, here {slowest}",
        unit="ms",
        limit=300,
        samples=tuple(times[slowest]),
        beside=tuple(middle(times[command], command) for command in commands if command != slowest),
    )
