"""Rewards. Yours goes here."""

from __future__ import annotations

import numpy as np


def sparse(before: np.ndarray, after: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """Return 1 where the goal was reached, and else nothing.

    A reward is a function of one step of each of n acrobots; acrobot.py says what is in a state. An episode ends
    where the goal is reached. One that is cut off after 300 steps has no end for the learner: it adds what the
    critic expects of the last state.

    Args:
        before: States before the step (n, 4).
        after: States after it (n, 4).
        reached: Whether the goal is reached after it (n,).

    Returns:
        The rewards (n,). The learner discounts them by `DISCOUNT` in learner.py.
    """
    return reached.astype(float)
