"""Make the data of this task from the UCI handwritten digits.

Needs numpy 2.3.5 and scikit-learn 1.9.1, in whose package the digits are. Run it from the root of the
repository: ``python evaluations/loss_noisy_labels/data/make_data.py``. The same seed gives the same files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

SEED = 20180520
TRAIN = 1000
FLIPPED = 400
TO_PARTNER = 0.4
PARTNER = np.array([6, 7, 3, 5, 9, 8, 0, 1, 2, 4])
TASK = "loss_noisy_labels"


def shuffle_and_jitter(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 64) and labels (n,) in a new order, each grey level moved by at most 1."""
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images = digits.data[order].astype(int)
    return np.clip(images + rng.integers(-1, 2, images.shape), 0, 16), digits.target[order]


def flip(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return labels of which `FLIPPED` are wrong: some swapped for the class's partner, the rest for any."""
    noisy = labels.copy()
    chosen = rng.permutation(len(labels))[:FLIPPED]
    anywhere = (labels[chosen] + rng.integers(1, 10, FLIPPED)) % 10
    noisy[chosen] = np.where(rng.random(FLIPPED) < TO_PARTNER, PARTNER[labels[chosen]], anywhere)
    return noisy


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    """Write a table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(header), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Write the agent's and the evaluator's files."""
    rng = np.random.default_rng(SEED)
    images, labels = shuffle_and_jitter(rng)
    noisy = flip(labels[:TRAIN], rng)
    pixels = [f"p{index}" for index in range(64)]
    datasets = Path("gym", TASK, "data", "datasets")
    references = Path("evaluations", TASK, "data", "references")
    train = [[f"train{i:04d}", *images[i], noisy[i]] for i in range(TRAIN)]
    test = [[f"test{i - TRAIN:04d}", *images[i]] for i in range(TRAIN, len(images))]
    write(datasets / "train.csv", ["id", *pixels, "label"], train)
    write(datasets / "test.csv", ["id", *pixels], test)
    write(references / "test_images.csv", ["id", *pixels], test)
    answers = [[row[0], label] for row, label in zip(test, labels[TRAIN:], strict=True)]
    write(references / "test_labels.csv", ["id", "label"], answers)


if __name__ == "__main__":
    main()
