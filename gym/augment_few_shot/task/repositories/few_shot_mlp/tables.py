"""Read the images and write what is submitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DATASETS = Path("data/datasets")
OUTPUTS = Path("data/outputs")


def read_labelled(folder: Path = DATASETS) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled images (100, 196) in [0, 1] and their labels (100,)."""
    rows = [line.split(",") for line in _read(folder / "labelled.csv")]
    return _decode([image for image, _ in rows]), np.array([int(label) for _, label in rows])


def read_unlabelled(folder: Path = DATASETS) -> np.ndarray:
    """Return the unlabelled images (2400, 196) in [0, 1]."""
    return _decode(_read(folder / "unlabelled.csv"))


def write_submission(parameters, folder: Path = OUTPUTS) -> None:
    """Write model.csv.

    Args:
        parameters: Arrays of the network in the order w1 (196, 64), b1 (64,), w2 (64, 10), b2 (10,).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "model.csv").open("w") as file:
        file.write("value\n")
        for value in np.concatenate([array.ravel() for array in parameters]):
            file.write(f"{value:.6g}\n")


def _read(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def _decode(images: list[str]) -> np.ndarray:
    return np.array([[int(level, 16) for level in image] for image in images], dtype=np.float32) / 15
