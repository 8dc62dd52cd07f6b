from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evaluations.augment_few_shot.task import evaluation
from evaluations.augment_few_shot.task.config import TaskConfig

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TASK = "augment_few_shot"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK


def read_rows(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()]


def read_examples() -> list[evaluation.Example]:
    return evaluation.read_examples(HIDDEN / "data/references/test.csv")


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.model = self.outputs / "model.csv"

    def evaluate(self) -> dict[str, Any]:
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        return evaluation.TaskBenchmark(config).run_1()

    def submit(self, folder: str) -> dict[str, Any]:
        shutil.copytree(HIDDEN / "data" / folder, self.outputs, dirs_exist_ok=True)
        return self.evaluate()

    def change(self, edit: Callable[[list[str]], object]) -> None:
        lines = self.model.read_text().splitlines()
        edit(lines)
        self.model.write_text("\n".join(lines) + "\n")

    def replace_line(self, index: int, text: str) -> None:
        self.change(lambda lines: lines.__setitem__(index, text))

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
            "Accuracy 0.9310 on the clean half of the test images (half of the score), "
            "0.7240 on the shifted half (the other half)."
        )

    def test_baseline_scores_0_to_2(self) -> None:
        result = self.submit("baselines")
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_an_average_attempt_scores_20_to_60(self) -> None:
        assert 20 <= self.submit("intermediates/warped_labelled")["score"] <= 60

    def test_reference_is_well_above_the_baseline_in_each_metric(self) -> None:
        reference, baseline = self.evaluate(), self.submit("baselines")
        assert reference["clean"] > 1.05 * baseline["clean"]
        assert reference["shifted"] > 1.5 * baseline["shifted"]

    def test_the_truth_scores_100(self) -> None:
        examples = read_examples()
        result = evaluation.grade([example.label for example in examples], examples)
        assert result["score"] == 100.0

    def test_more_right_answers_never_score_less(self) -> None:
        examples = read_examples()
        scores = [score_with_right(examples, share / 20) for share in range(21)]
        assert scores == sorted(scores)
        assert len(set(scores)) > 5

    def test_each_half_is_worth_half(self) -> None:
        examples = read_examples()
        for half in ("clean", "shifted"):
            answers = [example.label if example.half == half else -1 for example in examples]
            assert evaluation.grade(answers, examples)["score"] == 50.0

    def test_one_answer_everywhere_scores_nothing(self) -> None:
        examples = read_examples()
        for digit in range(10):
            assert evaluation.grade([digit] * len(examples), examples)["score"] == 0.0

    def test_task_yaml_and_description_state_the_same_anchors(self) -> None:
        metrics = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curves = {"clean": evaluation.CLEAN, "shifted": evaluation.SHIFTED}
        for metric in metrics:
            curve = curves[metric["name"]]
            assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
            assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, 0.5)
        cells = [[f"{curve.reference:.2f}", f"{curve.ceiling:.2f} or more"] for curve in curves.values()]
        description = (GYM / "task/task_description.md").read_text()
        for points, stated in zip((80, 100), zip(*cells, strict=True), strict=True):
            assert f"| {' | '.join(stated)} | {points} |" in description

    def test_windows_line_ends_are_fine(self) -> None:
        expected = self.evaluate()["score"]
        self.model.write_bytes(self.model.read_bytes().replace(b"\n", b"\r\n"))
        assert self.evaluate()["score"] == expected

    def test_the_network_is_what_the_description_says(self) -> None:
        weights = [0.0] * evaluation.WEIGHTS
        weights[3 * 64 + 5] = 2.0  # from pixel 3 to hidden unit 5
        weights[196 * 64 + 5] = -0.5  # its bias
        weights[197 * 64 + 5 * 10 + 7] = 1.0  # on to digit 7
        weights[-10 + 4] = 1.0  # the bias of digit 4
        images = [[0.0] * 196, [float(pixel == 3) for pixel in range(196)]]
        assert evaluation.classify(images, weights) == [4, 7]
        weights[-10 + 4] = 1.5  # both are largest now
        assert evaluation.classify(images, weights) == [4, 4]


