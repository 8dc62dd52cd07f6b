"""A small network (one hidden layer of tanh units) and its optimiser, Adam."""

from __future__ import annotations

import numpy as np

MOST_SLOPE = 0.5


class Network:
    """A multilayer perceptron whose outputs begin near 0."""

    def __init__(self, rng: np.random.Generator, inputs: int, hidden: int, outputs: int) -> None:
        self.parameters = [
            rng.normal(0, np.sqrt(1 / inputs), (inputs, hidden)),
            np.zeros(hidden),
            rng.normal(0, 0.01, (hidden, outputs)),
            np.zeros(outputs),
        ]
        self.means = [np.zeros_like(array) for array in self.parameters]
        self.squares = [np.zeros_like(array) for array in self.parameters]
        self.steps = 0

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs (n, outputs)."""
        return self._hidden(inputs) @ self.parameters[2] + self.parameters[3]

    def descend(self, inputs: np.ndarray, slope: np.ndarray, learning_rate: float) -> None:
        """Take one step of Adam.

        Args:
            inputs: The batch (n, inputs).
            slope: Gradient of the loss with respect to the outputs (n, outputs).
            learning_rate: Step size.
        """
        hidden = self._hidden(inputs)
        back = (slope @ self.parameters[2].T) * (1 - hidden * hidden)
        slopes = [inputs.T @ back, back.sum(0), hidden.T @ slope, slope.sum(0)]
        size = np.sqrt(sum((array * array).sum() for array in slopes))
        self.steps += 1
        rate = learning_rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for array, mean, square, own in zip(
            self.parameters, self.means, self.squares, slopes, strict=True
        ):
            own *= min(1, MOST_SLOPE / (size + 1e-8))
            mean += 0.1 * (own - mean)
            square += 0.001 * (own * own - square)
            array -= rate * mean / (np.sqrt(square) + 1e-8)

    def _hidden(self, inputs: np.ndarray) -> np.ndarray:
        return np.tanh(inputs @ self.parameters[0] + self.parameters[1])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities (n, outputs)."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
