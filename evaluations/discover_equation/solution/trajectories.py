"""Fit the constants of an equation to whole stretches of trajectories (multiple shooting)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from recordings import LENGTH, Recordings

CHANGE = 1e-5
ROUNDS = 8
FURTHEST = 1e2


@dataclass(frozen=True)
class Model:
    """A fitted equation.

    Attributes:
        terms: Functions (x, v, frequency * t) by name.
        constants: Their coefficients, and the frequency behind them (p + 1,).
        starts: Fitted x and v at the start of each stretch (n, 2).
        misfit: Sum of squares of deviations over noise.
        errors: Standard errors of the constants.
    """

    terms: dict
    constants: np.ndarray
    starts: np.ndarray
    misfit: float
    errors: np.ndarray


def simulate(terms, constants: np.ndarray, starts: np.ndarray, times: np.ndarray, step: float) -> np.ndarray:
    """Return x and v (LENGTH + 1, k, n, 2) for k sets of constants (k, p + 1) and starts (k, n, 2)."""
    functions = list(terms.values())
    weights = [column[:, None] for column in constants.T]
    state = starts
    states = [state]

    def slope(at: np.ndarray, time: np.ndarray) -> np.ndarray:
        x, v, angle = at[..., 0], at[..., 1], weights[-1] * time
        acceleration = sum(weight * f(x, v, angle) for weight, f in zip(weights, functions)) + 0 * x
        return np.stack([v, acceleration], axis=-1)

    for number in range(LENGTH):
        t = times + number * step
        first = slope(state, t)
        second = slope(state + step / 2 * first, t + step / 2)
        third = slope(state + step / 2 * second, t + step / 2)
        fourth = slope(state + step * third, t + step)
        state = np.clip(state + step / 6 * (first + 2 * second + 2 * third + fourth), -FURTHEST, FURTHEST)
        states.append(state)
    return np.array(states)


def refine(data: Recordings, terms: dict, constants: np.ndarray, starts: np.ndarray) -> Model:
    """Return the least-squares fit to the stretches by Levenberg's and Marquardt's method."""
    damping, misfit = 1e-6, measure(data, terms, constants, starts)
    for _ in range(ROUNDS):
        residuals, slopes = linearise(data, terms, constants, starts)
        before = misfit
        while True:
            step, moves, curvature = solve(residuals, slopes, damping)
            trial = measure(data, terms, constants + step, starts + moves)
            if trial < misfit or damping > 1e3:
                break
            damping = max(damping, 1e-4) * 10
        if trial >= misfit:
            break
        constants, starts, misfit, damping = constants + step, starts + moves, trial, damping / 10
        if before - misfit < 0.01:
            break
    errors = np.sqrt(np.diag(np.linalg.pinv(curvature)))
    return Model(terms, constants, starts, misfit, errors)


def measure(data: Recordings, terms: dict, constants: np.ndarray, starts: np.ndarray) -> float:
    """Return the sum of squares of deviations over noise."""
    states = simulate(terms, constants[None], starts[None], data.starts[:, 0], data.step)[:, 0]
    return float((((data.stretches - states) / data.noise) ** 2).sum())


def linearise(data: Recordings, terms: dict, constants: np.ndarray, starts: np.ndarray):
    """Return, of each stretch, the deviations (n, m) and their slopes (n, m, p + 3), by differences."""
    count = len(constants)
    varied = np.tile(constants, (count + 3, 1))
    varied[1 : count + 1] += CHANGE * np.eye(count)
    begins = np.tile(starts, (count + 3, 1, 1))
    begins[count + 1, :, 0] += CHANGE
    begins[count + 2, :, 1] += CHANGE
    states = simulate(terms, varied, begins, data.starts[:, 0], data.step) / data.noise
    flat = np.moveaxis(states, 2, 0).swapaxes(2, 3).reshape(len(starts), -1, count + 3)
    measured = np.moveaxis(data.stretches / data.noise, 1, 0).reshape(len(starts), -1)
    return measured - flat[:, :, 0], (flat[:, :, 1:] - flat[:, :, :1]) / CHANGE


def solve(residuals: np.ndarray, slopes: np.ndarray, damping: float):
    """Return the step of the constants, the moves of the starts, and the curvature.

    The starts are eliminated stretch by stretch, which leaves a small system for the constants.
    """
    own, shared = slopes[:, :, -2:], slopes[:, :, :-2]
    basis = np.linalg.qr(own)[0]
    rest = shared - basis @ (basis.swapaxes(1, 2) @ shared)
    curvature = np.einsum("nmp,nmq->pq", rest, rest)
    pull = np.einsum("nmp,nm->p", rest, residuals)
    damped = curvature + damping * np.diag(np.diag(curvature)) + 1e-9 * np.eye(len(pull))
    step = np.linalg.solve(damped, pull)
    left = residuals - shared @ step
    moves = np.linalg.pinv(own) @ left[:, :, None]
    return step, moves[:, :, 0], curvature
