"""Score a scaffold by how many hidden questions it answers with a small and a larger budget of calls.

The scaffold is read and interpreted, never executed: see ``lab``, which the agent has as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import RejectedError, read_text
from evaluations.base.scoring import ScoreCurve, weighted_sum
from evaluations.scaffold_budgeted_solver.task.lab.language import MOST_BYTES, Scaffold, parse
from evaluations.scaffold_budgeted_solver.task.lab.solver import Solver, Table
from evaluations.scaffold_budgeted_solver.task.lab.trial import Outcome, run
from evaluations.scaffold_budgeted_solver.task.lab.values import ScaffoldError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = "scaffold.txt"
SEED = "vintage-7193"
LEAN_CALLS, RICH_CALLS = 5, 15

LEAN = ScoreCurve(baseline=0.31, reference=0.50, ceiling=0.70)
RICH = ScoreCurve(baseline=0.31, reference=0.84, ceiling=0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """The hidden questions.

    Attributes:
        table: The wines that they are about.
        questions: Texts by id.
        answers: Right answers in the same order.
    """

    table: Table
    questions: Mapping[str, str]
    answers: Sequence[str]


class TaskBenchmark(BaseBenchmark):
    """Accuracy on the hidden questions with 5 and with 15 calls a question."""

    paper_name = "Scaling LLM Test-Time Compute Optimally can be More Effective than Scaling Model Parameters"
    task_name = "scaffold_budgeted_solver"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and the two metrics, or score 0 and what is wrong with the submission."""
        exam = read_exam(Path(self.config.eval_workspace) / self.task_name / "data" / "references")
        try:
            scaffold = read_scaffold(Path(self.config.workspace) / "data" / "outputs" / FILE)
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        return grade(exam, take(exam, scaffold, LEAN_CALLS), take(exam, scaffold, RICH_CALLS))


def take(exam: Exam, scaffold: Scaffold, calls: int) -> Outcome:
    """Try the scaffold on all questions, with so many calls a question in the mean."""
    solver = Solver(exam.table, SEED)
    # With another budget the solver is in luck elsewhere.
    questions = {f"{calls}-{name}": text for name, text in exam.questions.items()}
    return run(scaffold, solver, questions, calls * len(questions))


def grade(exam: Exam, lean: Outcome, rich: Outcome) -> dict[str, Any]:
    """Return the result of the two rounds."""
    lean_accuracy, rich_accuracy = (count_right(exam, outcome) for outcome in (lean, rich))
    score = weighted_sum((0.5, LEAN(lean_accuracy)), (0.5, RICH(rich_accuracy)))
    message = (
        f"Accuracy {lean_accuracy:.4f} with {LEAN_CALLS} calls a question (half of the score), "
        f"{rich_accuracy:.4f} with {RICH_CALLS} (the other half); "
        f"used were {mean_calls(lean):.1f} and {mean_calls(rich):.1f}."
    )
    errors = [*lean.errors, *rich.errors]
    if errors:
        # Without its line, which could tell something of the question.
        said = errors[0].args[0]
        message += f" {len(errors)} of {2 * len(exam.answers)} runs ended in an error, the first: {said}."
    metrics = {"lean_accuracy": lean_accuracy, "rich_accuracy": rich_accuracy}
    return {"score": score, "error": None, "message": message, **metrics}


def count_right(exam: Exam, outcome: Outcome) -> float:
    """Return the share of right answers."""
    return sum(map(str.__eq__, exam.answers, map(str, outcome.answers))) / len(exam.answers)


def mean_calls(outcome: Outcome) -> float:
    """Return how many calls a question took."""
    return sum(outcome.calls) / len(outcome.calls)


def read_exam(references: Path) -> Exam:
    """Return the hidden questions and what they are about."""
    header, *rows = _cells(references / "hidden_wines.csv", ",")
    wines = {name: dict(zip(header[1:], map(float, values), strict=True)) for name, *values in rows}
    _, *questions = _cells(references / "hidden_questions.tsv", "\t")
    return Exam(
        table=Table(wines),
        questions={name: text for name, text, _ in questions},
        answers=[answer for _, _, answer in questions],
    )


def _cells(path: Path, mark: str) -> list[list[str]]:
    return [line.split(mark) for line in path.read_text("utf-8").splitlines()]


def read_scaffold(path: Path) -> Scaffold:
    """Return the scaffold that an agent wrote."""
    try:
        return parse(read_text(path, MOST_BYTES))
    except ScaffoldError as error:
        raise RejectedError(f"{path.name}: {error}") from None
