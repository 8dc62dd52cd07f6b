"""The reference: forward-corrected cross-entropy with early-learning regularisation.

1. Estimate which labels are taken for which from predictions for held-out examples (confident learning,
   Northcutt et al. 2021).
2. Train with the loss of the corrected predictions (forward correction, Patrini et al. 2017) plus a term
   that holds the network to its own running predictions, which it makes before it memorises wrong labels
   (early-learning regularisation, Liu et al. 2020). The first epochs use plain cross-entropy, or now and
   then two classes share one output for good.
3. Of several such networks, submit the one nearest to their mean on the training images.
"""

from __future__ import annotations

import os
import sys

import numpy as np

sys.path.insert(0, "task/repositories/digits_mlp")

from losses import CrossEntropy
from tables import read_test, read_train, write_submission
from train import fit

CLASSES = 10
FOLDS, REPEATS = 5, 2
EARLY_EPOCHS, EARLY_RATE = 20, 0.02
WARM_UP, STRENGTH, MEMORY = 5, 1.0, 0.9
RESTARTS = 7


class ForwardEarlyLearning:
    """-log(p T)_y + STRENGTH log(1 - <t, p>), with t the running mean of the network's predictions."""

    def __init__(self, labels: np.ndarray, transition: np.ndarray) -> None:
        self.warm_up = CrossEntropy(labels)
        self.likelihoods = transition[:, labels].T
        self.running = np.zeros((len(labels), CLASSES))

    def __call__(self, probabilities, indices, epoch):
        likelihoods = self.likelihoods[indices]
        self.running[indices] = MEMORY * self.running[indices] + (1 - MEMORY) * probabilities
        if epoch < WARM_UP:
            return self.warm_up(probabilities, indices, epoch)
        running = self.running[indices]
        observed = (probabilities * likelihoods).sum(1, keepdims=True)
        room = np.maximum(1 - (running * probabilities).sum(1, keepdims=True), 1e-2)
        losses = -np.log(observed) + STRENGTH * np.log(room)
        slope = -likelihoods / observed - STRENGTH * running / room
        return losses[:, 0], probabilities * (slope - (probabilities * slope).sum(1, keepdims=True))


def predict_held_out(images, labels, seed: int) -> np.ndarray:
    """Return probabilities (n, 10) by networks that saw an example's label neither long nor at all."""
    held_out = np.zeros((len(labels), CLASSES))
    for repeat in range(REPEATS):
        fold = np.random.default_rng([seed, repeat]).permutation(len(labels)) % FOLDS
        for part in range(FOLDS):
            rest, own = fold != part, fold == part
            network = fit(
                images[rest], labels[rest], CrossEntropy, 1000 * seed + 10 * repeat + part, EARLY_EPOCHS, EARLY_RATE
            )
            held_out[own] += network.predict(images[own]) / REPEATS
    return held_out


def estimate_transition(held_out: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return T (10, 10), T[i, j] the share of class i that is labelled j, from the confident joint."""
    thresholds = np.array([held_out[labels == label, label].mean() for label in range(CLASSES)])
    joint = np.full((CLASSES, CLASSES), 0.1)
    for row, label in zip(held_out, labels, strict=True):
        confident = np.flatnonzero(row >= thresholds)
        if len(confident):
            joint[confident[row[confident].argmax()], label] += 1
    return joint / joint.sum(1, keepdims=True)


def fit_typical(images, labels, make_loss, seed: int):
    """Return the network, of several with other seeds, whose predictions are nearest to their mean."""
    networks = [fit(images, labels, make_loss, 1000 * seed + 500 + restart) for restart in range(RESTARTS)]
    predictions = np.array([network.predict(images) for network in networks])
    distances = ((predictions - predictions.mean(0)) ** 2).sum((1, 2))
    return networks[distances.argmin()]


def main() -> None:
    seed = int(os.environ.get("IBENCH_SEED", "0"))
    images, labels = read_train()
    transition = estimate_transition(predict_held_out(images, labels, seed), labels)
    network = fit_typical(images, labels, lambda given: ForwardEarlyLearning(given, transition), seed)
    ids, test_images = read_test()
    write_submission(ids, network.predict(test_images), network.parameters)


if __name__ == "__main__":
    main()
