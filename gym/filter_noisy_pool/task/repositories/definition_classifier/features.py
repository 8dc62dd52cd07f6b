"""Hashed words and pieces of words. Part of the fixed recipe."""

from __future__ import annotations

import re
import zlib

import numpy as np

DIMENSIONS = 4096
PIECE = 4


def hash_text(text: str) -> list[int]:
    """Return the columns that a text switches on; column 0, the constant, is always among them."""
    words = re.findall("[a-z]+", text.lower())
    padded = [f" {word} " for word in words]
    pieces = {"#" + word[i : i + PIECE] for word in padded for i in range(len(word) - PIECE + 1)}
    return sorted({0} | {zlib.crc32(token.encode()) % DIMENSIONS for token in pieces.union(words)})


def featurize(texts: list[str]) -> np.ndarray:
    """Return a matrix (n, DIMENSIONS) whose rows have unit length."""
    matrix = np.zeros((len(texts), DIMENSIONS))
    for row, text in zip(matrix, texts, strict=True):
        columns = hash_text(text)
        row[columns] = len(columns) ** -0.5
    return matrix
