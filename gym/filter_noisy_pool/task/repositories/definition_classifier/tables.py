"""Read the data and write what is submitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DATASETS = Path("data/datasets")
OUTPUTS = Path("data/outputs")
CLASSES = ["animal", "artifact", "body", "food", "location", "person", "plant", "substance"]


def read_pool(folder: Path = DATASETS) -> tuple[list[str], list[str], np.ndarray]:
    """Return ids, texts and labels (n,) of the pool; a label is an index into CLASSES."""
    rows = _read(folder / "pool.tsv")
    return [row[0] for row in rows], [row[2] for row in rows], np.array([CLASSES.index(row[1]) for row in rows])


def read_test(folder: Path = DATASETS) -> tuple[list[str], list[str]]:
    """Return ids and texts of the test set."""
    rows = _read(folder / "test.tsv")
    return [row[0] for row in rows], [row[1] for row in rows]


def write_selection(ids, coefficients, folder: Path = OUTPUTS) -> None:
    """Write selection.csv: the chosen examples and the model trained on them.

    Args:
        ids: Ids of the chosen examples.
        coefficients: What `train.fit` returned for them (n, 8).
    """
    lines = [",".join([name, *(f"{value:.12g}" for value in row)]) for name, row in zip(ids, coefficients, strict=True)]
    _write(folder / "selection.csv", ["id", *CLASSES], lines)


def write_predictions(ids, labels, folder: Path = OUTPUTS) -> None:
    """Write predictions.csv."""
    lines = [f"{name},{CLASSES[label]}" for name, label in zip(ids, labels, strict=True)]
    _write(folder / "predictions.csv", ["id", "label"], lines)


def _read(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()[1:]]


def _write(path: Path, header: list[str], lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(header), *lines]) + "\n")
