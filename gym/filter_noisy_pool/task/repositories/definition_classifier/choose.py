"""Which examples to train on. Yours goes here."""

from __future__ import annotations

import numpy as np


def choose(texts: list[str], labels: np.ndarray, test_texts: list[str], most: int, seed: int) -> list[int]:
    """Return indices of at most `most` examples of the pool; here, any.

    Args:
        texts: The pool.
        labels: Its labels, partly wrong, as indices into CLASSES.
        test_texts: The test inputs.
        most: Examples that may be chosen.
        seed: Seed of what is random.
    """
    return np.random.default_rng(seed).choice(len(texts), most, replace=False).tolist()
