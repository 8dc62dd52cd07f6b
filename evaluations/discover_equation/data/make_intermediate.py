"""Make the intermediate submission: sparse regression with smoothed derivatives.

What somebody does who knows SINDy (Brunton et al. 2016) and stops there: derivatives by Savitzky and Golay, a
library of polynomials up to the third degree with a sine and a cosine of the frequency that fits best,
sequential thresholding. Needs numpy 2.3.5. Run it in a workspace:
``python .../data/make_intermediate.py``; it writes data/outputs.
"""

from __future__ import annotations

import sys

import numpy as np

sys.path.insert(0, "task/repositories/oscillators")

from fit import write_sum
from tables import read_runs, write_equations

SIDE = 7
THRESHOLD = 0.1
FREQUENCIES = np.arange(0.3, 4.0, 0.02)
POWERS = [(i, j) for i in range(4) for j in range(4 - i)]

Library = dict[str, np.ndarray]


def smooth(values: np.ndarray, derivative: int) -> np.ndarray:
    """Return values or derivatives by time of cubics fitted around each inner point."""
    powers = np.vander(np.arange(-SIDE, SIDE + 1) * 0.05, 4, increasing=True)
    return np.convolve(values, np.linalg.pinv(powers)[derivative][::-1], "valid")


def spell(*powers: int) -> str:
    """Return the monomial of x and v with these powers."""
    factors = [f"{name}**{power}" for name, power in zip("xv", powers, strict=True) if power]
    return "*".join(factors).replace("**1", "") or "1"


def add_drive(library: Library, acceleration: np.ndarray, t: np.ndarray) -> Library:
    """Return the library with a sine and a cosine of the frequency with which it fits best."""
    polynomials = np.stack(list(library.values()), axis=1)

    def misfit(frequency: float) -> float:
        matrix = np.column_stack([polynomials, np.cos(frequency * t), np.sin(frequency * t)])
        rest = acceleration - matrix @ np.linalg.lstsq(matrix, acceleration, rcond=None)[0]
        return float(rest @ rest)

    best = min(FREQUENCIES, key=misfit)
    return library | {f"cos({best:.4g}*t)": np.cos(best * t), f"sin({best:.4g}*t)": np.sin(best * t)}


def find_equation(runs: list[np.ndarray]) -> str:
    """Return a sparse sum of terms."""
    t = np.concatenate([run[SIDE:-SIDE, 0] for run in runs])
    x = np.concatenate([smooth(run[:, 1], 0) for run in runs])
    v = np.concatenate([smooth(run[:, 2], 0) for run in runs])
    acceleration = np.concatenate([smooth(run[:, 2], 1) for run in runs])
    library = add_drive({spell(i, j): x**i * v**j for i, j in POWERS}, acceleration, t)
    matrix, active = np.stack(list(library.values()), axis=1), np.arange(len(library))
    for _ in library:
        coefficients = np.linalg.lstsq(matrix[:, active], acceleration, rcond=None)[0]
        active = active[np.abs(coefficients) >= THRESHOLD]
    coefficients = np.linalg.lstsq(matrix[:, active], acceleration, rcond=None)[0]
    return write_sum({list(library)[k]: value for k, value in zip(active, coefficients, strict=True)})


def main() -> None:
    """Write the submission."""
    write_equations({system: find_equation(runs) for system, runs in read_runs("train").items()})


if __name__ == "__main__":
    main()
