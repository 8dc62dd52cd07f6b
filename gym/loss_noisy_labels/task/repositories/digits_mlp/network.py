"""The small network: 64 inputs, 64 rectified hidden units, 10 classes."""

from __future__ import annotations

import numpy as np

INPUTS, HIDDEN, CLASSES = 64, 64, 10


class Network:
    """A multilayer perceptron with one hidden layer, trained by gradient descent with momentum."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.parameters = [
            rng.normal(0, np.sqrt(2 / INPUTS), (INPUTS, HIDDEN)),
            np.zeros(HIDDEN),
            rng.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, CLASSES)),
            np.zeros(CLASSES),
        ]
        self.velocity = [np.zeros_like(array) for array in self.parameters]

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return class probabilities (n, 10)."""
        return self._forward(images)[1]

    def step(self, images, gradient_of, learning_rate: float, momentum: float) -> float:
        """Take one step on a batch.

        Args:
            images: The batch (n, 64).
            gradient_of: From the probabilities (n, 10) to the loss of each example (n,) and its
                gradient with respect to the logits (n, 10).
            learning_rate: Step size.
            momentum: Share of the last step that is kept.

        Returns:
            The mean loss before the step.
        """
        w2 = self.parameters[2]
        hidden, probabilities = self._forward(images)
        losses, gradient = gradient_of(probabilities)
        gradient = gradient / len(images)
        back = (gradient @ w2.T) * (hidden > 0)
        slopes = [images.T @ back, back.sum(0), hidden.T @ gradient, gradient.sum(0)]
        for array, velocity, slope in zip(self.parameters, self.velocity, slopes, strict=True):
            velocity *= momentum
            velocity -= learning_rate * slope
            array += velocity
        return float(losses.mean())

    def _forward(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w1, b1, w2, b2 = self.parameters
        hidden = np.maximum(images @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return hidden, powers / powers.sum(1, keepdims=True)
