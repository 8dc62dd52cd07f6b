"""Let a policy act, read the given starts and write what is submitted."""

from __future__ import annotations

import csv
import math
from operator import mul
from pathlib import Path

import numpy as np
from acrobot import ACTIONS, INPUTS, LIMIT, observe, stands, step

DATASETS = Path("data/datasets")
OUTPUTS = Path("data/outputs")
HIDDEN = 32


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
    return _follow(lambda states: policy(observe(states)).argmax(1), starts)


def _follow(choose, starts: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Do what `act` does with a function from states (n, 4) to actions (n,)."""
    states, going = starts.copy(), np.ones(len(starts), bool)
    texts: list[list[str]] = [[] for _ in starts]
    for _ in range(LIMIT):
        where = np.flatnonzero(going)
        actions = choose(states[where])
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

    The weights are rounded first, so that the actions are those of the policy as it is written. They are computed
    as the evaluator computes them: where two outputs are equal but for rounding, numpy may take the other one.

    Args:
        policy: A network whose parameters are w1 (6, 32), b1 (32,), w2 (32, 3), b2 (3,).
        folder: Where to write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for array in policy.parameters:
        array[...] = np.round(array, 6)
    lines = [f"{value:.6f}" for value in np.concatenate([array.ravel() for array in policy.parameters])]
    (folder / "policy.csv").write_text("\n".join(["value", *lines]) + "\n")
    written = Written([float(line) for line in lines])
    names, starts = read_starts()
    with (folder / "actions.csv").open("w") as file:
        file.write("id,actions\n")
        for name, text in zip(names, _follow(written.choose, starts)[0], strict=True):
            file.write(f"{name},{text}\n")


class Written:
    """The network of policy.csv, in the evaluator's own arithmetic: slow, and the same to the last bit."""

    def __init__(self, weights: list[float]) -> None:
        middle = (INPUTS + 1) * HIDDEN
        self.first = _split(weights[:middle], HIDDEN)
        self.second = _split(weights[middle:], ACTIONS)

    def choose(self, states: np.ndarray) -> np.ndarray:
        """Return the actions (n,) in states (n, 4)."""
        return np.array([self._choose(*state) for state in states.tolist()])

    def _choose(self, theta1: float, theta2: float, speed1: float, speed2: float) -> int:
        angles = (math.cos(theta1), math.sin(theta1), math.cos(theta2), math.sin(theta2))
        inputs = (*angles, speed1 / 4, speed2 / 4)
        hidden = [math.tanh(sum(map(mul, inputs, column)) + bias) for column, bias in self.first]
        logits = [sum(map(mul, hidden, column)) + bias for column, bias in self.second]
        return logits.index(max(logits))


def _split(weights: list[float], units: int) -> list[tuple[list[float], float]]:
    """Return the incoming weights and the bias of each unit."""
    return [(weights[unit:-units:units], weights[unit - units]) for unit in range(units)]
