"""The reference: FixMatch (Sohn et al. 2020) with augmentations for handwriting.

Each batch has labelled and unlabelled images. An unlabelled image is seen twice: weakly augmented, to read a
pseudo-label from it, which counts if the network is sure; strongly augmented, to learn that label from. The
network's predictions are first divided by how often it predicts each digit (distribution alignment, Berthelot
et al. 2020). Half of the labelled images are augmented strongly, too. The submitted weights are a running mean.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import numpy as np

sys.path.insert(0, "task/repositories/few_shot_mlp")

from network import CLASSES, Network
from tables import read_labelled, read_unlabelled, write_submission

STEPS = 4000
LABELLED, UNLABELLED = 32, 160
LEARNING_RATE, MOMENTUM, MEMORY = 0.1, 0.9, 0.995
THRESHOLD = 0.95
SIDE, PADDED = 14, 17
CENTRE = (SIDE - 1) / 2
GRID = np.stack(np.meshgrid(*[np.arange(SIDE) - CENTRE] * 2, indexing="ij")).reshape(2, -1).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """How far images may be warped at most: degrees, slant, logarithm of the scale, pixels."""

    turn: float
    slant: float
    scale: float
    move: float


WEAK = Strength(turn=8, slant=0.1, scale=0.08, move=0.7)
STRONG = Strength(turn=30, slant=0.25, scale=0.2, move=1.5)


def warp(images: np.ndarray, strength: Strength, rng: np.random.Generator) -> np.ndarray:
    """Turn, slant, stretch and move each image (n, 196), by bilinear interpolation."""
    count = len(images)
    angle = np.deg2rad(rng.uniform(-strength.turn, strength.turn, count))
    slant = rng.uniform(-strength.slant, strength.slant, count)
    high, wide = np.exp(rng.uniform(-strength.scale, strength.scale, (2, count)))
    cos, sin = np.cos(angle), np.sin(angle)
    maps = np.stack([[cos * high, cos * slant - sin * wide], [sin * high, sin * slant + cos * wide]])
    moves = rng.uniform(-strength.move, strength.move, (count, 2, 1))
    places = maps.transpose(2, 0, 1).astype(np.float32) @ GRID + moves.astype(np.float32) + (CENTRE + 1)
    return interpolate(images, np.clip(places, 0, PADDED - 2))


def interpolate(images: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the grey levels (n, 196) at places (n, 2, 196), 0 outside of the image."""
    padded = np.zeros((len(images), PADDED, PADDED), np.float32)
    padded[:, 1 : SIDE + 1, 1 : SIDE + 1] = images.reshape(-1, SIDE, SIDE)
    flat, low = padded.ravel(), places.astype(np.int32)
    down, right = (places - low).transpose(1, 0, 2)
    corner = low[:, 0] * PADDED + low[:, 1] + np.arange(len(images), dtype=np.int32)[:, None] * PADDED**2
    upper, lower = flat[corner], flat[corner + PADDED]
    upper += (flat[corner + 1] - upper) * right
    lower += (flat[corner + PADDED + 1] - lower) * right
    return upper + (lower - upper) * down


def change_strokes(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make strokes thicker or thinner, by up to half of the way to the largest or least neighbour."""
    padded = np.pad(images.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    places = ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1))
    around = np.stack([padded[:, i : i + SIDE, j : j + SIDE].reshape(images.shape) for i, j in places])
    amount = rng.uniform(-0.5, 0.5, (len(images), 1)).astype(np.float32)
    return images + amount * np.where(amount > 0, around.max(0) - images, images - around.min(0))


def soil(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pale the ink, darken the paper, and add noise, by other amounts for each image."""
    ink, paper, noise = rng.uniform([[0.5], [0], [0]], [[1], [0.25], [0.15]], (3, len(images))).astype(np.float32)
    spread = noise[:, None] * rng.standard_normal(images.shape, dtype=np.float32)
    return np.clip(paper[:, None] + (ink * (1 - paper))[:, None] * images + spread, 0, 1)


def augment_weakly(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what surely shows the same digits."""
    return warp(images, WEAK, rng)


def augment_strongly(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what may just be read."""
    return soil(warp(change_strokes(images, rng), STRONG, rng), rng)


class PseudoLabels:
    """Labels that the network gives itself, and how often it predicts each digit."""

    def __init__(self) -> None:
        self.frequencies = np.full(CLASSES, 1 / CLASSES, np.float32)

    def read(self, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return labels (n,) and whether each is sure enough to learn from (n,)."""
        self.frequencies = 0.99 * self.frequencies + 0.01 * probabilities.mean(0)
        aligned = probabilities / self.frequencies
        aligned /= aligned.sum(1, keepdims=True)
        return aligned.argmax(1), aligned.max(1) >= THRESHOLD


def fit(images: np.ndarray, labels: np.ndarray, pool: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return the running mean of the parameters of a network trained by FixMatch."""
    rng = np.random.default_rng(seed)
    network, pseudo = Network(rng), PseudoLabels()
    means = [array.copy() for array in network.parameters]
    one_hot = np.eye(CLASSES, dtype=np.float32)
    for step in range(STEPS):
        some, others = rng.integers(0, len(images), LABELLED), rng.integers(0, len(pool), UNLABELLED)
        guesses, sure = pseudo.read(network.predict(augment_weakly(pool[others], rng)))
        batch = [
            augment_weakly(images[some[::2]], rng),
            augment_strongly(images[some[1::2]], rng),
            augment_strongly(pool[others], rng),
        ]
        given = np.concatenate([labels[some[::2]], labels[some[1::2]], guesses])
        weights = np.concatenate([np.full(LABELLED, 1 / LABELLED), sure / UNLABELLED]).astype(np.float32)
        rate = LEARNING_RATE * np.cos(7 * np.pi * step / 16 / STEPS)
        network.step(np.concatenate(batch), one_hot[given], weights, rate, MOMENTUM)
        memory = min(MEMORY, (1 + step) / (10 + step))
        for mean, array in zip(means, network.parameters, strict=True):
            mean += (1 - memory) * (array - mean)
    return means


def main() -> None:
    seed = int(os.environ.get("IBENCH_SEED", "0"))
    images, labels = read_labelled()
    write_submission(fit(images, labels, read_unlabelled(), seed))


if __name__ == "__main__":
    main()
