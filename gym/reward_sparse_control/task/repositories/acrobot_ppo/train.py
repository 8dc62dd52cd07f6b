"""Train a policy with the reward of the repository and write a submission. Run it from the workspace."""

from __future__ import annotations

import argparse
import os

import numpy as np
from acrobot import draw_starts
from episodes import measure, write_submission
from learner import learn
from rewards import sparse

EVERY = 50


def report(number: int, policy, goals: int) -> None:
    if number % EVERY == EVERY - 1:
        share, speed = measure(policy, draw_starts(100, np.random.default_rng()))
        print(f"round {number + 1}: {goals} goals in it; of 100 new starts: reached {share:.2f}, speed {speed:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("IBENCH_SEED", "0")))
    policy = learn(sparse, parser.parse_args().seed, report=report)
    write_submission(policy)
    print("submission written to data/outputs")


if __name__ == "__main__":
    main()
