"""Score equations of motion by what they predict outside the range of the data, and by their terms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import RejectedError, read_lines
from evaluations.base.scoring import ScoreCurve, weighted_sum
from evaluations.discover_equation.task.expressions import (
    ExpressionError,
    UndefinedError,
    Vector,
    expand,
    parse,
    total,
)

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping, Sequence

    Points = Sequence[Mapping[str, float]]

HEADER = "system,equation"
MOST_BYTES = 100_000
MOST_DIGITS = 2.5
TERM_TOLERANCE = 0.1
# Far above rounding, far below what tells two terms apart.
SAME = 1e-9
_SHOWN = 40

DIGITS = ScoreCurve(baseline=0.2, reference=1.35, ceiling=2.3)
FORM = ScoreCurve(baseline=0.15, reference=0.7, ceiling=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """An equation that was read.

    Attributes:
        place: Where it stands, for messages.
        tree: Its right-hand side.
    """

    place: str
    tree: ast.expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """How good an equation is.

    Attributes:
        digits: Right digits at the hidden points, 0-2.5.
        form: F1 score of its terms, 0-1.
        is_defined: Whether it has a finite value at all points; if not, the others are 0.
    """

    digits: float
    form: float
    is_defined: bool = True


class TaskBenchmark(BaseBenchmark):
    """Right digits at points outside the range of the data, and right terms, over all systems."""

    paper_name = "SR-Scientist: Scientific Equation Discovery With Agentic AI"
    task_name = "discover_equation"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and the two metrics, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        outputs = Path(self.config.workspace) / "data" / "outputs"
        truth = {name: parse(text) for name, text in read_references(references / "equations.csv")}
        points = read_points(references / "points.csv")
        try:
            equations = read_equations(outputs / "equations.csv", set(truth))
            ratings = {name: rate(equations[name], truth[name], points[name]) for name in truth}
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        return grade(ratings)


def grade(ratings: Mapping[str, Rating]) -> dict[str, Any]:
    """Return the result for valid equations."""
    digits = math.fsum(rating.digits for rating in ratings.values()) / len(ratings)
    form = math.fsum(rating.form for rating in ratings.values()) / len(ratings)
    score = weighted_sum((0.5, DIGITS(digits)), (0.5, FORM(form)))
    message = f"Digits {digits:.3f} (half of the score), form {form:.3f} (the other half)."
    undefined = [name for name, rating in ratings.items() if not rating.is_defined]
    if undefined:
        message += f" Not finite at every hidden point, so 0 in both: {', '.join(undefined)}."
    return {"score": score, "error": None, "message": message, "digits": digits, "form": form}


def rate(equation: Equation, truth: ast.expr, points: Points) -> Rating:
    """Return how near an equation is to the truth."""
    true_terms = expand(truth, points)
    try:
        terms = merge(expand(equation.tree, points))
    except UndefinedError:
        return Rating(digits=0.0, form=0.0, is_defined=False)
    except ExpressionError as error:
        raise RejectedError(f"{equation.place}: {error}") from None
    form = 2 * count_found(true_terms, terms) / (len(true_terms) + len(terms))
    return Rating(digits=count_digits(true_terms, terms), form=form)


def count_digits(true_terms: Sequence[Vector], terms: Sequence[Vector]) -> float:
    """Return how many digits of the values are right, by their root mean square error."""
    true_values = total(true_terms)
    values = total(terms) if terms else [0.0] * len(true_values)
    error = norm(subtract(values, true_values)) / norm(true_values)
    return min(MOST_DIGITS, math.log10(1 / max(min(error, 1.0), 10**-MOST_DIGITS)))


def merge(terms: Sequence[Vector]) -> list[Vector]:
    """Add up terms that are multiples of each other, and leave out what cancels."""
    merged: list[Vector] = []
    largest = max(map(norm, terms))
    for term in terms:
        index = next((i for i, other in enumerate(merged) if is_multiple(term, other)), None)
        if index is None:
            merged.append(term)
        else:
            merged[index] = [a + b for a, b in zip(merged[index], term, strict=True)]
    return [term for term in merged if norm(term) > SAME * largest]


def is_multiple(one: Vector, other: Vector) -> bool:
    """Say whether two terms differ in a factor alone."""
    product = norm(one) * norm(other)
    return product - abs(math.fsum(a * b for a, b in zip(one, other, strict=True))) <= SAME * product


def count_found(true_terms: Sequence[Vector], terms: Sequence[Vector]) -> int:
    """Return how many of the true terms are there, each with a term of its own."""
    left = list(terms)
    for true_term in true_terms:
        allowed = TERM_TOLERANCE * norm(true_term)
        near = [term for term in left if norm(subtract(term, true_term)) <= allowed]
        if near:
            left.remove(min(near, key=lambda term: norm(subtract(term, true_term))))
    return len(terms) - len(left)


def norm(values: Vector) -> float:
    """Return the length of a vector."""
    return math.hypot(*values)


def subtract(one: Vector, other: Vector) -> Vector:
    """Return the difference of two vectors."""
    return [a - b for a, b in zip(one, other, strict=True)]


def read_references(path: Path) -> list[list[str]]:
    """Return the cells of each line of a table of ours."""
    return [line.split(",") for line in path.read_text("utf-8").splitlines()[1:]]


def read_points(path: Path) -> dict[str, list[dict[str, float]]]:
    """Return the hidden points of every system."""
    points: dict[str, list[dict[str, float]]] = {}
    for name, x, v, t in read_references(path):
        points.setdefault(name, []).append({"x": float(x), "v": float(v), "t": float(t)})
    return points


def read_equations(path: Path, expected: set[str]) -> dict[str, Equation]:
    """Return the equation of every system."""
    equations: dict[str, Equation] = {}
    for number, line in enumerate(read_lines(path, HEADER, MOST_BYTES), start=2):
        place = f"{path.name}, line {number}"
        name, _, text = line.partition(",")
        if name not in expected or name in equations:
            reason = "appears twice" if name in equations else "is not a system"
            raise RejectedError(f"{place}: {name[:_SHOWN]!r} {reason}")
        try:
            equations[name] = Equation(place=place, tree=parse(text))
        except ExpressionError as error:
            raise RejectedError(f"{place}: {error}") from None
    if len(equations) < len(expected):
        raise RejectedError(f"{path.name} has {len(equations)} of {len(expected)} systems")
    return equations
