from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evaluations.loss_noisy_labels.task import evaluation
from evaluations.loss_noisy_labels.task.config import TaskConfig

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TASK = "loss_noisy_labels"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK

Row = list[str]


def read_rows(path: Path) -> list[Row]:
    return [line.split(",") for line in path.read_text().splitlines()]


def read_answers() -> dict[str, int]:
    return {row[0]: int(row[1]) for row in read_rows(HIDDEN / "data/references/test_labels.csv")[1:]}


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.predictions = self.outputs / "predictions.csv"
        self.model = self.outputs / "model.csv"

    def evaluate(self) -> dict[str, Any]:
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        return evaluation.TaskBenchmark(config).run_1()

    def change(self, path: Path, edit: Callable[[list[Row]], object]) -> None:
        rows = read_rows(path)
        edit(rows)
        path.write_text("".join(",".join(row) + "\n" for row in rows))

    def assert_rejected(self, message: str) -> None:
        started = time.perf_counter()
        result = self.evaluate()
        assert result["score"] == 0.0
        assert result["message"] is None
        assert message in result["error"], result["error"]
        assert time.perf_counter() - started < 5


class CalibrationTest(EvaluationCase):
    def test_reference_scores_70_to_80(self) -> None:
        result = self.evaluate()
        assert result["error"] is None
        assert 70 <= result["score"] <= 80
        assert result["message"] == (
            "Accuracy 0.9197 (half of the score), Brier score 0.1503 (the other half)."
        )

    def test_baseline_scores_0_to_2(self) -> None:
        shutil.copytree(HIDDEN / "data/baselines", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_an_average_attempt_scores_20_to_60(self) -> None:
        shutil.copytree(HIDDEN / "data/intermediates/early_stopping", self.outputs, dirs_exist_ok=True)
        assert 20 <= self.evaluate()["score"] <= 60

    def test_reference_is_well_above_the_baseline_in_each_metric(self) -> None:
        assert evaluation.ACCURACY.reference > 1.05 * evaluation.ACCURACY.baseline
        assert evaluation.BRIER.reference < 0.95 * evaluation.BRIER.baseline

    def test_the_truth_scores_100(self) -> None:
        answers = read_answers()
        result = evaluation.grade({name: one_hot(label) for name, label in answers.items()}, answers)
        assert result["score"] == 100.0

    def test_more_right_answers_never_score_less(self) -> None:
        answers = read_answers()
        scores = [score_with_right(answers, share / 20) for share in range(21)]
        assert scores == sorted(scores)
        assert len(set(scores)) > 5

    def test_uniform_probabilities_score_nothing(self) -> None:
        answers = read_answers()
        result = evaluation.grade(dict.fromkeys(answers, [0.1] * 10), answers)
        assert result["score"] == 0.0

    def test_hidden_calibration_is_worth_half(self) -> None:
        answers = read_answers()
        timid = {name: [0.091] * label + [0.181] + [0.091] * (9 - label) for name, label in answers.items()}
        assert evaluation.grade(timid, answers)["score"] == 50.0

    def test_task_yaml_states_the_same_anchors(self) -> None:
        metrics = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curves = {"accuracy": evaluation.ACCURACY, "brier": evaluation.BRIER}
        for metric in metrics:
            curve = curves[metric["name"]]
            assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
            assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, 0.5)

    def test_lines_in_any_order_and_windows_line_ends_are_fine(self) -> None:
        expected = self.evaluate()["score"]
        header, *lines = self.predictions.read_text().splitlines()
        self.predictions.write_bytes("\r\n".join([header, *reversed(lines)]).encode())
        assert abs(self.evaluate()["score"] - expected) < 1e-9


