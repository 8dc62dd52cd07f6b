"""Read the images and write what is submitted."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

DATASETS = Path("data/datasets")
OUTPUTS = Path("data/outputs")


def read_train(folder: Path = DATASETS) -> tuple[np.ndarray, np.ndarray]:
    """Return the training images (n, 64) in [0, 1] and their partly wrong labels (n,)."""
    rows = _read(folder / "train.csv")
    images = np.array([row[1:65] for row in rows], dtype=float) / 16
    return images, np.array([row[65] for row in rows], dtype=int)


def read_test(folder: Path = DATASETS) -> tuple[list[str], np.ndarray]:
    """Return the ids and images (n, 64) of the test set."""
    rows = _read(folder / "test.csv")
    return [row[0] for row in rows], np.array([row[1:65] for row in rows], dtype=float) / 16


def write_submission(ids, probabilities, parameters, folder: Path = OUTPUTS) -> None:
    """Write predictions.csv and model.csv.

    Args:
        ids: Test ids.
        probabilities: Class probabilities (n, 10).
        parameters: Arrays of the network in the order w1 (64, 64), b1 (64,), w2 (64, 10), b2 (10,).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "predictions.csv").open("w") as file:
        file.write("id," + ",".join(f"p{digit}" for digit in range(10)) + "\n")
        for name, row in zip(ids, probabilities, strict=True):
            file.write(name + "," + ",".join(f"{p:.8f}" for p in row) + "\n")
    with (folder / "model.csv").open("w") as file:
        file.write("value\n")
        for value in np.concatenate([array.ravel() for array in parameters]):
            file.write(f"{value:.9g}\n")


def _read(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]
