"""Let a policy act, read the given starts and write what is submitted."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from acrobot import LIMIT, observe, stands, step

DATASETS = Path("data/datasets")
OUTPUTS = Path("data/outputs")


def read_starts(folder: Path = DATASETS) -> tuple[list[str], np.ndarray]:
    """Return the ids and the states (n, 4) of the given starts."""
    with (folder / "starts.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=float)


def act(policy, starts: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Let the policy take its most probable action from each start until the goal or 300 steps.

    Args:
        policy: From observations (n, 6) to logits (n, 3).
        starts: States (n, 4).

    Returns:
        The actions of each start as a text of digits, and whether the goal was reached (n,).
    """
    states, going = starts.copy(), np.ones(len(starts), bool)
    texts: list[list[str]] = [[] for _ in starts]
    for _ in range(LIMIT):
        where = np.flatnonzero(going)
        actions = policy(observe(states[where])).argmax(1)
        for index, action in zip(where, actions, strict=True):
            texts[index].append(str(action))
        states[where] = step(states[where], actions)
        going[where] = ~stands(states[where])
        if not going.any():
            break
    return ["".join(text) for text in texts], ~going


def measure(policy, starts: np.ndarray) -> tuple[float, float]:
    """Return the share of the starts from which the goal is reached, and the speed, as the task defines them."""
    texts, reached = act(policy, starts)
    lengths = np.array([len(text) for text in texts])
    return float(reached.mean()), float((reached * (1 - lengths / LIMIT)).mean())


def write_submission(policy, folder: Path = OUTPUTS) -> None:
    """Write policy.csv and actions.csv for the given starts.

    The weights are rounded first, so that the actions are those of the policy as it is written.

    Args:
        policy: A network whose parameters are w1 (6, 32), b1 (32,), w2 (32, 3), b2 (3,).
        folder: Where to write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for array in policy.parameters:
        array[...] = np.round(array, 6)
    with (folder / "policy.csv").open("w") as file:
        file.write("value\n")
        for value in np.concatenate([array.ravel() for array in policy.parameters]):
            file.write(f"{value:.6f}\n")
    names, starts = read_starts()
    with (folder / "actions.csv").open("w") as file:
        file.write("id,actions\n")
        for name, text in zip(names, act(policy, starts)[0], strict=True):
            file.write(f"{name},{text}\n")