class HostileSubmissionTest(EvaluationCase):
    def test_missing_predictions(self) -> None:
        self.predictions.unlink()
        self.assert_rejected("data/outputs/predictions.csv is missing")

    def test_missing_model(self) -> None:
        self.model.unlink()
        self.assert_rejected("data/outputs/model.csv is missing")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/predictions.csv is missing")

    def test_empty_file(self) -> None:
        self.predictions.write_text("")
        self.assert_rejected("the first line of predictions.csv must be 'id,p0,")

    def test_binary_junk(self) -> None:
        self.predictions.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("predictions.csv is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.predictions.write_text("[" * 400_000)
        self.assert_rejected("the first line of predictions.csv")

    def test_huge_file(self) -> None:
        with self.predictions.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("at most 1000000 are read")

    def test_link_to_the_references(self) -> None:
        self.predictions.unlink()
        self.predictions.symlink_to(HIDDEN / "data/references/test_labels.csv")
        self.assert_rejected("predictions.csv is not a regular file")

    def test_pipe(self) -> None:
        self.predictions.unlink()
        os.mkfifo(self.predictions)
        self.assert_rejected("predictions.csv is not a regular file")

    def test_folder(self) -> None:
        self.model.unlink()
        self.model.mkdir()
        self.assert_rejected("model.csv is not a regular file")

    def test_numbers_that_are_none(self) -> None:
        for text in ("nan", "inf", "-inf", "", "one", "9" * 5000, "1e999", "\x00"):
            with self.subTest(text=text[:9]):
                rows = read_rows(HIDDEN / "data/outputs/predictions.csv")
                rows[5][3] = text
                self.predictions.write_text("\n".join(map(",".join, rows)))
                self.assert_rejected("predictions.csv, line 6: ")

    def test_negative_probability(self) -> None:
        self.change(self.predictions, lambda rows: rows[1].__setitem__(slice(1, 3), ["-0.5", "1.5"]))
        self.assert_rejected("line 2: probabilities must be at least 0 and sum to 1")

    def test_probabilities_that_do_not_sum_to_one(self) -> None:
        self.change(self.predictions, lambda rows: rows[1].__setitem__(slice(1, 11), ["1"] * 10))
        self.assert_rejected("line 2: probabilities must be at least 0 and sum to 1")

    def test_wrong_number_of_columns(self) -> None:
        self.change(self.predictions, lambda rows: rows[9].append("0"))
        self.assert_rejected("line 10: 11 probabilities instead of 10")

    def test_repeated_id(self) -> None:
        self.change(self.predictions, lambda rows: rows.append(rows[1]))
        self.assert_rejected("'test0000' appears twice")

    def test_unknown_id(self) -> None:
        self.change(self.predictions, lambda rows: rows[1].__setitem__(0, "test9999"))
        self.assert_rejected("'test9999' is not a test id")

    def test_missing_id(self) -> None:
        self.change(self.predictions, lambda rows: rows.pop())
        self.assert_rejected("has 796 of 797 test ids")

    def test_model_of_another_size(self) -> None:
        self.change(self.model, lambda rows: rows.pop())
        self.assert_rejected("model.csv has 4809 values instead of 4810")

    def test_model_with_weights_that_overflow(self) -> None:
        self.change(self.model, lambda rows: rows[1].__setitem__(0, "1e308"))
        self.assert_rejected("model.csv has a weight beyond 10000")

    def test_model_with_nan(self) -> None:
        self.change(self.model, lambda rows: rows[7].__setitem__(0, "nan"))
        self.assert_rejected("model.csv, line 8: 'nan' is not a finite number")

    def test_model_with_the_largest_weights(self) -> None:
        self.model.write_text("value\n" + "1e4\n" * evaluation.WEIGHTS)
        self.assert_rejected("is not what the network in model.csv gives")

    def test_predictions_that_are_not_the_models(self) -> None:
        answers = read_answers()
        lines = [",".join([name, *map(str, one_hot(label))]) for name, label in answers.items()]
        header = self.predictions.read_text().splitlines()[0]
        self.predictions.write_text("\n".join([header, *lines]))
        self.assert_rejected("is not what the network in model.csv gives")


class DataTest(unittest.TestCase):
    def test_sizes(self) -> None:
        train = read_rows(GYM / "data/datasets/train.csv")
        test = read_rows(GYM / "data/datasets/test.csv")
        assert (len(train) - 1, len(test) - 1) == (1000, 797)
        assert {len(row) for row in train} == {66}
        assert {len(row) for row in test} == {65}
        assert {int(cell) for row in test[1:] for cell in row[1:]} == set(range(17))

    def test_the_evaluator_has_the_images_that_the_agent_has(self) -> None:
        hidden = (HIDDEN / "data/references/test_images.csv").read_bytes()
        assert hidden == (GYM / "data/datasets/test.csv").read_bytes()

    def test_no_test_label_is_where_an_agent_looks(self) -> None:
        answers = read_answers()
        column = re.compile(r"[\s,;]+".join(str(label) for label in answers.values()))
        pairs = {f"{name},{label}" for name, label in answers.items()}
        for folder in (GYM, HIDDEN / "solution"):
            for path in (path for path in folder.rglob("*") if path.is_file()):
                text = path.read_bytes().decode("utf-8", "replace")
                lines = set(text.splitlines())
                assert not pairs & lines, path
                assert not column.search(text), path

    def test_licence_stands_beside_the_data(self) -> None:
        text = (GYM / "data/datasets/README.md").read_text()
        assert "CC BY 4.0" in text
        assert "10.24432/C50P49" in text


def one_hot(label: int) -> list[float]:
    return [float(digit == label) for digit in range(10)]


def score_with_right(answers: dict[str, int], share: float) -> float:
    right = round(share * len(answers))
    rows = {
        name: one_hot(label if index < right else (label + 1) % 10)
        for index, (name, label) in enumerate(answers.items())
    }
    score = evaluation.grade(rows, answers)["score"]
    assert isinstance(score, float)
    return score


if __name__ == "__main__":
    unittest.main()
