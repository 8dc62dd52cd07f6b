"""Score predicted class probabilities for the hidden labels of the digits."""

from __future__ import annotations

import math
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import MOST_DIGITS, RejectedError, parse_number, read_lines
from evaluations.base.scoring import ScoreCurve, weighted_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

CLASSES = 10
INPUTS, HIDDEN = 64, 64
WEIGHTS = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES
LARGEST_WEIGHT = 1e4
SUM_TOLERANCE = 1e-3
MODEL_TOLERANCE = 1e-3

ACCURACY = ScoreCurve(baseline=0.60, reference=0.95, ceiling=0.98)
BRIER = ScoreCurve(baseline=0.67, reference=0.105, ceiling=0.035)

Vector = list[float]


class TaskBenchmark(BaseBenchmark):
    """Accuracy and Brier score on the test images, for probabilities that the submitted network gives."""

    paper_name = "Early-Learning Regularization Prevents Memorization of Noisy Labels"
    task_name = "loss_noisy_labels"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and the two metrics, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        outputs = Path(self.config.workspace) / "data" / "outputs"
        labels = {name: int(cells[0]) for name, cells in read_references(references / "test_labels.csv")}
        images = dict(read_references(references / "test_images.csv"))
        try:
            predictions = read_predictions(outputs / "predictions.csv", set(labels))
            check_model(read_model(outputs / "model.csv"), images, predictions)
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        return grade(predictions, labels)


def grade(predictions: dict[str, Vector], labels: dict[str, int]) -> dict[str, Any]:
    """Return the result for valid predictions."""
    hits = sum(row.index(max(row)) == labels[name] for name, row in predictions.items())
    accuracy = hits / len(labels)
    brier = math.fsum(squared_error(row, labels[name]) for name, row in predictions.items()) / len(labels)
    score = weighted_sum((0.5, ACCURACY(accuracy)), (0.5, BRIER(brier)))
    message = f"Accuracy {accuracy:.4f} (half of the score), Brier score {brier:.4f} (the other half)."
    return {"score": score, "error": None, "message": message, "accuracy": accuracy, "brier": brier}


def squared_error(row: Vector, label: int) -> float:
    """Return the squared distance of the probabilities to the truth, 0-2."""
    return sum((p - (digit == label)) ** 2 for digit, p in enumerate(row))


def read_references(path: Path) -> list[tuple[str, list[str]]]:
    """Return id and the other cells of each line of a table of ours."""
    lines = (line.split(",") for line in path.read_text("utf-8").splitlines()[1:])
    return [(name, cells) for name, *cells in lines]


def read_predictions(path: Path, expected: set[str]) -> dict[str, Vector]:
    """Return the probabilities by test id."""
    header = ",".join(["id", *(f"p{digit}" for digit in range(CLASSES))])
    predictions: dict[str, Vector] = {}
    for number, line in enumerate(read_lines(path, header), start=2):
        place = f"{path.name}, line {number}"
        name, *cells = line.split(",")
        if name not in expected or name in predictions:
            reason = "appears twice" if name in predictions else "is not a test id"
            raise RejectedError(f"{place}: {name[:MOST_DIGITS]!r} {reason}")
        predictions[name] = parse_distribution(cells, place)
    if len(predictions) < len(expected):
        raise RejectedError(f"{path.name} has {len(predictions)} of {len(expected)} test ids")
    return predictions


def parse_distribution(cells: Sequence[str], place: str) -> Vector:
    """Return class probabilities that sum to 1."""
    if len(cells) != CLASSES:
        raise RejectedError(f"{place}: {len(cells)} probabilities instead of {CLASSES}")
    row = [parse_number(cell, place) for cell in cells]
    if min(row) < 0 or abs(sum(row) - 1) > SUM_TOLERANCE:
        raise RejectedError(f"{place}: probabilities must be at least 0 and sum to 1")
    return row


def read_model(path: Path) -> Vector:
    """Return all weights in the order w1, b1, w2, b2."""
    lines = read_lines(path, "value")
    if len(lines) != WEIGHTS:
        raise RejectedError(f"{path.name} has {len(lines)} values instead of {WEIGHTS}")
    values = [parse_number(line, f"{path.name}, line {number}") for number, line in enumerate(lines, start=2)]
    if max(map(abs, values)) > LARGEST_WEIGHT:
        raise RejectedError(f"{path.name} has a weight beyond {LARGEST_WEIGHT:g}")
    return values


def check_model(weights: Vector, images: dict[str, list[str]], predictions: dict[str, Vector]) -> None:
    """See that the predictions are those of the submitted network, which bounds its size."""
    middle = (INPUTS + 1) * HIDDEN
    first = split_layer(weights[:middle], HIDDEN)
    second = split_layer(weights[middle:], CLASSES)
    for name, pixels in images.items():
        image = [int(pixel) / 16 for pixel in pixels]
        hidden = [max(0.0, sum(map(mul, image, column)) + bias) for column, bias in first]
        own = softmax([sum(map(mul, hidden, column)) + bias for column, bias in second])
        if max(abs(p - q) for p, q in zip(own, predictions[name], strict=True)) > MODEL_TOLERANCE:
            raise RejectedError(f"the prediction for {name} is not what the network in model.csv gives")


def split_layer(weights: Vector, units: int) -> list[tuple[Vector, float]]:
    """Return the incoming weights and the bias of each unit."""
    return [(weights[unit:-units:units], weights[unit - units]) for unit in range(units)]


def softmax(logits: Vector) -> Vector:
    """Return probabilities."""
    largest = max(logits)
    powers = [math.exp(logit - largest) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]
