from __future__ import annotations

import pytest

from pytest_innovatorbench.reports.summary import (
    Mean,
    Uncounted,
    denominator_text,
    is_counted,
    note_text,
    summarise,
    task_mean,
)
from pytest_innovatorbench.runs.model import Status
from tests.unit.reports.samples import MakeResult


def test_the_weighted_average_is_the_plain_mean_over_tasks(result: MakeResult) -> None:
    (agent,) = summarise(
        [
            result("one", domain="DC", final=10.0),
            result("two", domain="DC", final=20.0),
            result("three", domain="SC", final=90.0),
        ]
    )
    assert agent.average.final == Mean(value=40.0, counted=3, of=3)
    finals = {part.domain: part.scores.final.value for part in agent.domains}
    assert finals == {"DC": 15.0, "SC": 90.0}


def test_the_published_weighted_average_comes_out(result: MakeResult) -> None:
    # GPT-5's final scores at the twenty tasks, published with the average 12.04.
    scores = [0, 0, 0, 33.62, 13.36, 0, 13.55, 0, 0, 0, 0, 0, 0, 0.12, 0, 0, 0, 0, 92.45, 87.76]
    (agent,) = summarise(result(f"task_{number}", final=score) for number, score in enumerate(scores, 1))
    assert agent.average.final.value == pytest.approx(12.04, abs=0.005)
    assert denominator_text(agent.average.final) == "20 of 20 tasks"


def test_a_task_counts_once_however_many_seeds_it_has(result: MakeResult) -> None:
    seeds = [result("one", seed=seed, final=score) for seed, score in enumerate([10.0, 20.0, 30.0])]
    (agent,) = summarise([*seeds, result("two", final=60.0)])
    assert agent.average.final == Mean(value=40.0, counted=2, of=2)
    assert agent.attempts == agent.counted == 4


def test_first_best_and_final_have_their_own_means(result: MakeResult) -> None:
    (agent,) = summarise([result(), result("two", first=None, best=90.0, final=70.0)])
    assert agent.average.first == Mean(value=40.0, counted=1, of=2)
    assert agent.average.best == Mean(value=85.0, counted=2, of=2)
    assert agent.average.final == Mean(value=65.0, counted=2, of=2)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (Status.UNSCOREABLE, "evaluator"),
        (Status.UNSCOREABLE, "machine"),
        (Status.VIOLATION, None),
        (Status.INTERRUPTED, None),
    ],
)
def test_what_was_not_scored_enters_no_mean_and_is_listed(
    result: MakeResult, status: Status, fault: str | None
) -> None:
    (agent,) = summarise([result(final=60.0), result("two", status=status, fault=fault, final=100.0)])
    assert agent.average.final == Mean(value=60.0, counted=1, of=2)
    assert agent.average.best == Mean(value=80.0, counted=1, of=2)
    assert agent.counted == 1
    assert [(kind.status, kind.fault, kind.attempts) for kind in agent.uncounted] == [(status, fault, 1)]


def test_a_crashed_agent_is_counted(result: MakeResult) -> None:
    assert is_counted(result(ending="crashed"))


def test_a_seed_that_was_not_scored_leaves_its_task_counted(result: MakeResult) -> None:
    seeds = [
        result(final=10.0),
        result(seed=1, status=Status.VIOLATION, final=90.0),
        result(seed=2, final=20.0),
    ]
    (agent,) = summarise(seeds)
    assert agent.average.final == Mean(value=15.0, counted=1, of=1)
    assert note_text(agent) == "means go over 2 of 3 attempts; not counted: 1 violation"
    assert task_mean(seeds) == 15.0
    assert task_mean(seeds[1:2]) is None


def test_nothing_scored_has_no_mean_rather_than_zero(result: MakeResult) -> None:
    (agent,) = summarise([result(status=Status.UNSCOREABLE, fault="machine", final=None)])
    assert agent.average.final == Mean(value=None, counted=0, of=1)
    assert denominator_text(agent.average.final) == "0 of 1 task"


def test_a_scored_attempt_without_a_final_score_is_not_counted(result: MakeResult) -> None:
    (agent,) = summarise([result(final=None), result("two")])
    assert agent.uncounted == (Uncounted(status=Status.SCORED, fault=None, attempts=1),)
    assert note_text(agent) == "means go over 1 of 2 attempts; not counted: 1 without a final score"


def test_the_note_names_every_kind(result: MakeResult) -> None:
    (agent,) = summarise(
        [
            result("one", status=Status.VIOLATION),
            result("two", status=Status.VIOLATION),
            result("three", status=Status.UNSCOREABLE, fault="machine"),
            result("four", status=Status.UNSCOREABLE, fault="evaluator"),
            result("five", status=Status.INTERRUPTED),
        ]
    )
    assert note_text(agent) == (
        "means go over 0 of 5 attempts; not counted: "
        "1 interrupted, 1 unscoreable (evaluator), 1 unscoreable (machine), 2 violations"
    )


def test_agents_are_kept_apart_and_all_counted_needs_no_note(result: MakeResult) -> None:
    oracle, baseline = summarise([result(final=80.0), result(agent="baseline", final=1.0)])
    assert (oracle.agent, oracle.average.final.value) == ("oracle", 80.0)
    assert (baseline.agent, baseline.average.final.value) == ("baseline", 1.0)
    assert note_text(oracle) == ""


def test_no_attempts_have_no_summaries() -> None:
    assert summarise([]) == ()
