"""The small network: 196 inputs, 64 rectified hidden units, 10 classes."""

from __future__ import annotations

import numpy as np

INPUTS, HIDDEN, CLASSES = 196, 64, 10


class Network:
    """A multilayer perceptron with one hidden layer, trained by gradient descent with momentum."""

    def __init__(self, rng: np.random.Generator) -> None:
        shapes = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)]
        spreads = [np.sqrt(2 / INPUTS), 0, np.sqrt(1 / HIDDEN), 0]
        self.parameters = [
            rng.normal(0, spread, shape).astype(np.float32)
            for spread, shape in zip(spreads, shapes, strict=True)
        ]
        self.velocity = [np.zeros_like(array) for array in self.parameters]

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return class probabilities (n, 10)."""
        return self._forward(images)[1]

    def step(self, images, targets, weights, learning_rate: float, momentum: float) -> float:
        """Take one step down the cross-entropy of a batch.

        Args:
            images: The batch (n, 196).
            targets: Class probabilities (n, 10) that the network should give.
            weights: What each image counts (n,); the loss is the sum over the images.
            learning_rate: Step size.
            momentum: Share of the last step that is kept.

        Returns:
            The loss before the step.
        """
        w2 = self.parameters[2]
        hidden, probabilities = self._forward(images)
        gradient = (probabilities - targets) * weights[:, None]
        back = (gradient @ w2.T) * (hidden > 0)
        slopes = [images.T @ back, back.sum(0), hidden.T @ gradient, gradient.sum(0)]
        for array, velocity, slope in zip(self.parameters, self.velocity, slopes, strict=True):
            velocity *= momentum
            velocity -= learning_rate * slope
            array += velocity
        losses = -(targets * np.log(np.maximum(probabilities, 1e-12))).sum(1)
        return float(losses @ weights)

    def _forward(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w1, b1, w2, b2 = self.parameters
        hidden = np.maximum(images @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return hidden, powers / powers.sum(1, keepdims=True)
