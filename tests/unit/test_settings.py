from __future__ import annotations

import pytest

from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.settings import (
    Interval,
    parse_duration,
    parse_interval,
    parse_list,
    parse_run_id,
    parse_score,
    parse_seeds,
    parse_whole,
)


def test_lists_are_split_cleaned_and_kept_in_order() -> None:
    assert parse_list(["b, a", "", "a,c", " "]) == ("b", "a", "c")


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (0, 1, 2)), ("1", (0,)), ("2-4", (2, 3, 4)), ("7,1,7", (7, 1)), ("9,", (9,))]
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds("--ibench-seeds", text) == seeds


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "4-2", ",", "1,x", "100001", "0-99999999999", "1.5"])
def test_seeds_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--ibench-seeds: .* give a number of seeds \(5\)"):
        parse_seeds("--ibench-seeds", text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5m", 90), ("36h", 129_600), ("2 d", 172_800), ("0.5s", 0.5), ("1H", 3600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration("--x", text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "h", "1w", "nan", "1h30m", "1e9"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--x: .* is not a duration: give seconds, or 15m, 36h, 2d"):
        parse_duration("--x", text)


def test_whole_numbers_and_scores_have_bounds() -> None:
    assert parse_whole("--x", "0", least=0) == 0
    assert parse_score("--x", "70.5") == 70.5
    with pytest.raises(SettingsError, match=r"--x: '1\.0' is not allowed: give a whole number from 1 up"):
        parse_whole("--x", "1.0", least=1)
    for text in ("-1", "100.1", "nan", "inf", ""):
        with pytest.raises(SettingsError, match="is not a score: give a number from 0 to 100"):
            parse_score("--x", text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "-a", "a b", "a\n", "x" * 101])
def test_run_ids_that_cannot_name_a_folder(text: str) -> None:
    with pytest.raises(SettingsError, match="cannot name a folder"):
        parse_run_id("--x", text)


def test_run_ids() -> None:
    assert parse_run_id("--x", "2026-11.22_a+b=c@d") == "2026-11.22_a+b=c@d"


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("15m", Interval(seconds=900)),
        ("90", Interval(seconds=90)),
        ("200steps", Interval(steps=200)),
        ("1 Step", Interval(steps=1)),
        ("eval", Interval()),
    ],
)
def test_intervals(text: str, interval: Interval) -> None:
    assert parse_interval("--ibench-snapshot-every", text) == interval


@pytest.mark.parametrize("text", ["often", "0steps", "-1steps", "1.5steps", "0", "steps", "evals"])
def test_intervals_that_are_none(text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"is not understood: give a time \(15m\), steps \(200steps\) or eval$"
    ):
        parse_interval("--ibench-snapshot-every", text)
