from __future__ import annotations

import pytest

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.text import (
    cut_end,
    cut_middle,
    display_width,
    duration_text,
    hint_text,
    pad,
    score_text,
    status_text,
)
from pytest_innovatorbench.runs.model import Status
from tests.unit.reports.samples import HOSTILE, MakeResult


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode 漢字", "plain text, ünïcode 漢字"),
        ("two\nlines\r\n\tand \u2028 more", "two lines and more"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\u202eright to left", r"\u202eright to left"),
        ("half \ud800 pair", r"half \ud800 pair"),
        ("nul\0 and c1 \x9b2J", r"nul\x00 and c1 \x9b2J"),
        ("", ""),
        ("\n \n", ""),
        ("\r\n::error::said", r"\x3a:error::said"),
        (":one colon, a::b", ":one colon, a::b"),
        ("said ##[error]so", r"said \x23#[error]so"),
        ("###vso[task.complete]", r"#\x23#vso[task.complete]"),
        ("## a heading [with] brackets", "## a heading [with] brackets"),
    ],
)
def test_foreign_text_becomes_one_visible_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_one_line_is_printable_and_can_be_encoded() -> None:
    line = one_line(HOSTILE)
    assert line.isprintable()
    assert line.encode()


def test_one_line_cuts_what_is_long() -> None:
    assert one_line("x" * 1000, 10) == "xxxxxxx..."
    assert len(one_line("\x1b" * 10**6)) == 500


@pytest.mark.parametrize(
    ("width", "shown"),
    [(20, "loss_noisy_labels"), (17, "loss_noisy_labels"), (12, "loss_...bels"), (3, "..."), (0, "")],
)
def test_the_middle_of_a_long_name_is_cut(width: int, shown: str) -> None:
    assert cut_middle("loss_noisy_labels", width) == shown


@pytest.mark.parametrize(
    ("width", "shown"), [(9, "one line "), (8, "one l..."), (2, ".."), (0, ""), (-1, "")]
)
def test_the_end_of_a_long_line_is_cut(width: int, shown: str) -> None:
    assert cut_end("one line ", width) == shown


def test_wide_characters_take_two_cells() -> None:
    assert display_width("漢字e\u0301") == 5
    assert cut_end("漢字漢字", 7) == "漢字..."
    assert display_width(cut_middle("漢字漢字漢字", 8)) <= 8
    assert pad("漢", 4) == "漢  "
    assert pad("7", 3, right=True) == "  7"


@pytest.mark.parametrize(
    ("score", "text"),
    [(None, "-"), (0.0, "0.0"), (-0.04, "0.0"), (76.44, "76.4"), (100.0, "100.0")],
)
def test_scores_have_one_decimal(score: float | None, text: str) -> None:
    assert score_text(score) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0.0s"),
        (0.0, "0.0s"),
        (3.44, "3.4s"),
        (59.94, "59.9s"),
        (59.96, "1m00s"),
        (151.0, "2m31s"),
        (3599.7, "1h00m"),
        (11_100.0, "3h05m"),
        (100_800.0, "1d04h"),
        (float("nan"), "-"),
        (float("inf"), "-"),
    ],
)
def test_times_are_in_their_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_hints_show_what_they_cost(result: MakeResult) -> None:
    assert hint_text(result()) == "no"
    assert hint_text(result(hints=1)) == "yes"
    assert hint_text(result(hints=2, penalty=10.0)) == "-10"
    assert hint_text(result(hints=1, penalty=2.5)) == "-2.5"


def test_the_ways_to_end_are_kept_apart(result: MakeResult) -> None:
    assert status_text(result()) == "SCORED"
    assert status_text(result(ending="crashed")) == "SCORED (agent crashed)"
    assert status_text(result(status=Status.VIOLATION)) == "VIOLATION"
    assert status_text(result(status=Status.INTERRUPTED)) == "INTERRUPTED"
    unscoreable = result(status=Status.UNSCOREABLE, fault="machine", ending="crashed")
    assert status_text(unscoreable) == "UNSCOREABLE (machine)"
