"""Read the recordings, read and write equations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DATASETS = Path("data/datasets")
OUTPUTS = Path("data/outputs")


def read_runs(name: str, folder: Path = DATASETS) -> dict[str, list[np.ndarray]]:
    """Return the runs of every system; a run has a row (t, x, v) for each moment.

    Args:
        name: "train" or "dev".
        folder: Where the tables are.
    """
    runs: dict[tuple[str, str], list[list[float]]] = {}
    for line in (folder / f"{name}.csv").read_text().splitlines()[1:]:
        system, run, *cells = line.split(",")
        runs.setdefault((system, run), []).append([float(cell) for cell in cells])
    systems: dict[str, list[np.ndarray]] = {}
    for (system, _), rows in runs.items():
        systems.setdefault(system, []).append(np.array(rows))
    return systems


def read_equations(folder: Path = OUTPUTS) -> dict[str, str]:
    """Return the equation of every system in equations.csv."""
    lines = (folder / "equations.csv").read_text().splitlines()[1:]
    return dict(line.split(",") for line in lines)


def write_equations(equations: dict[str, str], folder: Path = OUTPUTS) -> None:
    """Write equations.csv: for every system the acceleration as an expression in x, v and t."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{system},{equation}" for system, equation in sorted(equations.items())]
    (folder / "equations.csv").write_text("\n".join(["system,equation", *lines]) + "\n")
