"""What a newcomer writes where the template of a task says so: a task about labels that are often wrong."""

from __future__ import annotations

DESCRIPTION = """\
# Learn from labels that are often wrong

## Motivation

Labels of volunteers are often wrong. One would like to learn from them nevertheless.

## Task

Points on a line are of class 1 beyond a threshold and of class 0 before it. Three of ten labels are wrong. Predict the true
class of 100 other points. Work inside `/workspace`. `/workspace/task/repositories/majority` predicts the more frequent
label for every point; do better.

Write `/workspace/data/outputs/predictions.csv`: the header `id,y`, then a line for each of the 100 test ids, in any order,
with 0 or 1.

## Data

| file in `/workspace/data/datasets` | content |
| --- | --- |
| `train.csv` | 200 points: place `x` (0-1) and label `y` (0 or 1, often wrong) |
| `test.csv` | 100 points: `id` and `x` |

## Constraint

- Training-time limit: 1 hour.
- Evaluation-time limit: 60 seconds.
- Number of GPUs: 0. Memory of each GPU: 0 GB.
- Working-time limit: 48 hours, with 3 evaluations and a final one.
- A submission with missing, unknown or repeated ids, or with labels other than 0 and 1, scores 0.

## Evaluation

The accuracy against the true classes: up to 0.55, the share of the more frequent class, scores 0; the reference method, 0.97, scores
80; 1.0 scores 100. Points between are linear. Viewing the hint costs 5 points.

## Environment

Python 3 without further packages, no network.
"""

MAKE_DATA = '''\
"""Make the data of this task again: python evaluations/flips/data/make_data.py"""

import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
THRESHOLD = 0.62


def write(file: Path, header: str, rows: list[str]) -> None:
    file.write_text("\\n".join([header, *rows]) + "\\n")


def main() -> None:
    chance = random.Random(1)
    shown = ROOT / "gym/flips/data/datasets"
    train = [round(chance.random(), 4) for _ in range(200)]
    labels = [int((x > THRESHOLD) != (chance.random() < 0.3)) for x in train]
    test = [round(chance.random(), 4) for _ in range(100)]
    write(shown / "train.csv", "x,y", [f"{x},{y}" for x, y in zip(train, labels)])
    write(shown / "test.csv", "id,x", [f"p{number:03},{x}" for number, x in enumerate(test)])
    truth = [f"p{number:03},{int(x > THRESHOLD)}" for number, x in enumerate(test)]
    write(ROOT / "evaluations/flips/data/references/truth.csv", "id,y", truth)


if __name__ == "__main__":
    main()
'''

EVALUATION = '''\
"""Score predicted classes against the hidden true ones."""

import stat
from pathlib import Path

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.scoring import ScoreCurve

# The more frequent class has 0.55, the reference 0.96, which scores 78.1.
ACCURACY = ScoreCurve(baseline=0.55, reference=0.97, ceiling=1.0)
MOST_BYTES = 20_000


class RejectedError(ValueError):
    """The submission can't be scored; the message is for the agent."""


class TaskBenchmark(BaseBenchmark):
    task_name = "flips"

    def run_1(self):
        data = Path(self.config.eval_workspace, self.task_name, "data/references")
        truth = dict(read(data / "truth.csv"))
        try:
            pairs = read(Path(self.config.workspace, "data/outputs/predictions.csv"))
            if len(pairs) != len(truth) or dict(pairs).keys() != truth.keys():
                raise RejectedError("every test id has to have a label, once")
        except RejectedError as error:
            return {"score": 0, "error": str(error), "message": None}
        accuracy = sum(truth[name] == label for name, label in pairs) / len(truth)
        return {
            "score": ACCURACY(accuracy),
            "error": None,
            "message": f"The accuracy is {accuracy:.3f}.",
            "accuracy": accuracy,
        }


def read(path):
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            raise RejectedError(f"{path.name} is not a file of at most {MOST_BYTES} bytes")
        header, *lines = path.read_text("utf-8").splitlines() or [""]
    except OSError:
        raise RejectedError(f"data/outputs/{path.name} is missing or can't be read") from None
    except UnicodeDecodeError:
        raise RejectedError(f"{path.name} is not UTF-8 text") from None
    pairs = [tuple(line.split(",")) for line in lines]
    if header != "id,y" or not all(len(pair) == 2 and pair[1] in ("0", "1") for pair in pairs):
        raise RejectedError(f"{path.name} has to have the header id,y and lines such as p000,1")
    return pairs
'''

