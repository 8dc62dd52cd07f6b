"""Find an equation for each system and write a submission. Yours goes here. Run it from the workspace."""

from __future__ import annotations

import argparse

import numpy as np
from tables import read_runs, write_equations


def find_equation(runs: list[np.ndarray]) -> str:
    """Return the acceleration as an expression; here, whatever linear function fits best.

    Args:
        runs: Recordings of one system, each with rows (t, x, v).
    """
    t, x, v = (np.concatenate(column) for column in zip(*(run.T for run in runs), strict=True))
    # The velocities are noisy, and their differences much more so.
    acceleration = np.concatenate([np.gradient(run[:, 2], run[:, 0]) for run in runs])
    library = {"1": np.ones_like(t), "x": x, "v": v}
    matrix = np.stack(list(library.values()), axis=1)
    coefficients = np.linalg.lstsq(matrix, acceleration, rcond=None)[0]
    return write_sum(dict(zip(library, coefficients, strict=True)))


def write_sum(coefficients: dict[str, float]) -> str:
    """Return a sum of terms as text, from their coefficients."""
    terms = [f"{value:.6g}*{term}" for term, value in coefficients.items() if value]
    return " + ".join(terms).replace("+ -", "- ") or "0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    equations = {system: find_equation(runs) for system, runs in read_runs("train").items()}
    write_equations(equations)
    for system, equation in equations.items():
        print(f"{system}: {equation}")
    print("submission written to data/outputs")


if __name__ == "__main__":
    main()
