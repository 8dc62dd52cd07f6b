"""Replay the submitted actions, and let the submitted policy act from hidden starts.

Nothing of the submission runs. A policy is 323 numbers, and what it does is arithmetic.
"""

from __future__ import annotations

import math
from operator import mul
from pathlib import Path
from typing import Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import MOST_DIGITS, RejectedError, parse_number, read_lines
from evaluations.base.scoring import ScoreCurve, weighted_sum

LIMIT = 300
ACTIONS = "012"
INPUTS, HIDDEN = 6, 32
WEIGHTS = INPUTS * HIDDEN + HIDDEN + HIDDEN * len(ACTIONS) + len(ACTIONS)
LARGEST_WEIGHT = 1e3

GRAVITY = 9.8
SECONDS = 0.2
FASTEST = (4 * math.pi, 9 * math.pi)
GOAL_HEIGHT, GOAL_SPEED = 1.8, 1.0

REACHED = ScoreCurve(baseline=0.05, reference=0.995, ceiling=1.0)
SPEED = ScoreCurve(baseline=0.04, reference=0.55, ceiling=0.65)

Vector = list[float]
State = tuple[float, float, float, float]
Layer = list[tuple[Vector, float]]


class TaskBenchmark(BaseBenchmark):
    """From how many given and hidden starts a policy makes an acrobot stand, and how soon."""

    paper_name = "Policy Invariance Under Reward Transformations: Theory and Application to Reward Shaping"
    task_name = "reward_sparse_control"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and the two metrics, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        outputs = Path(self.config.workspace) / "data" / "outputs"
        given = read_starts(references / "given_starts.csv")
        hidden = read_starts(references / "hidden_starts.csv")
        try:
            actions = read_actions(outputs / "actions.csv", set(given))
            policy = Policy(read_weights(outputs / "policy.csv"))
            lengths = [replay(policy, name, state, actions[name]) for name, state in given.items()]
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        return grade(lengths + [act(policy, state) for state in hidden.values()])


def grade(lengths: list[int | None]) -> dict[str, Any]:
    """Return the result for the steps to the goal from each start, None where it was not reached."""
    reached = sum(length is not None for length in lengths) / len(lengths)
    speed = math.fsum(1 - length / LIMIT for length in lengths if length is not None) / len(lengths)
    score = weighted_sum((0.4, REACHED(reached)), (0.6, SPEED(speed)))
    message = f"Reached {reached:.4f} (40 % of the score), speed {speed:.4f} (60 %)."
    return {"score": score, "error": None, "message": message, "reached": reached, "speed": speed}


class Policy:
    """The submitted network: six inputs, hidden tanh units, a logit for each action."""

    def __init__(self, weights: Vector) -> None:
        middle = (INPUTS + 1) * HIDDEN
        self.first = split_layer(weights[:middle], HIDDEN)
        self.second = split_layer(weights[middle:], len(ACTIONS))

    def choose(self, state: State) -> int:
        """Return the action with the largest logit in a state, the first of several."""
        theta1, theta2, speed1, speed2 = state
        inputs = (
            math.cos(theta1),
            math.sin(theta1),
            math.cos(theta2),
            math.sin(theta2),
            speed1 / 4,
            speed2 / 4,
        )
        hidden = [math.tanh(sum(map(mul, inputs, column)) + bias) for column, bias in self.first]
        logits = [sum(map(mul, hidden, column)) + bias for column, bias in self.second]
        return logits.index(max(logits))


def split_layer(weights: Vector, units: int) -> Layer:
    """Return the incoming weights and the bias of each unit."""
    return [(weights[unit:-units:units], weights[unit - units]) for unit in range(units)]


def act(policy: Policy, state: State) -> int | None:
    """Return after how many steps the policy reaches the goal, None if it does not."""
    for count in range(1, LIMIT + 1):
        state = move(state, policy.choose(state))
        if stands(state):
            return count
    return None


def replay(policy: Policy, name: str, state: State, actions: list[int]) -> int | None:
    """Return after how many steps the actions reach the goal; they are the policy's and end there."""
    for count, action in enumerate(actions, start=1):
        # No tolerance: a network of equal outputs would let any action pass.
        if action != policy.choose(state):
            raise RejectedError(f"action {count} of {name} is not what the network in policy.csv takes")
        state = move(state, action)
        if stands(state):
            if count < len(actions):
                raise RejectedError(f"{name} reaches the goal with action {count}, and more follow")
            return count
    if len(actions) < LIMIT:
        raise RejectedError(f"the {len(actions)} actions of {name} end before the goal and before {LIMIT}")
    return None


