from __future__ import annotations

import platform
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path

from pytest_innovatorbench.reports.document import (
    ROW_LIMIT,
    ReportDocument,
    harness_versions,
    left_out_text,
    report_document,
    rows_shown,
)
from pytest_innovatorbench.runs.model import Status
from tests.unit.reports.samples import MakeResult


class Colour(Enum):
    RED = "red"


def test_attempts_come_by_agent_domain_task_and_seed(result: MakeResult) -> None:
    document = report_document(
        [
            result("task_10"),
            result("task_2", seed=10),
            result("task_2", seed=9),
            result("task_30", domain="DC"),
            result("task_2", "baseline"),
        ]
    )
    assert [attempt.attempt for attempt in document.results] == [
        "task_2-baseline-0",
        "task_30-oracle-0",
        "task_2-oracle-9",
        "task_2-oracle-10",
        "task_10-oracle-0",
    ]
    assert [agent.agent for agent in document.agents] == ["baseline", "oracle"]


def test_a_name_of_many_digits_can_be_ordered(result: MakeResult) -> None:
    document = report_document([result("9" * 400), result("a²"), result("9" * 399)])
    assert len(document.results) == 3


def test_numbers_that_are_none_become_none(hostile: ReportDocument) -> None:
    first, second = hostile.results
    assert (first.first, first.best, first.final) == (None, None, None)
    assert (first.baseline, first.reference, first.penalty, first.seconds) == (0.0, 0.0, 0.0, 0.0)
    assert first.curve == ((2.0, 50.0),)
    assert second.final == 50.0
    assert hostile.agents[0].average.final.value == 50.0


def test_scores_too_large_to_average_are_left_out(result: MakeResult) -> None:
    document = report_document([result(final=1e308), result("two", final=1e308)])
    assert document.agents[0].average.final.value is None


def test_all_text_is_printable(hostile: ReportDocument) -> None:
    attempt = hostile.results[0]
    texts = (
        attempt.task,
        attempt.agent,
        attempt.domain,
        attempt.ending,
        attempt.started,
        str(attempt.run_dir),
    )
    assert all(text.isprintable() for text in texts)
    assert attempt.error
    assert attempt.error.startswith(r"\x1b[31m<script>")


def test_an_empty_error_is_none(result: MakeResult) -> None:
    assert report_document([result(error="\n")]).results[0].error is None
    assert report_document([result(error=None)]).results[0].error is None


def test_settings_become_plain_json_values() -> None:
    settings = {
        "paths": (Path("a/b"),),
        "limits": {"hours": float("inf"), "steps": 3, "share": 0.5},
        "hints": True,
        "seed": None,
        "status": Status.SCORED,
        "colour": Colour.RED,
    }
    assert report_document([], settings).settings == {
        "paths": ["a/b"],
        "limits": {"hours": None, "steps": 3, "share": 0.5},
        "hints": True,
        "seed": None,
        "status": "scored",
        "colour": "Colour.RED",
    }


def test_the_time_is_in_utc() -> None:
    made = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=2)))
    assert report_document([], created=made).created == "2026-01-02T01:04:05+00:00"
    assert report_document([]).created.endswith("+00:00")


def test_the_versions_are_of_this_process() -> None:
    versions = harness_versions()
    assert versions["python"] == platform.python_version()
    assert set(versions) == {"pytest-innovatorbench", "pytest", "python", "system"}


def test_very_many_attempts_show_those_that_enter_no_mean(result: MakeResult) -> None:
    many = [result(seed=seed) for seed in range(ROW_LIMIT)]
    assert len(rows_shown(report_document(many))) == ROW_LIMIT
    document = report_document([*many, result("bad", status=Status.VIOLATION)], run_dir=Path("/runs"))
    assert [attempt.task for attempt in rows_shown(document)] == ["bad"]
    assert left_out_text(document, 1) == (
        "200 attempts left out here: see the records in /runs or a JSON report (json:PATH)"
    )
    assert left_out_text(document, 201) == ""


def test_very_many_failures_are_limited_too(result: MakeResult) -> None:
    document = report_document(result(seed=seed, status=Status.VIOLATION) for seed in range(10_000))
    assert len(rows_shown(document)) == ROW_LIMIT
    assert left_out_text(document, ROW_LIMIT).startswith(
        "9,800 attempts left out here: see the records of the run or"
    )