class HostileSubmissionTest(EvaluationCase):
    def test_missing_model(self) -> None:
        self.model.unlink()
        self.assert_rejected("data/outputs/model.csv is missing or can't be read")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/model.csv is missing or can't be read")

    def test_empty_file(self) -> None:
        self.model.write_text("")
        self.assert_rejected("the first line of model.csv must be 'value'")

    def test_binary_junk(self) -> None:
        self.model.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("model.csv is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.model.write_text("[" * 400_000)
        self.assert_rejected("the first line of model.csv must be 'value'")

    def test_huge_file(self) -> None:
        with self.model.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("model.csv has 10737418240 bytes; at most 1000000 are read")

    def test_link_to_the_reference(self) -> None:
        self.model.unlink()
        self.model.symlink_to(HIDDEN / "data/outputs/model.csv")
        self.assert_rejected("model.csv is not a regular file")

    def test_pipe(self) -> None:
        self.model.unlink()
        os.mkfifo(self.model)
        self.assert_rejected("model.csv is not a regular file")

    def test_folder(self) -> None:
        self.model.unlink()
        self.model.mkdir()
        self.assert_rejected("model.csv is not a regular file")

    def test_numbers_that_are_none(self) -> None:
        for text in ("nan", "inf", "-inf", "", "one", "0,1", "9" * 5000, "1e999", "\x00"):
            with self.subTest(text=text[:9]):
                shutil.copyfile(HIDDEN / "data/outputs/model.csv", self.model)
                self.replace_line(5, text)
                self.assert_rejected(f"model.csv, line 6: {text[:40]!r} is not a finite number")

    def test_weights_that_overflow(self) -> None:
        self.replace_line(1, "1e308")
        self.assert_rejected("model.csv has a weight beyond 10000")

    def test_truncated_model(self) -> None:
        self.change(lambda lines: lines.pop())
        self.assert_rejected("model.csv has 13257 values instead of 13258")

    def test_a_larger_network(self) -> None:
        self.change(lambda lines: lines.extend(["0"] * 207))
        self.assert_rejected("model.csv has 13465 values instead of 13258")

    def test_one_line_repeated(self) -> None:
        for text in ("0", "1", "-1e4", "1e4"):
            with self.subTest(text=text):
                self.model.write_text("value\n" + f"{text}\n" * evaluation.WEIGHTS)
                result = self.evaluate()
                assert result["error"] is None
                assert result["score"] == 0.0

    def test_the_right_weights_in_another_order(self) -> None:
        header, *lines = self.model.read_text().splitlines()
        self.model.write_text("\n".join([header, *reversed(lines)]))
        result = self.evaluate()
        assert result["error"] is None
        assert result["score"] == 0.0

    def test_images_in_place_of_weights(self) -> None:
        levels = "".join(row[0] for row in read_rows(GYM / "data/datasets/unlabelled.csv")[1:])
        numbers = [str(int(level, 16) / 15) for level in levels[: evaluation.WEIGHTS]]
        self.model.write_text("\n".join(["value", *numbers]) + "\n")
        result = self.evaluate()
        assert result["error"] is None
        assert result["score"] == 0.0


class DataTest(unittest.TestCase):
    def test_sizes(self) -> None:
        labelled = read_rows(GYM / "data/datasets/labelled.csv")
        unlabelled = read_rows(GYM / "data/datasets/unlabelled.csv")
        assert labelled[0] == ["image", "label"]
        assert unlabelled[0] == ["image"]
        assert Counter(int(label) for _, label in labelled[1:]) == dict.fromkeys(range(10), 10)
        assert len(unlabelled) - 1 == 2400
        images = [row[0] for row in labelled[1:] + unlabelled[1:]]
        assert all(re.fullmatch("[0-9a-f]{196}", image) for image in images)

    def test_the_hidden_halves_are_equally_large_and_balanced(self) -> None:
        examples = read_examples()
        assert Counter(example.half for example in examples) == {"clean": 1000, "shifted": 1000}
        for half in ("clean", "shifted"):
            counts = Counter(example.label for example in examples if example.half == half)
            assert set(counts) == set(range(10))
            assert max(counts.values()) < 130

    def test_the_shifted_half_differs_from_what_the_agent_has(self) -> None:
        means = {"clean": 0.0, "shifted": 0.0}
        for example in read_examples():
            means[example.half] += sum(example.image) / 196 / 1000
        assert means["shifted"] > means["clean"] + 0.05

    def test_no_test_image_is_where_an_agent_looks(self) -> None:
        images = [row[1] for row in read_rows(HIDDEN / "data/references/test.csv")[1:]]
        assert len(set(images)) == 2000
        for folder in (GYM, HIDDEN / "solution"):
            for path in (path for path in folder.rglob("*") if path.is_file()):
                text = path.read_bytes().decode("utf-8", "replace")
                assert not any(image in text for image in images), path

    def test_the_pool_is_not_sorted_and_has_no_labels(self) -> None:
        rows = read_rows(GYM / "data/datasets/unlabelled.csv")[1:]
        assert {len(row) for row in rows} == {1}
        assert [row[0] for row in rows] != sorted(row[0] for row in rows)

    def test_licence_stands_beside_the_data(self) -> None:
        text = (GYM / "data/datasets/README.md").read_text()
        assert "CC BY-SA 3.0" in text
        assert "https://creativecommons.org/licenses/by-sa/3.0/" in text
        assert "Yann LeCun and Corinna Cortes" in text


def score_with_right(examples: list[evaluation.Example], share: float) -> float:
    right = {index for index in range(len(examples)) if index % 1000 < share * 1000}
    answers = [
        example.label if index in right else (example.label + 1) % 10
        for index, example in enumerate(examples)
    ]
    score = evaluation.grade(answers, examples)["score"]
    assert isinstance(score, float)
    return score


if __name__ == "__main__":
    unittest.main()
