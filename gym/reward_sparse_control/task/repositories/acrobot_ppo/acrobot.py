"""Many acrobots at once: the equations of gymnasium's Acrobot-v1, with a goal that is hard to come by.

A state is theta1, theta2 (0 hangs down; theta2 is relative to the first link) and their velocities. After each
step it is rounded to six decimals, so that a sequence of actions leads to the same state on every machine.
"""

from __future__ import annotations

import numpy as np

LIMIT = 300
ACTIONS, INPUTS = 3, 6
GRAVITY = 9.8
SECONDS = 0.2
FASTEST = (4 * np.pi, 9 * np.pi)
GOAL_HEIGHT, GOAL_SPEED = 1.8, 1.0
START = 0.3


def draw_starts(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return states (count, 4), drawn as those of the task were."""
    return np.round(rng.uniform(-START, START, (count, 4)), 6)


def step(states: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return the states (n, 4) after 0.2 seconds of torque -1, 0 or 1 for the actions 0, 1 and 2."""
    now, torque = states.T, actions - 1.0
    k1 = _slopes(now, torque)
    k2 = _slopes(now + SECONDS / 2 * k1, torque)
    k3 = _slopes(now + SECONDS / 2 * k2, torque)
    k4 = _slopes(now + SECONDS * k3, torque)
    after = now + SECONDS / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    after[:2] -= 2 * np.pi * np.round(after[:2] / (2 * np.pi))
    for row, fastest in zip(after[2:], FASTEST, strict=True):
        np.clip(row, -fastest, fastest, out=row)
    return (np.rint(after * 1e6) / 1e6).T


def observe(states: np.ndarray) -> np.ndarray:
    """Return what the network sees (n, 6): cosine and sine of both angles, both velocities over 4."""
    theta1, theta2, speed1, speed2 = states.T
    return np.stack(
        [np.cos(theta1), np.sin(theta1), np.cos(theta2), np.sin(theta2), speed1 / 4, speed2 / 4], axis=1
    )


def height(states: np.ndarray) -> np.ndarray:
    """Return how high the tip is above the pivot (n,), -2 to 2."""
    return -np.cos(states[:, 0]) - np.cos(states[:, 0] + states[:, 1])


def stands(states: np.ndarray) -> np.ndarray:
    """Return whether the goal is reached (n,): the tip above 1.8 and both joints slower than 1."""
    slow = (np.abs(states[:, 2:]) < GOAL_SPEED).all(axis=1)
    return slow & (height(states) > GOAL_HEIGHT)


def _slopes(states: np.ndarray, torque: np.ndarray) -> np.ndarray:
    theta1, theta2, speed1, speed2 = states
    cosine, sine = np.cos(theta2), np.sin(theta2)
    d1 = 3.5 + cosine
    d2 = 1.25 + 0.5 * cosine
    phi2 = 0.5 * GRAVITY * np.sin(theta1 + theta2)
    phi1 = -0.5 * speed2 * speed2 * sine - speed2 * speed1 * sine + 1.5 * GRAVITY * np.sin(theta1) + phi2
    push2 = (torque + d2 / d1 * phi1 - 0.5 * speed1 * speed1 * sine - phi2) / (1.25 - d2 * d2 / d1)
    push1 = -(d2 * push2 + phi1) / d1
    return np.stack([speed1, speed2, push1, push2])
