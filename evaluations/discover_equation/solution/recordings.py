"""Recordings of one system, as what sparse regression and fits to trajectories need."""

from __future__ import annotations

import numpy as np

SIDE = 5  # points to either side that a smoothed one is made of
HALF, STRIDE, POWER = 20, 4, 4  # test functions: half their width, distance in points, power
LENGTH = 80  # steps of a stretch that is fitted

SCALE = np.arange(-HALF, HALF + 1) / HALF
BUMP = (1 - SCALE**2) ** POWER


class Recordings:
    """Runs of one system: smoothed, integrated against test functions, and cut into stretches.

    Args:
        runs: Rows (t, x, v) of each run.
    """

    def __init__(self, runs: list[np.ndarray]) -> None:
        self.step = runs[0][1, 0] - runs[0][0, 0]
        smoothed = [np.stack([run[:, 0], smooth(run[:, 1]), smooth(run[:, 2])], axis=1) for run in runs]
        self.smoothed = np.concatenate(smoothed)
        self.lengths = [len(run) for run in runs]
        self.noise = estimate_noise(runs, smoothed)
        slope = -2 * POWER * SCALE * (1 - SCALE**2) ** (POWER - 1) / (HALF * self.step)
        # Integration by parts: the derivative of the velocity is never taken.
        self.target = self.integrate(np.concatenate(runs)[:, 2], -slope)
        starts = [(run, at) for run in range(len(runs)) for at in range(0, self.lengths[run] - LENGTH, LENGTH)]
        self.starts = np.array([smoothed[run][at] for run, at in starts])
        self.stretches = np.stack([runs[run][at : at + LENGTH + 1, 1:] for run, at in starts], axis=1)

    def integrate(self, values: np.ndarray, weights: np.ndarray = BUMP) -> np.ndarray:
        """Return the integrals of a function's values over the test functions that lie in a run."""
        parts = np.split(values, np.cumsum(self.lengths)[:-1])
        windows = [np.lib.stride_tricks.sliding_window_view(part, 2 * HALF + 1)[::STRIDE] for part in parts]
        return np.concatenate(windows) @ weights * self.step

    def column(self, term, frequency: float = 0.0) -> np.ndarray:
        """Return the integrals of a term of a library."""
        t, x, v = self.smoothed.T
        return self.integrate(term(x, v, frequency * t) + 0 * x)


def smooth(values: np.ndarray) -> np.ndarray:
    """Return the values of cubic polynomials fitted around each point (Savitzky and Golay 1964)."""
    powers = np.vander(np.arange(-SIDE, SIDE + 1), 4)
    hat = powers @ np.linalg.pinv(powers)
    inner = np.convolve(values, hat[SIDE], "valid")
    return np.concatenate(
        [hat[:SIDE] @ values[: 2 * SIDE + 1], inner, hat[SIDE + 1 :] @ values[-2 * SIDE - 1 :]]
    )


def estimate_noise(runs: list[np.ndarray], smoothed: list[np.ndarray]) -> np.ndarray:
    """Return the standard deviation of the noise of x and v, from what smoothing took away."""
    taken = np.concatenate(runs)[:, 1:] - np.concatenate(smoothed)[:, 1:]
    powers = np.vander(np.arange(-SIDE, SIDE + 1), 4)
    kept = (powers @ np.linalg.pinv(powers))[SIDE, SIDE]
    return np.sqrt((taken**2).mean(axis=0) / (1 - kept))
