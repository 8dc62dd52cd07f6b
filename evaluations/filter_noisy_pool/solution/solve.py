"""The reference: three published filters, one after the other.

1. Near duplicates: of examples that share most of their features, keep one (Broder 1997; Lee et al. 2022).
2. Off-topic and garbled texts: drop those that look least like the test inputs, by the ratio of hashed
   n-gram frequencies (DSIR, Xie et al. 2023).
3. Wrong labels: keep, per class, the examples of whose given label held-out predictions are surest (confident
   learning, Northcutt et al. 2021), twice, the second time with models trained on what was left.

Nothing in it is random.
"""

from __future__ import annotations

import sys

import numpy as np

sys.path.insert(0, "task/repositories/definition_classifier")

from features import featurize
from tables import CLASSES, read_pool, read_test
from train import MOST, RIDGE, submit

OVERLAP = 0.5
ON_TOPIC = 0.85
SECOND_ROUND = 600
TEMPERATURE = 0.1


def drop_duplicates(features: np.ndarray) -> np.ndarray:
    """Return indices of examples no two of which have a Jaccard similarity above OVERLAP."""
    sets = (features > 0).astype(float)
    shared, sizes = sets @ sets.T, sets.sum(1)
    similar = shared / (sizes[:, None] + sizes - shared) > OVERLAP
    kept: list[int] = []
    for index, row in enumerate(similar):
        if not row[kept].any():
            kept.append(index)
    return np.array(kept)


def rate_topic(features: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the mean log ratio of target to pool frequency over the features of each example."""
    sets = features > 0
    here, there = sets.sum(0) + 1, (target > 0).sum(0) + 1
    weights = np.log(there / there.sum()) - np.log(here / here.sum())
    return sets @ weights / sets.sum(1)


def rate_labels(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how sure models trained without an example are of its label.

    Ridge regression gives what a model would say of an example left out without training it again.
    """
    targets = np.eye(len(CLASSES))[labels]
    inverse = np.linalg.inv(features @ features.T + RIDGE * np.eye(len(labels)))
    scores = targets - inverse @ targets / np.diag(inverse)[:, None]
    powers = np.exp((scores - scores.max(1, keepdims=True)) / TEMPERATURE)
    return powers[np.arange(len(labels)), labels] / powers.sum(1)


def take_best(ratings: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return indices of the best rated, as many of each class where there are enough."""
    order = np.argsort(-ratings, kind="stable")
    rank = np.empty(len(labels), dtype=int)
    for label in range(len(CLASSES)):
        own = order[labels[order] == label]
        rank[own] = np.arange(len(own))
    quota = count // len(CLASSES)
    return sorted(order, key=lambda index: rank[index] >= quota)[:count]


def choose(texts, labels, test_texts, most: int) -> np.ndarray:
    """Return indices of the examples to train on."""
    features = featurize(texts)
    kept = drop_duplicates(features)
    topic = rate_topic(features[kept], featurize(test_texts))
    kept = kept[np.argsort(-topic, kind="stable")[: int(ON_TOPIC * len(kept))]]
    ratings = rate_labels(features[kept], labels[kept])
    kept = kept[np.argsort(-ratings, kind="stable")[:SECOND_ROUND]]
    ratings = rate_labels(features[kept], labels[kept])
    return kept[take_best(ratings, labels[kept], most)]


def main() -> None:
    _, texts, labels = read_pool()
    submit(choose(texts, labels, read_test()[1], MOST).tolist())


if __name__ == "__main__":
    main()
