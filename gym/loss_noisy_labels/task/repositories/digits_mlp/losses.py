"""Losses. Yours goes here."""

from __future__ import annotations

import numpy as np


class CrossEntropy:
    """The plain cross-entropy with the given labels.

    A loss is made once per training with all labels, and may keep what it likes between calls.

    Args:
        labels: The labels of the whole training set (n,), in the order of train.csv.
    """

    def __init__(self, labels: np.ndarray) -> None:
        self.targets = np.eye(10)[labels]

    def __call__(
        self, probabilities: np.ndarray, indices: np.ndarray, epoch: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each example and its gradient with respect to the logits.

        Args:
            probabilities: What the network says of the batch (n, 10).
            indices: Which training examples the batch holds (n,).
            epoch: Passes over the training set so far.
        """
        targets = self.targets[indices]
        losses = -np.log(np.maximum((probabilities * targets).sum(1), 1e-12))
        return losses, probabilities - targets
