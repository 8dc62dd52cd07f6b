# TEMPLATE: test what your own evaluator accepts and refuses
"""Tests of the evaluator: python -m unittest tests.test_{{ cookiecutter.task_name }}"""

from __future__ import annotations

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # as unittest does, so that pytest finds evaluations/ as well

from evaluations.{{ cookiecutter.task_name }}.task.config import TaskConfig  # noqa: E402
from evaluations.{{ cookiecutter.task_name }}.task.evaluation import TaskBenchmark  # noqa: E402

HIDDEN = ROOT / "evaluations" / {{ "%r" | format(cookiecutter.task_name) }}


class EvaluationTest(unittest.TestCase):
    def setUp(self):
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.predictions = self.workspace / "data/outputs/predictions.csv"

    def evaluate(self, submission="outputs", edit=lambda text: text):
        outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data" / submission, outputs)
        self.predictions.write_text(edit(self.predictions.read_text()))
        return self.run_evaluator()

    def run_evaluator(self):
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        (result,) = TaskBenchmark(config).validate()
        self.assertTrue(result.status, result.error_message)
        return result.eval_results

    def assert_rejected(self, result, message):
        self.assertEqual(result["score"], 0)
        self.assertIn(message, result["error"])

    def test_reference_scores_70_to_80(self):
        result = self.evaluate("outputs")
        self.assertIsNone(result["error"])
        self.assertTrue(70 <= result["score"] <= 80, result)

    def test_baseline_scores_0(self):
        result = self.evaluate("baselines")
        self.assertIsNone(result["error"])
        self.assertEqual(result["score"], 0)

    def test_truth_scores_100(self):
        truth = (HIDDEN / "data/references/truth.csv").read_text()
        self.assertEqual(self.evaluate(edit=lambda text: truth)["score"], 100)

    def test_missing_outputs(self):
        self.assert_rejected(self.run_evaluator(), "data/outputs/predictions.csv is missing")

    def test_missing_id(self):
        result = self.evaluate(edit=lambda text: text.rpartition("t49")[0])
        self.assert_rejected(result, "49 of 50 test ids have a value")

    def test_repeated_id(self):
        self.assert_rejected(self.evaluate(edit=lambda text: text + "t00,0\n"), "an id appears twice")

    def test_values_that_are_no_numbers(self):
        for value in ("", "one", "nan", "inf", "1e999"):
            with self.subTest(value=value):
                shutil.rmtree(self.workspace / "data", ignore_errors=True)
                result = self.evaluate(edit=lambda text: text.rpartition(",")[0] + f",{value}\n")
                self.assert_rejected(result, "is not an id and a number")

    def test_link_to_the_answers(self):
        self.predictions.parent.mkdir(parents=True)
        self.predictions.symlink_to(HIDDEN / "data/references/truth.csv")
        self.assert_rejected(self.run_evaluator(), "is not a file")


if __name__ == "__main__":
    unittest.main()
