"""Try a scaffold on questions with a budget of calls, which is counted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .interpreter import MOST_STEPS, Walk
from .language import Scaffold
from .solver import Solver
from .values import ScaffoldError, Value

MEAN_STEPS = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a scaffold made of the questions.

    Attributes:
        answers: Its answers in order; None where it had none.
        calls: How many calls it made for each question.
        errors: What went wrong, in the order of the questions.
        steps: How many steps of the interpreter it took.
    """

    answers: tuple[str | None, ...]
    calls: tuple[int, ...]
    errors: tuple[ScaffoldError, ...]
    steps: int


class Meter:
    """Hands the tools to a scaffold, and counts every call until the budget is spent."""

    def __init__(self, solver: Solver, budget: int, questions: int) -> None:
        self.used = 0
        self._solver = solver
        self._budget = budget
        self._waiting = questions
        self._asked: Counter[str] = Counter()
        self._name = ""

    def tools(self, name: str) -> Mapping[str, Callable[..., Value]]:
        """Return the tools for the next question, whose chances are its own."""
        self._name = name
        self._asked.clear()
        self._waiting -= 1
        return {
            "ask": self._ask,
            "verify": self._verify,
            "split": self._split,
            "calls_left": self._calls_left,
            "questions_left": self._questions_left,
        }

    def _ask(self, *values: Value) -> Value:
        (text,) = _texts(values, 1, "ask")
        return self._solver.ask(text, chance) if (chance := self._count(f"ask|{text}")) else None

    def _verify(self, *values: Value) -> Value:
        text, answer = _texts(values, 2, "verify")
        chance = self._count(f"verify|{text}|{answer}")
        return self._solver.verify(text, answer, chance) if chance and answer else None

    def _split(self, *values: Value) -> Value:
        (text,) = _texts(values, 1, "split")
        return self._solver.split(text, chance) if (chance := self._count(f"split|{text}")) else None

    def _calls_left(self) -> int:
        return self._budget - self.used

    def _questions_left(self) -> int:
        return self._waiting

    def _count(self, call: str) -> str | None:
        """Count a call; return what its chance depends on, or None if the budget is spent."""
        if self.used >= self._budget:
            return None
        self.used += 1
        self._asked[call] += 1
        return f"{self._name}|{self._asked[call]}"


def _texts(values: Sequence[Value], count: int, tool: str) -> Sequence[str]:
    if len(values) != count or not all(isinstance(value, str) or value is None for value in values):
        raise ScaffoldError(f"{tool} takes {'a text' if count == 1 else 'a text and an answer'}")
    return ["" if value is None else value for value in values]


def run(scaffold: Scaffold, solver: Solver, questions: Mapping[str, str], budget: int) -> Outcome:
    """Try a scaffold on questions by id, one after the other, with so many calls for all of them.

    They share their steps as well, ``MEAN_STEPS`` a question, so that a trial comes to an end in time.
    """
    most = max(MOST_STEPS, MEAN_STEPS * len(questions))
    steps = 0
    meter = Meter(solver, budget, len(questions))
    answers: list[str | None] = []
    calls: list[int] = []
    errors: list[ScaffoldError] = []
    for name, text in questions.items():
        before = meter.used
        answer: Value = None
        walk = Walk(scaffold, meter.tools(name), min(MOST_STEPS, most - steps))
        try:
            answer = walk.solve(text)
        except ScaffoldError as error:
            errors.append(error)
        steps += walk.steps
        answers.append(answer if isinstance(answer, str) else None)
        calls.append(meter.used - before)
    return Outcome(answers=tuple(answers), calls=tuple(calls), errors=tuple(errors), steps=steps)
