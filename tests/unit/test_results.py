"""docs/results.md says what was published and what was measured of the built-in tasks."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.suite import (
    KEPT,
    MODELS,
    PUBLISHED,
    PUBLISHED_MEANS,
    SEEDS,
    Survey,
    calibration_table,
    domain_table,
)
from pytest_innovatorbench.tasks.benchmark import builtin_root, open_benchmark

PAGE = Path(__file__).parents[2] / "docs/results.md"
TASKS_OF_DOMAINS = {"DC": 4, "DF": 3, "DA": 5, "LD": 3, "RD": 2, "SC": 3}
SURVEYS: list[Survey] = json.loads(KEPT.read_text("utf-8"))


def scores(survey: Survey, kind: str) -> list[float]:
    return [row["score"] for row in survey["rows"] if row["kind"] == kind]


def test_the_page_has_the_tables_of_what_was_measured() -> None:
    page = PAGE.read_text("utf-8")
    for table in (calibration_table(SURVEYS), domain_table(SURVEYS)):
        assert "\n".join(table) in page, "run python -m benchmarks.suite --show and paste"


def test_every_built_in_task_was_measured() -> None:
    assert {survey["task"] for survey in SURVEYS} == set(open_benchmark(builtin_root()).task_ids)


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey["task"])
def test_what_was_measured_is_in_its_band(survey: Survey) -> None:
    assert survey["in_band"]
    assert all(row["is_fine"] for row in survey["rows"])
    (baseline,), (reference,) = scores(survey, "baseline"), scores(survey, "reference")
    oracle = scores(survey, "oracle")
    assert 0 <= baseline <= 2
    assert 70 <= reference <= 80
    assert len(oracle) == SEEDS
    assert 70 <= min(oracle) <= max(oracle) <= 80
    assert all(20 <= score <= 60 for score in scores(survey, "intermediate"))
    assert scores(survey, "intermediate")


def test_published_means_are_those_of_the_domains() -> None:
    for index in range(len(MODELS)):
        for kind in (0, 1):
            total = sum(count * PUBLISHED[domain][index][kind] for domain, count in TASKS_OF_DOMAINS.items())
            assert total / 20 == pytest.approx(PUBLISHED_MEANS[index][kind], abs=0.02)


def test_domains_without_a_task_say_so() -> None:
    only = [survey for survey in SURVEYS if survey["domain"] == "LD"]
    rows = list(domain_table(only))
    assert rows[2] == "| DC | 25.47 / 26.88 | 8.41 / 8.41 | 15.29 / 22.65 | 14.01 / 14.08 | - | - | - |"
    mean = f"{fmean(scores(only[0], 'oracle')):.1f}"
    assert rows[5].endswith(f" {mean} |")
    assert rows[-1].endswith(f" {mean} |")