def move(state: State, action: int) -> State:
    """Return the state 0.2 seconds later, as gymnasium's Acrobot-v1 has it, rounded to six decimals."""
    torque = action - 1.0
    k1 = slopes(state, torque)
    k2 = slopes(shift(state, SECONDS / 2, k1), torque)
    k3 = slopes(shift(state, SECONDS / 2, k2), torque)
    k4 = slopes(shift(state, SECONDS, k3), torque)
    after = [
        now + SECONDS / 6 * (a + 2 * b + 2 * c + d)
        for now, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True)
    ]
    theta1, theta2 = (angle - 2 * math.pi * round(angle / (2 * math.pi)) for angle in after[:2])
    speed1, speed2 = (max(-most, min(most, s)) for s, most in zip(after[2:], FASTEST, strict=True))
    return (keep(theta1), keep(theta2), keep(speed1), keep(speed2))


def keep(number: float) -> float:
    """Return a number to six decimals, so that a replay is the same on every machine."""
    return round(number * 1e6) / 1e6


def shift(state: State, seconds: float, slope: State) -> State:
    """Return where the slope leads in that time."""
    a, b, c, d = state
    p, q, r, s = slope
    return (a + seconds * p, b + seconds * q, c + seconds * r, d + seconds * s)


def slopes(state: State, torque: float) -> State:
    """Return the derivative of the state: the equations of Sutton and Barto's book."""
    theta1, theta2, speed1, speed2 = state
    cosine, sine = math.cos(theta2), math.sin(theta2)
    d1 = 3.5 + cosine
    d2 = 1.25 + 0.5 * cosine
    phi2 = 0.5 * GRAVITY * math.sin(theta1 + theta2)
    phi1 = -0.5 * speed2 * speed2 * sine - speed2 * speed1 * sine + 1.5 * GRAVITY * math.sin(theta1) + phi2
    push2 = (torque + d2 / d1 * phi1 - 0.5 * speed1 * speed1 * sine - phi2) / (1.25 - d2 * d2 / d1)
    return (speed1, speed2, -(d2 * push2 + phi1) / d1, push2)


def stands(state: State) -> bool:
    """Return whether the tip is high and both joints are slow."""
    theta1, theta2, speed1, speed2 = state
    if max(abs(speed1), abs(speed2)) >= GOAL_SPEED:
        return False
    return -math.cos(theta1) - math.cos(theta1 + theta2) > GOAL_HEIGHT


def read_starts(path: Path) -> dict[str, State]:
    """Return the states of a table of ours by id."""
    starts: dict[str, State] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        name, *cells = line.split(",")
        theta1, theta2, speed1, speed2 = map(float, cells)
        starts[name] = (theta1, theta2, speed1, speed2)
    return starts


def read_actions(path: Path, expected: set[str]) -> dict[str, list[int]]:
    """Return the actions of every given start by its id."""
    actions: dict[str, list[int]] = {}
    for number, line in enumerate(read_lines(path, "id,actions"), start=2):
        place = f"{path.name}, line {number}"
        name, *cells = line.split(",")
        if name not in expected or name in actions:
            reason = "appears twice" if name in actions else "is not the id of a given start"
            raise RejectedError(f"{place}: {name[:MOST_DIGITS]!r} {reason}")
        if len(cells) != 1:
            raise RejectedError(f"{place}: {len(cells) + 1} columns instead of 2")
        actions[name] = parse_actions(cells[0], place)
    if len(actions) < len(expected):
        raise RejectedError(f"{path.name} has {len(actions)} of {len(expected)} given starts")
    return actions


def parse_actions(text: str, place: str) -> list[int]:
    """Return the actions of a start."""
    if not 1 <= len(text) <= LIMIT:
        raise RejectedError(f"{place}: {len(text)} actions; 1 to {LIMIT} are allowed")
    strange = set(text) - set(ACTIONS)
    if strange:
        raise RejectedError(f"{place}: {min(strange)!r} is not one of the actions 0, 1 and 2")
    return [int(action) for action in text]


def read_weights(path: Path) -> Vector:
    """Return all weights in the order w1, b1, w2, b2."""
    lines = read_lines(path, "value")
    if len(lines) != WEIGHTS:
        raise RejectedError(f"{path.name} has {len(lines)} values instead of {WEIGHTS}")
    return [
        parse_number(line, f"{path.name}, line {number}", LARGEST_WEIGHT)
        for number, line in enumerate(lines, start=2)
    ]
