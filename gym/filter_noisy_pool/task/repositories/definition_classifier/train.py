"""The fixed recipe: ridge regression on one-hot labels. Run it from the workspace.

Chooses examples (choose.py, or the ids in a file), trains on them and writes a submission.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from choose import choose
from features import featurize
from tables import CLASSES, read_pool, read_test, write_predictions, write_selection

MOST = 400
RIDGE = 0.3


def fit(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the coefficients A (n, 8) that solve (X X' + RIDGE I) A = Y, with Y the one-hot labels.

    The weights of the model are X' A, so a text with features x has the scores x' X' A.

    Args:
        features: X (n, d).
        labels: Indices into CLASSES (n,).
    """
    targets = np.eye(len(CLASSES))[labels]
    return np.linalg.solve(features @ features.T + RIDGE * np.eye(len(labels)), targets)


def score(features: np.ndarray, coefficients: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Return the scores (m, 8) of other texts; the largest is the prediction.

    Args:
        features: Of the examples trained on (n, d).
        coefficients: What `fit` returned for them (n, 8).
        texts: Features of the other texts (m, d).
    """
    return texts @ (features.T @ coefficients)


def submit(chosen: list[int]) -> None:
    """Train on the chosen examples of the pool and write selection.csv and predictions.csv."""
    ids, texts, labels = read_pool()
    test_ids, test_texts = read_test()
    features = featurize([texts[i] for i in chosen])
    coefficients = fit(features, labels[chosen])
    write_selection([ids[i] for i in chosen], coefficients)
    write_predictions(test_ids, score(features, coefficients, featurize(test_texts)).argmax(1))
    print(f"trained on {len(chosen)} examples; submission written to data/outputs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("IBENCH_SEED", "0")))
    parser.add_argument("--ids", type=Path, help="file with the ids to train on, one a line, instead of choose.py")
    options = parser.parse_args()
    ids, texts, labels = read_pool()
    if options.ids:
        chosen = [ids.index(name) for name in options.ids.read_text().split()]
    else:
        chosen = choose(texts, labels, read_test()[1], MOST, options.seed)
    submit(chosen)


if __name__ == "__main__":
    main()
