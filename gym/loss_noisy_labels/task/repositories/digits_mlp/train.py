"""Train the network on the noisy labels and write a submission. Run it from the workspace."""

from __future__ import annotations

import argparse
import os

import numpy as np
from losses import CrossEntropy
from network import Network
from tables import read_test, read_train, write_submission

EPOCHS = 300
BATCH = 32
LEARNING_RATE = 0.1
MOMENTUM = 0.9


def fit(images, labels, make_loss, seed: int, epochs: int = EPOCHS, learning_rate: float = LEARNING_RATE):
    """Train a network.

    Args:
        images: Training images (n, 64).
        labels: Their labels (n,).
        make_loss: From the labels to a loss, see losses.py.
        seed: Seed of the initial weights and of the order of the examples.
        epochs: Passes over the training set.
        learning_rate: Step size.

    Returns:
        The trained network.
    """
    rng = np.random.default_rng(seed)
    network, loss = Network(rng), make_loss(labels)
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            network.step(images[batch], lambda p: loss(p, batch, epoch), learning_rate, MOMENTUM)
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("IBENCH_SEED", "0")))
    seed = parser.parse_args().seed
    images, labels = read_train()
    network = fit(images, labels, CrossEntropy, seed)
    ids, test_images = read_test()
    write_submission(ids, network.predict(test_images), network.parameters)
    agreement = (network.predict(images).argmax(1) == labels).mean()
    print(f"agreement with the noisy training labels: {agreement:.3f}; submission written to data/outputs")


if __name__ == "__main__":
    main()
