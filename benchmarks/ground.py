"""Benchmarks and tests on disk that measurements run on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

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


def lay_good_tasks(root: Path, count: int) -> Path:
    """Make tasks that keep every rule: new ones, with nothing left of their template."""
    from pytest_innovatorbench.authoring.answers import QUESTIONS, answer  # noqa: PLC0415 - for these alone
    from pytest_innovatorbench.authoring.scaffold import create_task  # noqa: PLC0415

    root.mkdir(parents=True)
    for number in range(count):
        known: dict[str, Any] = {"root": root}
        for question in QUESTIONS:
            given = f"good_{number:03}" if question.key == "task_name" else None
            known[question.key] = answer(question, given, known)
        del known["root"]
        create_task(root, known)
    leave_nothing_of_the_template(root)
    return root


def leave_nothing_of_the_template(root: Path) -> None:
    """Remove every marker of the template from new tasks, and change each of its data files."""
    for file in root.rglob("*.*"):
        if file.suffix == ".csv":
            header, first, second, *others = file.read_text("utf-8").splitlines(keepends=True)
            file.write_text("".join([header, second, first, *others]), "utf-8")
        elif file.is_file():
            lines = file.read_text("utf-8").splitlines(keepends=True)
            file.write_text("".join(line for line in lines if " TEMPLATE: " not in line), "utf-8")
