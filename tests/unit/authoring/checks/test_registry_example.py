"""The example of the authoring guide, typed in as it stands there, gets findings that are true and no others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks import description, layout
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.validation import check, examined

NAME = "my_topic"
# The guide's commands. Its first `mkdir` of a folder two levels down needs -p, which it leaves out.
COMMANDS = """
mkdir -p gym/
mkdir -p gym/${task_name}
mkdir -p gym/${task_name}/data/checkpoints/  # store the training checkpoints
mkdir -p gym/${task_name}/data/datasets/  # store the training datasets
mkdir -p gym/${task_name}/data/outputs/  # store the results from the agent
mkdir -p gym/${task_name}/task/  # store the code for the agent to complete the task
mkdir -p gym/${task_name}/task/repositories/  # store the original code repository
mkdir -p gym/${task_name}/task/scripts/  # store the scripts
mkdir -p evaluations/
mkdir -p evaluations/${task_name}
mkdir -p evaluations/${task_name}/data/  # store the evaluation data
mkdir -p evaluations/${task_name}/data/references/  # store the reference evaluation data
mkdir -p evaluations/${task_name}/data/baselines/  # store the baseline evaluation data
mkdir -p evaluations/${task_name}/task/  # store the evaluation code
"""
CONFIG = """\
from evaluations.base.data_classes import Config

class TaskConfig(Config):
    pass
"""
EVALUATION = '''\
from evaluations.base.base_eval import BaseBenchmark
from typing import Dict, Any, Optional

class TaskBenchmark(BaseBenchmark):
    """
    paper_name: str = "paper_name" if have paper name else ""
    task_name: str = "task_name"
    """
    def __init__(self, config: Optional[Config] = None):
        # Initialize your benchmark
        super().__init__(config)

    def run_1(self) -> Dict[str, Any]:
        # Implement your test logic
        # Use relative path, e.g. evaluations/${task_name}/data/outputs/outputs.json
        # Return a dictionary as the evaluation result, keyed by metric name, valued by metric value
        # It must contain the `score` key, the format of the sub-score is not required.
        try:
            score_1 = self.cal_score_1()
            score_2 = self.cal_score_2()
        except Exception as e:
            return {
                "score": 0,
                "error": str(e) + "Error calculating the score.",
                "message": None
            }

        score = score_1 + score_2
        result = {
            "score": score,
            "error": None,
            "message": f"The accuracy is {score_1}/80, and the length score is {score_2}/20."
        }

        return result

    def cal_score_1(self) -> int:
        # Calculate the score1, e.g. the accuracy of the answer (60% of the total score, 20% for extra bonus)
        return 60

    def cal_score_2(self) -> int:
        # Calculate the score2, e.g. the length of the answer (20% of the total score)
        return 20
'''
# What the guide asks of a description, and no more.
DESCRIPTION = """\
# Motivation
Answers are long.

# Task
Make them short and good. You must work inside /workspace. Output the results to
/workspace/my_topic/data/outputs/outputs.json, and your ideas to /workspace/data/outputs.

# Data
Questions.

# Constraint
- Training time limit: 12 hours
- Evaluation time limit: 1 hour
- Number of GPUs: 8
- Memory of each GPU: 80 GB

# Evaluation
Accuracy and length. If you choose to read the hint, 10 points will be deducted.

# Environment
conda
"""
DEFAULTS = "is missing, so limits and the hint's price are the description's or defaults"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["sh", "-euc", COMMANDS], cwd=tmp_path, env={"task_name": NAME}, check=True)
    folder = tmp_path / "evaluations" / NAME / "task"
    (folder / "config.py").write_text(CONFIG)
    (folder / "evaluation.py").write_text(EVALUATION)
    return tmp_path


def found(root: Path) -> set[tuple[str, str, str]]:
    """Return code, file and message of all findings on layout and description."""
    with examined(root, NAME, Options()) as subject:
        results = [check(rule, subject) for rule in (*layout.RULES, *description.RULES)]
    return {
        (result.rule.code, finding.file.replace(NAME, "T"), finding.message)
        for result in results
        for finding in result.findings
    }


def test_the_folders_and_the_code(root: Path) -> None:
    assert found(root) == {
        ("IB101", "gym/T/data/datasets", "holds no file"),
        ("IB101", "evaluations/T/data/references", "holds no file"),
        ("IB101", "evaluations/T/data/baselines", "holds no file"),
        ("IB101", "evaluations/T/data/outputs", "the folder is missing"),
        ("IB102", "gym/T/task/task_description.md", "is missing"),
        ("IB103", "evaluations/T/task.yaml", DEFAULTS),
    }


def test_with_data_a_description_and_a_hint(root: Path) -> None:
    evaluations, gym = root / "evaluations" / NAME, root / "gym" / NAME
    (evaluations / "data" / "outputs").mkdir()
    (gym / "data" / "datasets" / "questions.json").write_text("{}")
    for folder in (evaluations / "data").iterdir():
        (folder / "outputs.json").write_text("{}")
    (evaluations / "hint.md").write_text("Reward what is brief.\n")
    (gym / "task" / "task_description.md").write_text(DESCRIPTION)
    # The code of the guide returns constants, so what it asks for is not looked at.
    unread = "outputs.json is an output that the evaluator does not read"
    assert found(root) == {
        ("IB103", "evaluations/T/task.yaml", DEFAULTS),
        ("IB208", "gym/T/task/task_description.md", unread),
    }
