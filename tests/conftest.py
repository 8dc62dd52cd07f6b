"""What tests share: a home of their own and benchmarks small enough to look at."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFIG = """
from evaluations.base.data_classes import Config

class TaskConfig(Config):
    pass
"""

# Scores what the agent wrote into score.txt, so that a test says what an attempt is worth.
EVALUATION = """
from pathlib import Path

from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        file = Path(self.config.workspace) / "data/outputs/score.txt"
        if not file.exists():
            return {"score": 0, "error": "score.txt is missing", "message": None}
        return {"score": float(file.read_text()), "error": None, "message": "read score.txt"}
"""

DESCRIPTION = """
# Task

Write a number into /workspace/data/outputs/score.txt.
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A benchmark in a folder of a test's own."""

    root: Path

    def write(self, path: str, text: str, *, mode: int = 0o644) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        file.chmod(mode)
        return file

    def add_task(
        self,
        name: str = "toy",
        *,
        manifest: str | None = "domain: LD",
        evaluation: str = EVALUATION,
        solution: str | None = "echo 75 > data/outputs/score.txt",
        baseline: str | None = "0",
        hint: str | None = None,
    ) -> None:
        self.write(f"evaluations/{name}/task/config.py", CONFIG)
        self.write(f"evaluations/{name}/task/evaluation.py", evaluation)
        self.write(f"gym/{name}/task/task_description.md", DESCRIPTION)
        if manifest is not None:
            self.write(f"evaluations/{name}/task.yaml", manifest)
        if solution is not None:
            self.write(f"evaluations/{name}/solution/run.sh", solution)
        if baseline is not None:
            self.write(f"evaluations/{name}/data/baselines/score.txt", baseline)
        if hint is not None:
            self.write(f"evaluations/{name}/hint.md", hint)


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty benchmark."""
    root = tmp_path / "benchmark"
    root.mkdir()
    return Tree(root)
