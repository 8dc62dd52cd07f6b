"""Benchmarks and tests on disk that measurements run on."""

from __future__ import annotations

import shutil
from pathlib import Path

_CONFIG = """\
from evaluations.base.data_classes import Config


class TaskConfig(Config):
    pass
"""

_EVALUATION = """\
from evaluations.base.base_eval import BaseBenchmark


class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        return {"score": 50.0, "error": None, "message": "fixed"}
"""

_MANIFEST = """\
version: "1.0"
title: A trial
domain: LD
limits: {evals: 3, steps: 100000}
"""


def lay_benchmark(root: Path, tasks: int = 1) -> Path:
    """Write a benchmark of tasks that score every submission alike, and the trial agents.

    Args:
        root: Folder to make.
        tasks: How many.
    """
    root.mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\n")
    shutil.copy(Path(__file__).with_name("agents.py"), root / "conftest.py")
    for number in range(tasks):
        _lay_task(root, f"trial_{number:03}")
    return root


def _lay_task(root: Path, name: str) -> None:
    hidden, visible = root / "evaluations" / name, root / "gym" / name
    _write(hidden / "task.yaml", _MANIFEST)
    _write(hidden / "task" / "config.py", _CONFIG)
    _write(hidden / "task" / "evaluation.py", _EVALUATION)
    _write(visible / "task" / "task_description.md", "# Trial\n\nDo what you like.\n")
    _write(visible / "data" / "outputs" / "answer.txt", "42\n")


def add_dataset(root: Path, size: int) -> None:
    """Give the first task a dataset of ``size`` bytes; sparse, since nothing is to read it."""
    file = root / "gym" / "trial_000" / "data" / "datasets" / "train.bin"
    file.parent.mkdir(parents=True)
    with file.open("wb") as data:
        data.truncate(size)


def lay_tests(root: Path, files: int = 1, each: int = 1) -> Path:
    """Write test files for bare pytest, each with one test for ``each`` parameters."""
    root.mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\n")
    text = f"import pytest\n\n@pytest.mark.parametrize('seed', range({each}))\ndef test(seed):\n    pass\n"
    for number in range(files):
        _write(root / f"test_{number:03}.py", text)
    return root


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
