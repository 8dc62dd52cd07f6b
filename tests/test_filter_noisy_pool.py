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

from evaluations.filter_noisy_pool.task import evaluation
from evaluations.filter_noisy_pool.task.config import TaskConfig

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TASK = "filter_noisy_pool"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK

Row = list[str]


def read_rows(path: Path, separator: str = ",") -> list[Row]:
    return [line.split(separator) for line in path.read_text().splitlines()]


def read_answers() -> dict[str, str]:
    return {row[0]: row[1] for row in read_rows(HIDDEN / "data/references/test_labels.csv")[1:]}


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.selection = self.outputs / "selection.csv"
        self.predictions = self.outputs / "predictions.csv"

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
        assert result["message"] == "Accuracy 0.6065 with 400 examples."

    def test_baseline_scores_0_to_2(self) -> None:
        shutil.copytree(HIDDEN / "data/baselines", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_an_average_attempt_scores_20_to_60(self) -> None:
        shutil.copytree(HIDDEN / "data/intermediates/confident_labels", self.outputs, dirs_exist_ok=True)
        assert 20 <= self.evaluate()["score"] <= 60

    def test_reference_is_well_above_the_baseline(self) -> None:
        assert evaluation.ACCURACY.reference > 1.05 * evaluation.ACCURACY.baseline

    def test_more_right_answers_never_score_less(self) -> None:
        answers = read_answers()
        scores = [score_with_right(answers, share / 20) for share in range(21)]
        assert scores == sorted(scores)
        assert scores[0] == 0.0
        assert scores[-1] == 100.0
        assert len(set(scores)) > 5

    def test_one_class_for_all_scores_nothing(self) -> None:
        answers = read_answers()
        assert evaluation.grade(dict.fromkeys(answers, "plant"), answers, 1)["score"] == 0.0

    def test_task_yaml_states_the_same_anchors(self) -> None:
        (metric,) = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curve = evaluation.ACCURACY
        assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
        assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, 1.0)

    def test_lines_in_any_order_and_windows_line_ends_are_fine(self) -> None:
        expected = self.evaluate()["score"]
        for path in (self.selection, self.predictions):
            header, *lines = path.read_text().splitlines()
            path.write_bytes("\r\n".join([header, *reversed(lines)]).encode())
        assert self.evaluate()["score"] == expected


class RecipeTest(EvaluationCase):
    """What is submitted must be the recipe's own solution for the chosen examples."""

    def test_one_example_has_a_solution_that_can_be_written_down(self) -> None:
        pool = {"one": ("food", "a dish")}
        right = [0.0, 0.0, 0.0, 1 / 1.3, 0.0, 0.0, 0.0, 0.0]
        weights = evaluation.check_training({"one": right}, pool)
        scores = evaluation.score(evaluation.hash_text("a dish"), weights)
        assert abs(scores[3] - 1 / 1.3) < 1e-12

    def test_a_coefficient_that_is_a_little_off(self) -> None:
        self.change(self.selection, lambda rows: rows[1].__setitem__(1, f"{float(rows[1][1]) + 1e-5:.12g}"))
        self.assert_rejected("are not those that the recipe gives for the chosen examples")

    def test_coefficients_for_other_labels(self) -> None:
        rows = read_rows(self.selection)
        moved = [[name, *cells[1:], cells[0]] for name, *cells in rows[1:]]
        self.selection.write_text("\n".join(map(",".join, [rows[0], *moved])))
        self.assert_rejected("are not those that the recipe gives for the chosen examples")

    def test_coefficients_of_more_examples_than_are_listed(self) -> None:
        self.change(self.selection, lambda rows: rows.pop())
        self.assert_rejected("are not those that the recipe gives for the chosen examples")

    def test_no_training(self) -> None:
        self.change(
            self.selection, lambda rows: [row.__setitem__(slice(1, None), ["0"] * 8) for row in rows[1:]]
        )
        self.assert_rejected("are not those that the recipe gives for the chosen examples")

    def test_predictions_that_are_not_the_models(self) -> None:
        lines = [f"{name},{label}" for name, label in read_answers().items()]
        self.predictions.write_text("\n".join(["id,label", *lines]))
        self.assert_rejected("is not what the model in selection.csv gives")


