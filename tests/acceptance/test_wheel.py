"""The built wheel in a fresh environment, used by somebody who has only the authoring guide."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, copy_project
from tests.conftest import Tree

# As the authoring guide has it, with its missing import of Config and its relative path.
EVALUATION = '''
from evaluations.base.base_eval import BaseBenchmark
from typing import Dict, Any, Optional
import json

class TaskBenchmark(BaseBenchmark):
    """
    paper_name: str = ""
    task_name: str = "add_numbers"
    """
    def __init__(self, config: Optional[Config] = None):
        super().__init__(config)

    def run_1(self) -> Dict[str, Any]:
        try:
            score_1 = self.cal_score_1()
        except Exception as e:
            return {"score": 0, "error": str(e) + "Error calculating the score.", "message": None}
        return {"score": score_1, "error": None, "message": f"The accuracy is {score_1}/80."}

    def cal_score_1(self) -> int:
        with open("evaluations/add_numbers/data/outputs/outputs.json") as f:
            outputs = json.load(f)
        with open("evaluations/add_numbers/data/references/references.json") as f:
            references = json.load(f)
        return 75 * sum(a == b for a, b in zip(outputs, references)) / len(references)
'''

CONFIG = """
from evaluations.base.data_classes import Config

class TaskConfig(Config):
    pass
"""

DESCRIPTION = """
# Motivation
Adding is useful.
# Task
Work inside /workspace. Add the pairs in data/datasets/pairs.json.
# Data
pairs.json: a list of pairs.
# Constraint
- Training-time limit: 1 hour
- Evaluation-time limit: 1 minute
- GPUs: 0, memory of each: 0 GB
# Evaluation
Accuracy of /workspace/data/outputs/outputs.json, a list of sums.
# Environment
Python.
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Built from a copy: the build leaves nothing in the working tree.
    source = tmp_path_factory.mktemp("source") / "project"
    copy_project(source)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", source / "dist", source],
        check=True,
        capture_output=True,
    )
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("fresh") / "env with spaces"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True, capture_output=True)
    return python


def run(python: Path, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))
    }
    return subprocess.run(
        [python, *args], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_wheel_holds_tasks_template_and_types_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in (
        "pytest_innovatorbench/py.typed",
        "pytest_innovatorbench/tasks/task.schema.json",
        "pytest_innovatorbench/reports/report.schema.json",
        "pytest_innovatorbench/reports/report.css",
        "pytest_innovatorbench/_suite/evaluations/loss_noisy_labels/task.yaml",
        "pytest_innovatorbench/_suite/evaluations/loss_noisy_labels/solution/run.sh",
        "pytest_innovatorbench/_suite/gym/filter_noisy_pool/task/task_description.md",
        "pytest_innovatorbench/_template/cookiecutter.json",
        "evaluations/base/base_eval.py",
    ):
        assert name in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pytest_innovatorbench", "evaluations"}
    assert {name for name in names if name.startswith("evaluations/")} == {
        f"evaluations/base/{file.name}" for file in (ROOT / "evaluations/base").glob("*.py")
    }


def test_a_task_written_by_the_guide_runs_in_an_empty_repository(installed: Path, tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("gym/add_numbers/task/task_description.md", DESCRIPTION)
    tree.write("gym/add_numbers/data/datasets/pairs.json", "[[1, 2], [3, 4]]")
    tree.write("evaluations/add_numbers/task/config.py", CONFIG)
    tree.write("evaluations/add_numbers/task/evaluation.py", EVALUATION)
    tree.write("evaluations/add_numbers/data/references/references.json", "[3, 7]")
    tree.write("evaluations/add_numbers/data/outputs/outputs.json", "[3, 7]")
    tree.write("evaluations/add_numbers/data/baselines/outputs.json", "[0, 0]")
    done = run(installed, "-m", "pytest", "-v", "--ibench-agent=oracle,baseline,nop", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "add_numbers[oracle-0] SCORED 75.0" in done.stdout
    assert "add_numbers[baseline-0] SCORED 0.0" in done.stdout
    # The author's sample stands where the guide's path leads, and must not be scored for everybody.
    assert "add_numbers[nop-0] SCORED 0.0" in done.stdout


def test_the_built_in_tasks_run_from_the_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    done = run(
        installed,
        "-m",
        "pytest",
        "-v",
        "--ibench-agent=baseline",
        "--ibench-task=loss_noisy_labels",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert "SCORED" in done.stdout
    assert "1 of 1 task" in done.stdout


def test_a_unittest_of_a_task_finds_the_base_classes(installed: Path, tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("evaluations/add_numbers/task/config.py", CONFIG)
    tree.write(
        "tests/test_add_numbers.py",
        """
        import unittest
        from evaluations.add_numbers.task.config import TaskConfig

        class Test(unittest.TestCase):
            def test(self):
                self.assertEqual(TaskConfig(eval_workspace="e", workspace="w").workspace, "w")
        """,
    )
    done = run(installed, "-m", "unittest", "tests.test_add_numbers", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
