"""A benchmark repository on disk with one task, and what tests do with it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.evaluation.evaluator import evaluate
from pytest_innovatorbench.evaluation.model import Caps, Submission
from pytest_innovatorbench.evaluation.submission import freeze
from pytest_innovatorbench.evaluation.target import EvaluationTarget
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from pytest_innovatorbench.evaluation.model import Evaluation
    from pytest_innovatorbench.sandbox.model import Sandbox

TASK = "weigh_atoms"
PYTHON = Path(os.path.realpath(sys.executable))
CONFIG = """
from evaluations.base.data_classes import Config

class TaskConfig(Config):
    pass
"""


@dataclass
class Repository:
    root: Path
    sandbox: Sandbox

    def __post_init__(self) -> None:
        self.write(f"evaluations/{TASK}/task/config.py", CONFIG)
        self.write(f"evaluations/{TASK}/data/references/labels.txt", "gold")
        self.write(f"gym/{TASK}/data/datasets/train.txt", "ore")
        (self.root / "scratch").mkdir()
        (self.root / "agent/data/outputs").mkdir(parents=True)

    @property
    def outputs(self) -> Path:
        return self.root / "agent/data/outputs"

    def write(self, path: str, content: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(content))
        return file

    def runs(self, body: str, *, imports: str = "") -> None:
        """Write an evaluator whose class has the methods in ``body``."""
        head = f"from evaluations.base.base_eval import BaseBenchmark\n{dedent(imports)}\n"
        methods = "".join(f"    {line}\n" for line in dedent(body).splitlines())
        self.write(
            f"evaluations/{TASK}/task/evaluation.py", f"{head}class TaskBenchmark(BaseBenchmark):\n{methods}"
        )

    def returns(self, expression: str, *, imports: str = "") -> None:
        """Write an evaluator whose ``run_1`` returns an expression."""
        self.runs(f"def run_1(self):\n    return {expression}", imports=imports)

    def does(self, statements: str, *, imports: str = "import os, sys, time") -> None:
        """Write an evaluator whose ``run_1`` does something and then scores 50."""
        lines = "".join(f"    {line}\n" for line in dedent(statements).strip().splitlines())
        self.runs(f"def run_1(self):\n{lines}    return {{'score': 50}}", imports=imports)

    def target(self, **changes: Any) -> EvaluationTarget:
        plain = EvaluationTarget(
            task_id=TASK,
            evaluations=self.root / "evaluations",
            gym=self.root / "gym" / TASK,
            python=PYTHON,
            time_limit=30,
            memory=2**30,
        )
        return replace(plain, **changes)

    def submit(self, caps: Caps = Caps()) -> Submission:  # noqa: B008 - frozen
        return freeze(walk_layers([self.root / "agent"], "data/outputs"), self.root / "submission.tar", caps)

    def evaluate(self, **changes: Any) -> Evaluation:
        return evaluate(
            self.target(**changes), self.submit(), sandbox=self.sandbox, scratch=self.root / "scratch"
        )
