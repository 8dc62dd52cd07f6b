# TEMPLATE: put the code that agents start from here, without the key idea
"""Predict the curve at the test points by the mean of all measurements; start here."""

from __future__ import annotations

import csv
from pathlib import Path

WORKSPACE = Path(__file__).resolve().parents[3]


def main() -> None:
    with (WORKSPACE / "data/datasets/train.csv").open() as file:
        values = [float(row["y"]) for row in csv.DictReader(file)]
    mean = sum(values) / len(values)
    with (WORKSPACE / "data/datasets/test.csv").open() as file:
        lines = [f"{row['id']},{mean:.4f}" for row in csv.DictReader(file)]
    output = WORKSPACE / "data/outputs/predictions.csv"
    output.write_text("\n".join(["id,y", *lines]) + "\n")


if __name__ == "__main__":
    main()