class HostileSubmissionTest(EvaluationCase):
    def test_missing_selection(self) -> None:
        self.selection.unlink()
        self.assert_rejected("data/outputs/selection.csv is missing")

    def test_missing_predictions(self) -> None:
        self.predictions.unlink()
        self.assert_rejected("data/outputs/predictions.csv is missing")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/selection.csv is missing")

    def test_empty_file(self) -> None:
        self.predictions.write_text("")
        self.assert_rejected("the first line of predictions.csv must be 'id,label'")

    def test_no_examples(self) -> None:
        self.change(self.selection, lambda rows: rows.__delitem__(slice(1, None)))
        self.assert_rejected("selection.csv has 0 examples; 1 to 400 are allowed")

    def test_more_than_400_examples(self) -> None:
        chosen = {row[0] for row in read_rows(self.selection)}
        other = next(name for name in read_pool_ids() if name not in chosen)
        self.change(self.selection, lambda rows: rows.append([other, *["0"] * 8]))
        self.assert_rejected("selection.csv has 401 examples; 1 to 400 are allowed")

    def test_example_chosen_twice(self) -> None:
        self.change(self.selection, lambda rows: rows.__setitem__(2, rows[1]))
        self.assert_rejected("selection.csv, line 3: ")
        self.assert_rejected("appears twice")

    def test_example_that_is_not_in_the_pool(self) -> None:
        self.change(self.selection, lambda rows: rows[1].__setitem__(0, "test0000"))
        self.assert_rejected("selection.csv, line 2: 'test0000' is not a pool id")

    def test_unknown_test_id(self) -> None:
        self.change(self.predictions, lambda rows: rows[1].__setitem__(0, "pool0000"))
        self.assert_rejected("predictions.csv, line 2: 'pool0000' is not a test id")

    def test_repeated_test_id(self) -> None:
        self.change(self.predictions, lambda rows: rows.append(rows[1]))
        self.assert_rejected("'test0000' appears twice")

    def test_missing_test_id(self) -> None:
        self.change(self.predictions, lambda rows: rows.pop())
        self.assert_rejected("predictions.csv has 1999 of 2000 test ids")

    def test_unknown_class(self) -> None:
        self.change(self.predictions, lambda rows: rows[4].__setitem__(1, "mineral"))
        self.assert_rejected("predictions.csv, line 5: 'mineral' is not a class")

    def test_wrong_number_of_columns(self) -> None:
        self.change(self.predictions, lambda rows: rows[4].append("plant"))
        self.assert_rejected("predictions.csv, line 5: 3 columns instead of 2")

    def test_numbers_that_are_none(self) -> None:
        for text in ("nan", "inf", "-inf", "", "one", "9" * 5000, "1e999", "1e308", "\x00"):
            with self.subTest(text=text[:9]):
                rows = read_rows(HIDDEN / "data/outputs/selection.csv")
                rows[5][3] = text
                self.selection.write_text("\n".join(map(",".join, rows)))
                self.assert_rejected("selection.csv, line 6: ")

    def test_binary_junk(self) -> None:
        self.selection.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("selection.csv is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.predictions.write_text("[" * 400_000)
        self.assert_rejected("the first line of predictions.csv")

    def test_huge_file(self) -> None:
        with self.selection.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("at most 1000000 are read")

    def test_link_to_the_references(self) -> None:
        self.predictions.unlink()
        self.predictions.symlink_to(HIDDEN / "data/references/test_labels.csv")
        self.assert_rejected("predictions.csv is not a regular file")

    def test_pipe(self) -> None:
        self.selection.unlink()
        os.mkfifo(self.selection)
        self.assert_rejected("selection.csv is not a regular file")

    def test_folder(self) -> None:
        self.selection.unlink()
        self.selection.mkdir()
        self.assert_rejected("selection.csv is not a regular file")


class DataTest(unittest.TestCase):
    def test_sizes(self) -> None:
        pool = read_rows(GYM / "data/datasets/pool.tsv", "\t")
        test = read_rows(GYM / "data/datasets/test.tsv", "\t")
        assert (len(pool) - 1, len(test) - 1) == (1400, 2000)
        assert {len(row) for row in pool} == {3}
        assert {len(row) for row in test} == {2}
        assert {row[1] for row in pool[1:]} == set(evaluation.CLASSES)
        labels = list(read_answers().values())
        assert {labels.count(label) for label in evaluation.CLASSES} == {250}

    def test_the_evaluator_has_the_data_that_the_agent_has(self) -> None:
        for name in ("pool.tsv", "test.tsv", "LICENSE-WordNet.txt"):
            hidden = (HIDDEN / "data/references" / name).read_bytes()
            assert hidden == (GYM / "data/datasets" / name).read_bytes()

    def test_no_test_text_is_in_the_pool(self) -> None:
        pool = {row[2] for row in read_rows(GYM / "data/datasets/pool.tsv", "\t")[1:]}
        assert not pool & {row[1] for row in read_rows(GYM / "data/datasets/test.tsv", "\t")[1:]}

    def test_no_test_label_is_where_an_agent_looks(self) -> None:
        answers = read_answers()
        column = re.compile(r"[\s,;]+".join(list(answers.values())[:20]))
        pairs = {f"{name},{label}" for name, label in answers.items()}
        for folder in (GYM, HIDDEN / "solution"):
            for path in (path for path in folder.rglob("*") if path.is_file()):
                text = path.read_bytes().decode("utf-8", "replace")
                assert not pairs & set(text.splitlines()), path
                assert not column.search(text), path

    def test_licence_stands_beside_the_data(self) -> None:
        readme = (GYM / "data/datasets/README.md").read_text()
        licence = (GYM / "data/datasets/LICENSE-WordNet.txt").read_text()
        assert "public domain" in readme
        assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence


def read_pool_ids() -> list[str]:
    return [row[0] for row in read_rows(GYM / "data/datasets/pool.tsv", "\t")[1:]]


def score_with_right(answers: dict[str, str], share: float) -> float:
    right = round(share * len(answers))
    rows = {
        name: label if index < right else "nothing" for index, (name, label) in enumerate(answers.items())
    }
    score = evaluation.grade(rows, answers, 400)["score"]
    assert isinstance(score, float)
    return score


if __name__ == "__main__":
    unittest.main()
