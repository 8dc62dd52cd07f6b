from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_innovatorbench.errors import EvaluatorFaultError
from pytest_innovatorbench.evaluation.verdict import judge, plain
from pytest_innovatorbench.hostile import printable


def message(*outcomes: Any, **more: Any) -> bytes:
    results = [
        {"metric": {"eval_results": outcome}, "run": f"run_{n}"} for n, outcome in enumerate(outcomes, 1)
    ]
    return json.dumps({"results": results, **more}).encode()


@pytest.mark.parametrize(
    ("scores", "score", "unclamped"),
    [
        ([76.5], 76.5, 76.5),
        ([60, 20.5], 80.5, 80.5),
        ([-50, 30], 0, -20),
        ([-0.0], 0, 0),
        ([1e9], 100, 1e9),
        ([10**300], 100, 1e300),
    ],
)
def test_scores_are_summed_and_clamped(scores: list[float], score: float, unclamped: float) -> None:
    evaluation = judge(message(*({"score": score} for score in scores)))
    assert (evaluation.score, evaluation.unclamped, evaluation.fault) == (score, unclamped, None)
    assert str(evaluation.score) != "-0.0"


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        ({"score": float("nan")}, "evaluator's score in run_1 (metric_0) is nan, not a finite number"),
        ({"score": float("inf")}, "evaluator's score in run_1 (metric_0) is inf, not a finite number"),
        ({"score": "90"}, "evaluator's score in run_1 (metric_0) is a string, not a finite number"),
        ({"score": True}, "evaluator's score in run_1 (metric_0) is true or false, not a finite number"),
        ({"score": None}, "evaluator's score in run_1 (metric_0) is null, not a finite number"),
        ({"score": [90]}, "evaluator's score in run_1 (metric_0) is a list, not a finite number"),
        ({"score": 10**400}, "evaluator's score in run_1 (metric_0) is too large, not a finite number"),
        ({"points": 90}, "evaluator returned no score in run_1 (metric_0)"),
        ([90], "evaluator returned a list instead of a dict in run_1 (metric_0)"),
        (90, "evaluator returned a number instead of a dict in run_1 (metric_0)"),
        (None, "evaluator returned null instead of a dict in run_1 (metric_0)"),
    ],
)
def test_what_is_no_score_is_the_evaluators_fault(outcome: Any, error: str) -> None:
    evaluation = judge(message(outcome))
    assert (evaluation.score, evaluation.unclamped) == (None, None)
    assert (evaluation.fault, evaluation.error) == ("evaluator", error)
    json.dumps(evaluation.metrics, allow_nan=False)


def test_the_faulty_metric_is_named() -> None:
    evaluation = judge(message({"score": 10}, {"score": "ten"}))
    assert evaluation.error == "evaluator's score in run_2 (metric_1) is a string, not a finite number"
    assert evaluation.metrics == {"metric_0": {"score": 10}, "metric_1": {"score": "ten"}}


def test_scores_that_overflow_together_are_no_score() -> None:
    evaluation = judge(message({"score": 1.7e308}, {"score": 1.7e308}))
    assert evaluation.error == "evaluator's scores sum to more than a number can hold"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "evaluator sent a message that is not JSON"),
        (b"\xff\xfe", "evaluator sent a message that is not JSON"),
        (b'{"results": [', "evaluator sent a message that is not JSON"),
        (b"[" * 200_000, "evaluator sent a message that is not JSON"),
        (b'{"results": [' + b"9" * 5_000 + b"]}", "evaluator sent a message that is not JSON"),
        (b"[]", "evaluator sent a message of the wrong form"),
        (b"{}", "evaluator's results have no to_dict of the published form"),
        (b'{"results": 1}', "evaluator's results have no to_dict of the published form"),
        (b'{"results": [1]}', "evaluator's results have no to_dict of the published form"),
        (b'{"results": [{"metric": 1}]}', "evaluator's results have no to_dict of the published form"),
        (b'{"results": []}', "evaluator has no results: TaskBenchmark needs a run_1"),
        (b'{"raised": "E\\u001b", "during": "validate"}', "evaluator raised E in validate"),
        (b'{"raised": [1], "during": "a\\nb"}', "evaluator raised [1] in a b"),
    ],
)
def test_hostile_messages_are_refused(line: bytes, error: str) -> None:
    with pytest.raises(EvaluatorFaultError) as caught:
        judge(line)
    assert caught.value.message == error


def test_the_agent_hears_the_evaluators_own_words() -> None:
    evaluation = judge(
        message(
            {"score": 1, "message": "well\x1b[31m done\x00", "error": None},
            {"score": 2, "error": "bad line 3", "message": ""},
            {"score": 3, "test_set_result": {"error": "nested", "score": 3}, "message": {"a": 1}},
            {"score": 4, "test_set_result": "no dict"},
        )
    )
    assert evaluation.message == 'well[31m done\nbad line 3\n{"a": 1}\nnested'


def test_long_messages_are_cut() -> None:
    told = judge(message({"score": 1, "message": "x" * 100_000})).message
    assert len(told) == 4_000
    assert told.endswith("x...")


@pytest.mark.parametrize(
    ("said", "violation"),
    [("copied the labels\n", "copied the labels"), ("", None), ("  ", None), (True, None), (None, None)],
)
def test_violations_are_strings(said: Any, violation: str | None) -> None:
    assert judge(message({"score": 1, "violation": said})).violation == violation


def test_metrics_are_plain_json() -> None:
    hostile = json.loads('{"a": [NaN, -Infinity, "\\ud800"], "\\udfff": 1}')
    assert plain(hostile) == {"a": ["nan", "-inf", "\\ud800"], "\\udfff": 1}
    json.dumps(plain(hostile), allow_nan=False, ensure_ascii=False).encode()


def test_printable_text_keeps_lines_and_is_cut() -> None:
    assert printable("a\tb\nc\r\x07\u202e\ud800é", 100) == "a\tb\ncé"
    assert printable("abcdefgh", 5) == "ab..."
