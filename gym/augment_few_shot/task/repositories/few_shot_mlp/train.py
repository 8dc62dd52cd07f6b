"""Train the network on the labelled images alone and write a submission. Run it from the workspace."""

from __future__ import annotations

import argparse
import os

import numpy as np
from network import CLASSES, Network
from tables import read_labelled, write_submission

STEPS = 1000
BATCH = 50
LEARNING_RATE = 0.05
MOMENTUM = 0.9


def fit(images: np.ndarray, labels: np.ndarray, seed: int, steps: int = STEPS) -> Network:
    """Train a network.

    Args:
        images: Training images (n, 196).
        labels: Their labels (n,).
        seed: Seed of the initial weights and of the batches.
        steps: Number of batches.

    Returns:
        The trained network.
    """
    rng = np.random.default_rng(seed)
    network = Network(rng)
    targets = np.eye(CLASSES, dtype=np.float32)[labels]
    weights = np.full(BATCH, 1 / BATCH, dtype=np.float32)
    for _ in range(steps):
        batch = rng.integers(0, len(images), BATCH)
        network.step(images[batch], targets[batch], weights, LEARNING_RATE, MOMENTUM)
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("IBENCH_SEED", "0")))
    seed = parser.parse_args().seed
    images, labels = read_labelled()
    network = fit(images, labels, seed)
    write_submission(network.parameters)
    right = (network.predict(images).argmax(1) == labels).mean()
    print(f"accuracy on the labelled images: {right:.3f}; submission written to data/outputs")


if __name__ == "__main__":
    main()
