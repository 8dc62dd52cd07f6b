"""Make the intermediate submission: supervised training on labelled images that are warped a little.

What somebody does who knows data augmentation and stops there: no use of the unlabelled images, and warps
that leave digits as they might be in the data at hand. Needs numpy 2.3.5. Run it in a workspace:
``python .../data/make_intermediate.py``; it writes data/outputs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, "task/repositories/few_shot_mlp")
sys.path.insert(0, str(Path(__file__).parents[1] / "solution"))

from network import CLASSES, Network
from solve import Strength, warp
from tables import read_labelled, write_submission

STEPS, BATCH = 4000, 50
LEARNING_RATE, MOMENTUM = 0.05, 0.9
NOISE = 0.1
MODERATE = Strength(turn=15, slant=0.2, scale=0.15, move=1)


def main() -> None:
    """Train and write the submission."""
    rng = np.random.default_rng(0)
    images, labels = read_labelled()
    network, one_hot = Network(rng), np.eye(CLASSES, dtype=np.float32)
    weights = np.full(BATCH, 1 / BATCH, dtype=np.float32)
    for step in range(STEPS):
        batch = rng.integers(0, len(images), BATCH)
        noise = rng.normal(0, NOISE, (BATCH, images.shape[1])).astype(np.float32)
        varied = np.clip(warp(images[batch], MODERATE, rng) + noise, 0, 1)
        rate = LEARNING_RATE * (1 - step / STEPS)
        network.step(varied, one_hot[labels[batch]], weights, rate, MOMENTUM)
    write_submission(network.parameters)


if __name__ == "__main__":
    main()
