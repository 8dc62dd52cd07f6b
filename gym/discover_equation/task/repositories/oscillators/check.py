"""Rate the equations in data/outputs on the development runs. Run it from the workspace.

Each development run is cut into stretches of two seconds. From the measured state at its start a stretch is
predicted with the equation and compared with what was measured: an error of 1 is as bad as the mean. As the
start is noisy too, a right equation has an error of 0.05 to 0.12, not 0. All of this is within the range of
the data; it says little of what an equation does beyond.
"""

from __future__ import annotations

import argparse
import re

import numpy as np
from language import compile_equation
from tables import read_equations, read_runs

STRETCH = 40


def predict(acceleration, states: np.ndarray, step: float, steps: int) -> np.ndarray:
    """Return predicted x and v (steps, n, 2) by the classical Runge-Kutta method.

    Args:
        acceleration: Function (x, v, t).
        states: Rows (t, x, v) at the start (n, 3).
        step: Seconds between two measurements.
        steps: How many to predict.
    """
    predicted = []

    def slope(state: np.ndarray) -> np.ndarray:
        t, x, v = state.T
        return np.stack([np.ones_like(t), v, acceleration(x, v, t)], axis=1)

    for _ in range(steps):
        first = slope(states)
        second = slope(states + step / 2 * first)
        third = slope(states + step / 2 * second)
        fourth = slope(states + step * third)
        states = states + step / 6 * (first + 2 * second + 2 * third + fourth)
        predicted.append(states[:, 1:])
    return np.array(predicted)


def rate(equation: str, runs: list[np.ndarray]) -> float:
    """Return the error of an equation: root mean square over that of the deviations from the mean."""
    starts = np.concatenate([run[:-STRETCH:STRETCH] for run in runs])
    cuts = [run[i + 1 : i + 1 + STRETCH, 1:] for run in runs for i in range(0, len(run) - STRETCH, STRETCH)]
    measured = np.stack(cuts, axis=1)
    step = runs[0][1, 0] - runs[0][0, 0]
    spread = np.concatenate(runs)[:, 1:].std(axis=0)
    with np.errstate(all="ignore"):
        predicted = predict(compile_equation(equation), starts, step, STRETCH)
        error = np.sqrt((((predicted - measured) / spread) ** 2).mean())
    return float(error) if np.isfinite(error) else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    equations = read_equations()
    for system, runs in read_runs("dev").items():
        equation = equations[system]
        numbers = len(re.findall(r"(?<![\w.])\d", equation))
        print(f"{system}: error {rate(equation, runs):.3f}, {numbers} numbers, {len(equation)} characters")


if __name__ == "__main__":
    main()