SOLUTION = '''\
"""The threshold that agrees with most labels."""

import csv
from pathlib import Path


def main() -> None:
    with Path("data/datasets/train.csv").open() as file:
        points = sorted((float(row["x"]), int(row["y"])) for row in csv.DictReader(file))
    places = [x for x, _ in points]
    best = max(places, key=lambda place: sum((x > place) == bool(y) for x, y in points))
    with Path("data/datasets/test.csv").open() as file:
        lines = [f"{row['id']},{int(float(row['x']) > best)}" for row in csv.DictReader(file)]
    Path("data/outputs/predictions.csv").write_text("\\n".join(["id,y", *lines]) + "\\n")


if __name__ == "__main__":
    main()
'''

MAJORITY = '''\
"""Predict the more frequent label for every point; start here."""

import csv
from pathlib import Path

WORKSPACE = Path(__file__).resolve().parents[3]


def main() -> None:
    with (WORKSPACE / "data/datasets/train.csv").open() as file:
        labels = [int(row["y"]) for row in csv.DictReader(file)]
    label = int(sum(labels) > len(labels) / 2)
    with (WORKSPACE / "data/datasets/test.csv").open() as file:
        lines = [f"{row['id']},{label}" for row in csv.DictReader(file)]
    (WORKSPACE / "data/outputs/predictions.csv").write_text("\\n".join(["id,y", *lines]) + "\\n")


if __name__ == "__main__":
    main()
'''

TESTS = '''\
"""Tests of the evaluator: python -m unittest tests.test_flips"""

import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from evaluations.flips.task.config import TaskConfig
from evaluations.flips.task.evaluation import TaskBenchmark


class EvaluationTest(unittest.TestCase):
    def score(self, folder, edit=lambda text: text):
        with tempfile.TemporaryDirectory() as workspace:
            outputs = Path(workspace, "data/outputs")
            shutil.copytree(ROOT / "evaluations/flips/data" / folder, outputs)
            file = outputs / "predictions.csv"
            file.write_text(edit(file.read_text()))
            config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=workspace)
            (result,) = TaskBenchmark(config).validate()
            return result.eval_results

    def test_bands(self):
        self.assertTrue(70 <= self.score("outputs")["score"] <= 80)
        self.assertEqual(self.score("baselines")["score"], 0)

    def test_labels_that_are_none(self):
        for label in ("", "2", "0.5", "01"):
            result = self.score("outputs", lambda text: re.sub("p007,.", f"p007,{label}", text))
            self.assertEqual(result["score"], 0, label)


if __name__ == "__main__":
    unittest.main()
'''

METRICS = """\
metrics:
  - name: accuracy
    baseline: 0.55
    reference: 0.97
    direction: maximize
    ceiling: 1.0
"""

TEXTS = {
    "evaluations/flips/README.md": "# flips, for maintainers\n\n`data/make_data.py` makes the data. Cheating needs the labels.\n",
    "evaluations/flips/data/make_data.py": MAKE_DATA,
    "evaluations/flips/hint.md": "# Hint\n\nTry every threshold and keep the one with which most given labels agree.\n",
    "evaluations/flips/solution/solve.py": SOLUTION,
    "evaluations/flips/task/evaluation.py": EVALUATION,
    "gym/flips/data/datasets/README.md": "Synthetic points with labels, made for this task, in the public domain.\n",
    "gym/flips/task/repositories/majority/majority.py": MAJORITY,
    "gym/flips/task/scripts/run.sh": '#!/bin/sh\nset -eu\nexec python3 "$(dirname "$0")/../repositories/majority/majority.py"\n',
    "gym/flips/task/task_description.md": DESCRIPTION,
    "tests/test_flips.py": TESTS,
}
