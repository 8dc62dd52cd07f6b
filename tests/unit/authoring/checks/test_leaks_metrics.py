"""Agents hand in what a metric is computed from, not the metric."""

from __future__ import annotations

import pytest

from tests.unit.authoring.good import Good
from tests.unit.authoring.leaky import found, only


@pytest.mark.parametrize(
    ("name", "text", "metric"),
    [
        ("result.json", '{"model": "small", "accuracy": 0.93}', "accuracy"),
        ("result.json", '{"predictions": [1, 2, 3], "results": {"test": {"F1-score": 0.5}}}', "F1-score"),
        ("result.json", '{"rmse": "0.12"}', "rmse"),
        ("result.csv", "accuracy,seconds\n0.93,12\n", "accuracy"),
        ("result.csv", "metric,value\nBLEU,31.5\nlength,7\n", "BLEU"),
        ("result.jsonl", '{"perplexity": 12.5, "step": 100}\n', "perplexity"),
        ("result.txt", "done\nTest RMSE: 0.2\nrmse = 0.2\n", "rmse"),
        ("result.md", "| mae | 0.3 |\n", "mae"),
    ],
)
@pytest.mark.parametrize("folder", ["outputs", "baselines"])
def test_submissions_that_state_a_metric(good: Good, folder: str, name: str, text: str, metric: str) -> None:
    (good.evaluations / "data" / folder / name).write_text(text)
    finding = only(good, "IB508")
    assert finding.message == f"submissions state {metric}, a metric, in {name}"
    assert finding.file == f"evaluations/toy/data/{folder}/{name}"
    assert finding.remedy == "ask for what the metric is computed from, and compute it in evaluation.py"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ranking.csv", "id,score\na,0.3\nb,0.4\n"),
        ("ranking.json", '{"a": 0.3, "b": 0.4, "c": 0.5}'),
        ("words.json", '["accuracy", "f1", "rmse"]'),
        ("per_record.jsonl", '{"id": 1, "f1": 0.5}\n{"id": 2, "f1": 0.7}\n'),
        ("ideas.md", "I watched the accuracy and stopped early.\n"),
        ("deep.json", '{"a":' * 900 + "1" + "}" * 900),
        ("broken.json", '{"accuracy": 0.'),
        ("empty.json", ""),
    ],
)
def test_predictions_and_prose_are_no_metric(good: Good, name: str, text: str) -> None:
    (good.evaluations / "data" / "outputs" / name).write_text(text)
    assert found(good) == {}


def test_the_metrics_of_the_task_count(good: Good) -> None:
    good.edit(good.evaluations / "task.yaml", "name: rmse", "name: total-regret")
    (good.evaluations / "data" / "outputs" / "log.txt").write_text("total regret: 0.5\n")
    assert only(good, "IB508").message == "submissions state total regret, a metric, in log.txt"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Write the final accuracy to `result.json`.", "Write the final accuracy"),
        ("You must also report your own\nBLEU on the test set.", "report your own BLEU"),
        ("- Save all metrics as JSON.", "Save all metrics"),
        ("Record the mean **test accuracy** of five runs.", "Record the mean **test accuracy"),
        ("Output evaluation results to `out.txt`.", "Output evaluation results"),
    ],
)
def test_descriptions_that_ask_for_a_metric(good: Good, sentence: str, said: str) -> None:
    good.edit(good.description, "\n## Data\n", f"\n{sentence}\n\n## Data\n")
    finding = only(good, "IB508")
    assert finding.message == f"the agent is asked to {said}"
    assert finding.file == "gym/toy/task/task_description.md"
    assert finding.line is not None
    assert sentence.split("\n", maxsplit=1)[0] in good.description.read_text().split("\n")[finding.line - 1]


@pytest.mark.parametrize(
    "sentence",
    [
        "Do not report your accuracy: it is computed for you.",
        "We report the accuracy on hidden labels.",
        "The evaluator will print the RMSE of your predictions.",
        "Write a prediction for each record; the accuracy is computed from them.",
        "Write `predictions.csv`. Accuracy counts half.",
        "```\nreport accuracy\n```",
        "Train a model with high accuracy and store it.",
        "No need to save the metrics.",
    ],
)
def test_descriptions_that_name_a_metric(good: Good, sentence: str) -> None:
    good.edit(good.description, "\n## Data\n", f"\n{sentence}\n\n## Data\n")
    assert found(good) == {}


def test_the_motivation_may_tell_what_others_report(good: Good) -> None:
    good.edit(good.description, "## Motivation\n", "## Motivation\n\nTo report accuracy is common.\n")
    assert found(good) == {}
