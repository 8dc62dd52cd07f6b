"""Score a submitted network by its accuracy on hidden digits, clean ones and shifted ones."""

from __future__ import annotations

from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import RejectedError, parse_number, read_lines
from evaluations.base.scoring import ScoreCurve, weighted_sum

INPUTS, HIDDEN, CLASSES = 196, 64, 10
WEIGHTS = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES
LEVELS = 15
LARGEST_WEIGHT = 1e4

CLEAN = ScoreCurve(baseline=0.82, reference=0.94, ceiling=0.98)
SHIFTED = ScoreCurve(baseline=0.36, reference=0.75, ceiling=0.80)

Vector = list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A hidden test image.

    Attributes:
        half: "clean" or "shifted".
        image: Grey levels in [0, 1], row by row.
        label: The digit.
    """

    half: str
    image: Vector
    label: int


class TaskBenchmark(BaseBenchmark):
    """Accuracy of the submitted network on the clean and on the shifted half of the test images."""

    paper_name = "FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence"
    task_name = "augment_few_shot"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and the two metrics, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        outputs = Path(self.config.workspace) / "data" / "outputs"
        try:
            weights = read_model(outputs / "model.csv")
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        examples = read_examples(references / "test.csv")
        return grade(classify([example.image for example in examples], weights), examples)


def grade(answers: list[int], examples: list[Example]) -> dict[str, Any]:
    """Return the result for the digits that the network sees in the examples."""
    clean, shifted = (share_right(answers, examples, half) for half in ("clean", "shifted"))
    score = weighted_sum((0.5, CLEAN(clean)), (0.5, SHIFTED(shifted)))
    message = (
        f"Accuracy {clean:.4f} on the clean half of the test images (half of the score), "
        f"{shifted:.4f} on the shifted half (the other half)."
    )
    return {"score": score, "error": None, "message": message, "clean": clean, "shifted": shifted}


def share_right(answers: list[int], examples: list[Example], half: str) -> float:
    """Return the accuracy on one half of the examples."""
    hits = [
        answer == example.label
        for answer, example in zip(answers, examples, strict=True)
        if example.half == half
    ]
    return sum(hits) / len(hits)


def read_examples(path: Path) -> list[Example]:
    """Return the hidden test images."""
    rows = (line.split(",") for line in path.read_text("utf-8").splitlines()[1:])
    return [
        Example(half=half, image=[int(level, 16) / LEVELS for level in image], label=int(label))
        for half, image, label in rows
    ]


def read_model(path: Path) -> Vector:
    """Return all weights in the order w1, b1, w2, b2."""
    lines = read_lines(path, "value")
    if len(lines) != WEIGHTS:
        raise RejectedError(f"{path.name} has {len(lines)} values instead of {WEIGHTS}")
    values = [parse_number(line, f"{path.name}, line {number}") for number, line in enumerate(lines, start=2)]
    if max(map(abs, values)) > LARGEST_WEIGHT:
        raise RejectedError(f"{path.name} has a weight beyond {LARGEST_WEIGHT:g}")
    return values


def classify(images: list[Vector], weights: Vector) -> list[int]:
    """Return the most probable digit of each image, the first one where several are equal."""
    middle = (INPUTS + 1) * HIDDEN
    first = split_layer(weights[:middle], HIDDEN)
    second = split_layer(weights[middle:], CLASSES)
    answers = []
    for image in images:
        hidden = [max(0.0, sum(map(mul, image, column)) + bias) for column, bias in first]
        logits = [sum(map(mul, hidden, column)) + bias for column, bias in second]
        answers.append(logits.index(max(logits)))
    return answers


def split_layer(weights: Vector, units: int) -> list[tuple[Vector, float]]:
    """Return the incoming weights and the bias of each unit."""
    return [(weights[unit:-units:units], weights[unit - units]) for unit in range(units)]
