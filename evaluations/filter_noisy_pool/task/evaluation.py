"""Score predictions of a model that was trained, by a fixed recipe, on the chosen examples.

Nothing is trained here. The recipe is a system of linear equations, and the agent submits its solution:
whether it solves them is seen by putting it in.
"""

from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import MOST_DIGITS, RejectedError, parse_number, read_lines
from evaluations.base.scoring import ScoreCurve

CLASSES = ["animal", "artifact", "body", "food", "location", "person", "plant", "substance"]
MOST_EXAMPLES = 400
DIMENSIONS = 4096
PIECE = 4
RIDGE = 0.3
LARGEST_COEFFICIENT = 1e3
# The equations hold to within this; the coefficients are then right to within 0.00007, as RIDGE is the
# least eigenvalue of their matrix and there are at most 400.
RESIDUAL_TOLERANCE = 1e-6
TIE_TOLERANCE = 1e-6

ACCURACY = ScoreCurve(baseline=0.465, reference=0.612, ceiling=0.66)

Vector = list[float]
Columns = list[int]


class TaskBenchmark(BaseBenchmark):
    """Accuracy on the test inputs, for a model shown to be the recipe's on at most 400 chosen examples."""

    paper_name = "Confident Learning: Estimating Uncertainty in Dataset Labels"
    task_name = "filter_noisy_pool"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and accuracy, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        outputs = Path(self.config.workspace) / "data" / "outputs"
        pool = {name: (label, text) for name, label, text in read_references(references / "pool.tsv", "\t")}
        texts = dict(read_references(references / "test.tsv", "\t"))
        answers = dict(read_references(references / "test_labels.csv", ","))
        try:
            selection = read_selection(outputs / "selection.csv", set(pool))
            predictions = read_predictions(outputs / "predictions.csv", set(texts))
            weights = check_training(selection, pool)
            check_predictions(predictions, texts, weights)
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        return grade(predictions, answers, len(selection))


def grade(predictions: dict[str, str], answers: dict[str, str], chosen: int) -> dict[str, Any]:
    """Return the result for valid predictions."""
    accuracy = sum(answers[name] == label for name, label in predictions.items()) / len(answers)
    message = f"Accuracy {accuracy:.4f} with {chosen} examples."
    return {"score": ACCURACY(accuracy), "error": None, "message": message, "accuracy": accuracy}


def read_references(path: Path, separator: str) -> list[list[str]]:
    """Return the cells of each line of a table of ours."""
    return [line.split(separator) for line in path.read_text("utf-8").splitlines()[1:]]


def read_table(path: Path, header: list[str], known: set[str], what: str) -> dict[str, tuple[str, list[str]]]:
    """Return, by id, the place of a line for messages and its other cells; ids are known and differ."""
    table: dict[str, tuple[str, list[str]]] = {}
    for number, line in enumerate(read_lines(path, ",".join(header)), start=2):
        place = f"{path.name}, line {number}"
        name, *cells = line.split(",")
        if name not in known or name in table:
            reason = "appears twice" if name in table else f"is not a {what} id"
            raise RejectedError(f"{place}: {name[:MOST_DIGITS]!r} {reason}")
        if len(cells) != len(header) - 1:
            raise RejectedError(f"{place}: {len(cells) + 1} columns instead of {len(header)}")
        table[name] = (place, cells)
    return table


def read_selection(path: Path, pool: set[str]) -> dict[str, Vector]:
    """Return the coefficients of each chosen example by its id."""
    table = read_table(path, ["id", *CLASSES], pool, "pool")
    if not 1 <= len(table) <= MOST_EXAMPLES:
        raise RejectedError(f"{path.name} has {len(table)} examples; 1 to {MOST_EXAMPLES} are allowed")
    return {
        name: [parse_number(cell, place, LARGEST_COEFFICIENT) for cell in cells]
        for name, (place, cells) in table.items()
    }


def read_predictions(path: Path, expected: set[str]) -> dict[str, str]:
    """Return the predicted class of every test id."""
    table = read_table(path, ["id", "label"], expected, "test")
    for place, (label,) in table.values():
        if label not in CLASSES:
            raise RejectedError(f"{place}: {label[:MOST_DIGITS]!r} is not a class")
    if len(table) < len(expected):
        raise RejectedError(f"{path.name} has {len(table)} of {len(expected)} test ids")
    return {name: label for name, (_, (label,)) in table.items()}


def hash_text(text: str) -> Columns:
    """Return the columns that a text switches on, as the recipe does."""
    words = re.findall("[a-z]+", text.lower())
    padded = [f" {word} " for word in words]
    pieces = {"#" + word[i : i + PIECE] for word in padded for i in range(len(word) - PIECE + 1)}
    return sorted({0} | {zlib.crc32(token.encode()) % DIMENSIONS for token in pieces.union(words)})


def check_training(selection: dict[str, Vector], pool: dict[str, tuple[str, str]]) -> list[Vector]:
    """See that the coefficients A solve (X X' + RIDGE I) A = Y; return the weights X' A, a row per class."""
    columns = {name: hash_text(pool[name][1]) for name in selection}
    weights = [[0.0] * DIMENSIONS for _ in CLASSES]
    for name, row in selection.items():
        share = len(columns[name]) ** -0.5
        for weight, coefficient in zip(weights, row, strict=True):
            for column in columns[name]:
                weight[column] += share * coefficient
    for name, row in selection.items():
        scores = score(columns[name], weights)
        target = [float(label == pool[name][0]) for label in CLASSES]
        residual = max(abs(s + RIDGE * a - y) for s, a, y in zip(scores, row, target, strict=True))
        if residual > RESIDUAL_TOLERANCE:
            raise RejectedError(
                f"the coefficients of {name} are not those that the recipe gives for the chosen examples"
            )
    return weights


def score(columns: Columns, weights: list[Vector]) -> Vector:
    """Return what the model says of a text for each class."""
    share = len(columns) ** -0.5
    return [share * math.fsum(map(weight.__getitem__, columns)) for weight in weights]


def check_predictions(predictions: dict[str, str], texts: dict[str, str], weights: list[Vector]) -> None:
    """See that each prediction is the class with the largest score."""
    for name, text in texts.items():
        scores = score(hash_text(text), weights)
        if scores[CLASSES.index(predictions[name])] < max(scores) - TIE_TOLERANCE:
            raise RejectedError(f"the prediction for {name} is not what the model in selection.csv gives")
