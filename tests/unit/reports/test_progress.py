from __future__ import annotations

import pytest

from pytest_innovatorbench.reports.progress import (
    Progress,
    ProgressEvent,
    RunningAttempt,
    plain_line,
    status_line,
    status_lines,
)
from pytest_innovatorbench.reports.text import display_width
from tests.unit.reports.samples import HOSTILE

TWO = Progress(
    done=3,
    total=8,
    running=(
        RunningAttempt(
            attempt="loss_noisy_labels-oracle-0", seconds=72.0, evals=2, last_score=76.44, doing="run_command"
        ),
        RunningAttempt(attempt="filter_noisy_pool-nop-0", seconds=3.0),
    ),
)
MANY = Progress(
    done=0,
    total=1000,
    running=tuple(RunningAttempt(attempt=f"task_{number}-oracle-0", seconds=1.0) for number in range(200)),
)


def test_one_line_names_what_runs() -> None:
    assert status_line(TWO, 140) == (
        "3 of 8 attempts done, 2 running | loss_noisy_labels-oracle-0 1m12s, eval 2: 76.4"
        " | filter_noisy_pool-nop-0 3.0s"
    )


def test_one_line_counts_those_it_has_no_room_for() -> None:
    assert status_line(TWO, 100) == (
        "3 of 8 attempts done, 2 running | loss_noisy_labels-oracle-0 1m12s, eval 2: 76.4 | 1 more"
    )
    assert status_line(MANY, 80) == (
        "0 of 1,000 attempts done, 200 running | task_0-oracle-0 1.0s | 199 more"
    )


def test_nothing_running_leaves_the_counts() -> None:
    assert status_line(Progress(done=1, total=1)) == "1 of 1 attempt done"
    assert status_lines(Progress(done=0, total=0)) == ["0 of 0 attempts done"]


@pytest.mark.parametrize("width", [0, 1, 10, 40, 79, 80, 200])
@pytest.mark.parametrize("progress", [TWO, MANY, Progress(done=0, total=0)])
def test_no_line_is_wider_than_the_terminal(progress: Progress, width: int) -> None:
    assert display_width(status_line(progress, width)) <= width
    assert max(map(display_width, status_lines(progress, width, 5))) <= width


def test_several_lines_show_what_each_attempt_does() -> None:
    assert status_lines(TWO, 80) == [
        "3 of 8 attempts done, 2 running",
        "  loss_noisy_labels-oracle-0   1m12s  eval 2: 76.4  run_command",
        "  filter_noisy_pool-nop-0       3.0s",
    ]


@pytest.mark.parametrize(("height", "lines"), [(0, 1), (1, 1), (2, 2), (5, 5), (201, 201), (300, 201)])
def test_several_lines_keep_to_the_height(height: int, lines: int) -> None:
    assert len(status_lines(MANY, 80, height)) == lines


def test_several_lines_count_those_without_one() -> None:
    assert status_lines(MANY, 80, 4)[1:] == [
        "  task_0-oracle-0    1.0s",
        "  task_1-oracle-0    1.0s",
        "  198 more",
    ]


def test_hostile_words_stay_on_their_line() -> None:
    progress = Progress(
        done=0, total=1, running=(RunningAttempt(attempt=HOSTILE, seconds=float("nan"), doing=HOSTILE),)
    )
    lines = [status_line(progress, 300), *status_lines(progress, 300)]
    event = ProgressEvent(kind="running", attempt=HOSTILE, done=0, total=1, detail=HOSTILE)
    assert all(line.isprintable() for line in [*lines, plain_line(event)])


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            ProgressEvent(kind="started", attempt="sort_it-nop-0", done=3, total=8),
            "[3/8] sort_it-nop-0 started",
        ),
        (
            ProgressEvent(
                kind="evaluated", attempt="sort_it-nop-0", done=3, total=8, seconds=72.0, evals=2, score=76.44
            ),
            "[3/8] sort_it-nop-0 eval 2: 76.4 after 1m12s",
        ),
        (
            ProgressEvent(
                kind="evaluated",
                attempt="sort_it-nop-0",
                done=3,
                total=8,
                seconds=72.0,
                evals=1,
                detail="the evaluator failed",
            ),
            "[3/8] sort_it-nop-0 eval 1: - after 1m12s, the evaluator failed",
        ),
        (
            ProgressEvent(kind="running", attempt="sort_it-nop-0", done=3, total=8, seconds=600.0),
            "[3/8] sort_it-nop-0 running for 10m00s",
        ),
        (
            ProgressEvent(
                kind="running",
                attempt="sort_it-nop-0",
                done=3,
                total=8,
                seconds=600.0,
                evals=1,
                score=5.0,
                detail="run_command",
            ),
            "[3/8] sort_it-nop-0 running for 10m00s, eval 1: 5.0, run_command",
        ),
        (
            ProgressEvent(
                kind="ended",
                attempt="sort_it-nop-0",
                done=4,
                total=8,
                seconds=600.0,
                score=76.4,
                detail="SCORED",
            ),
            "[4/8] sort_it-nop-0 SCORED 76.4 after 10m00s",
        ),
        (
            ProgressEvent(
                kind="ended",
                attempt="sort_it-nop-0",
                done=4,
                total=8,
                seconds=1.0,
                detail="UNSCOREABLE (machine)",
            ),
            "[4/8] sort_it-nop-0 UNSCOREABLE (machine) after 1.0s",
        ),
    ],
)
def test_a_log_gets_one_line_for_each_event(event: ProgressEvent, line: str) -> None:
    assert plain_line(event) == line
