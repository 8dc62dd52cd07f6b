"""From the evaluator's message, which is hostile input, to a verdict."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_innovatorbench.errors import EvaluatorFaultError
from pytest_innovatorbench.evaluation.model import Evaluation
from pytest_innovatorbench.hostile import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    Json: TypeAlias = dict[str, Any]

FULL = 100.0
LONGEST_MESSAGE = 4_000
LONGEST_NAME = 100
_TYPE_NAMES = {
    type(None): "null",
    bool: "true or false",
    str: "a string",
    list: "a list",
    dict: "a dict",
    int: "a number",
    float: "a number",
}


def judge(message: bytes) -> Evaluation:
    """Turn the worker's message into a verdict.

    Args:
        message: One line of JSON.

    Returns:
        The score, or the fault that keeps the evaluator's results from being one.

    Raises:
        EvaluatorFaultError: There are no results at all.
    """
    results = _results(_parse(message))
    metrics = {f"metric_{number}": plain(_outcome(result)) for number, result in enumerate(results)}
    for name, result in zip(metrics, results, strict=True):
        if problem := _problem(name, result):
            return _faulty(problem, metrics, results)
    total = sum(float(_outcome(result)["score"]) for result in results)
    if not math.isfinite(total):
        return _faulty("evaluator's scores sum to more than a number can hold", metrics, results)
    return Evaluation(
        score=max(0.0, min(FULL, total)),
        unclamped=total,
        metrics=metrics,
        message=printable("\n".join(_words(results)), LONGEST_MESSAGE),
        violation=_violation(results),
    )


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value that every parser and encoding takes: no NaN, no lone surrogates."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def _parse(message: bytes) -> Json:
    try:
        parsed = json.loads(message)
    except (ValueError, RecursionError) as problem:
        raise EvaluatorFaultError("evaluator sent a message that is not JSON", detail=str(problem)) from None
    if not isinstance(parsed, dict):
        raise EvaluatorFaultError("evaluator sent a message of the wrong form")
    return parsed


def _results(message: Json) -> list[Json]:
    if "raised" in message:
        raise EvaluatorFaultError(_accident(message), detail=printable(str(message.get("traceback")), 10_000))
    results = message.get("results")
    if not isinstance(results, list) or not all(_is_result(result) for result in results):
        raise EvaluatorFaultError("evaluator's results have no to_dict of the published form")
    if not results:
        raise EvaluatorFaultError("evaluator has no results: TaskBenchmark needs a run_1")
    return results


def _is_result(result: object) -> bool:
    return isinstance(result, dict) and isinstance(result.get("metric"), dict)


def _outcome(result: Json) -> Any:  # noqa: ANN401 - any JSON value
    return result["metric"].get("eval_results")


def _accident(message: Json) -> str:
    if isinstance(message.get("missing"), str):
        return f"evaluator needs a package that its environment lacks: {_name(message['missing'])}"
    return f"evaluator raised {_name(message.get('raised'))} in {_name(message.get('during'))}"


def _problem(name: str, result: Json) -> str | None:
    """Return why a result is not a score, in one line without paths, or ``None`` if it is one."""
    where = f"{_name(result['run'])} ({name})" if result.get("run") else name
    if "raised" in result:
        return f"evaluator raised {_name(result['raised'])} in {where}"
    outcome = _outcome(result)
    if not isinstance(outcome, dict):
        return f"evaluator returned {_TYPE_NAMES[type(outcome)]} instead of a dict in {where}"
    if "score" not in outcome:
        return f"evaluator returned no score in {where}"
    if not _is_finite(outcome["score"]):
        return f"evaluator's score in {where} is {_shape(outcome['score'])}, not a finite number"
    return None


def _is_finite(score: object) -> bool:
    try:
        return isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
    except OverflowError:
        return False


def _shape(score: object) -> str:
    if isinstance(score, float):
        return str(score)
    is_number = isinstance(score, int) and not isinstance(score, bool)
    return "too large" if is_number else _TYPE_NAMES[type(score)]


def _name(value: object) -> str:
    return printable(str(value), LONGEST_NAME).replace("\n", " ")


def _faulty(problem: str, metrics: Json, results: list[Json]) -> Evaluation:
    details = [
        str(result.get("traceback") or result["metric"].get("error_message") or "") for result in results
    ]
    return Evaluation(
        score=None,
        unclamped=None,
        metrics=metrics,
        message="",
        fault="evaluator",
        error=problem,
        detail=printable("\n".join(filter(None, details)), 10_000),
    )


def _words(results: list[Json]) -> Iterator[str]:
    """Yield what the evaluator says, also in the nested form that published tasks use."""
    for result in results:
        outcome = _outcome(result)
        nested = outcome.get("test_set_result")
        for holder in (outcome, nested if isinstance(nested, dict) else {}):
            for key in ("message", "error"):
                said = holder.get(key)
                if said not in (None, "", False):
                    yield said if isinstance(said, str) else json.dumps(said)


def _violation(results: list[Json]) -> str | None:
    for result in results:
        said = _outcome(result).get("violation")
        if isinstance(said, str) and said.strip():
            return _name(said.strip())
    return None
