from __future__ import annotations

import sys

import pytest

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.reports.comparison.lines import comparison_lines
from pytest_innovatorbench.reports.comparison.model import AVERAGE, Comparison, compare, interval
from pytest_innovatorbench.reports.comparison.page import render_comparison
from pytest_innovatorbench.reports.comparison.picture import render_comparison_picture
from pytest_innovatorbench.runs.model import AttemptResult, Status
from tests.unit.reports.samples import HOSTILE, MakeResult, read_xml

WORSE, BETTER = (10.0, 20.0, 30.0), (60.0, 70.0, 80.0)


@pytest.fixture
def results(result: MakeResult) -> list[AttemptResult]:
    """Two agents at two tasks with three seeds, of which the better one lost one."""
    made = [
        result(task, agent, seed, final=score, domain=domain)
        for agent, scores in (("weak", WORSE), ("strong", BETTER))
        for task, domain in (("task_a", "LD"), ("task_b", "DF"))
        for seed, score in enumerate(scores)
    ]
    lost = result("task_b", "strong", 3, domain="DF", status=Status.UNSCOREABLE, fault="machine", final=None)
    return [*made, lost]


@pytest.fixture
def comparison(results: list[AttemptResult]) -> Comparison:
    return compare([("one", results)])


def test_agents_stand_side_by_side_with_the_best_first(comparison: Comparison) -> None:
    assert comparison_lines(comparison) == [
        "                   strong              weak",
        "task_b             70.0 [60.0, 80.0]   20.0 [10.0, 30.0]",
        "task_a             70.0 [60.0, 80.0]   20.0 [10.0, 30.0]",
        "",
        "mean DF            70.0 [60.0, 80.0]   20.0 [10.0, 30.0]",
        "mean LD            70.0 [60.0, 80.0]   20.0 [10.0, 30.0]",
        "weighted average   70.0 [63.3, 76.7]   20.0 [13.3, 26.7]",
        "",
        "final scores: means over seeds and tasks, with 95 % bootstrap intervals over seeds",
        "strong: 6 attempts at 2 of 2 tasks; means go over 6 of 7 attempts; not counted: 1 unscoreable (machine)",
        "weak: 6 attempts at 2 of 2 tasks",
    ]


def test_intervals_are_those_of_the_bootstrap_and_the_same_every_time() -> None:
    found = interval([[0.0, 100.0]])
    assert found == (0.0, 100.0)
    low, high = interval([[float(score) for score in range(101)]]) or (0, 0)
    # The standard error of the mean of 101 such scores is 2.9, and 1.96 times that is 5.7.
    assert low == pytest.approx(50 - 5.7, abs=0.6)
    assert high == pytest.approx(50 + 5.7, abs=0.6)
    assert interval([[0.0, 100.0]]) == found
    assert interval([[40.0, 40.0, 40.0]]) == pytest.approx((40.0, 40.0))


def test_there_is_no_interval_where_a_task_has_a_single_seed(result: MakeResult) -> None:
    made = [result("a", seed=0, final=10.0), result("a", seed=1, final=30.0), result("b", final=50.0)]
    (one,) = compare([("run", made)]).contenders
    assert (one.figures["a"].low, one.figures["a"].high) == (10.0, 30.0)
    assert (one.figures["b"].mean, one.figures["b"].low) == (50.0, None)
    assert (one.figures[AVERAGE].mean, one.figures[AVERAGE].low) == (35.0, None)
    assert interval([]) is None


def test_seeds_of_several_runs_are_pooled_unless_they_occur_twice(result: MakeResult) -> None:
    first = [result(seed=0, final=10.0), result(agent="other", final=1.0)]
    (oracle, other) = compare([("x", first), ("y", [result(seed=1, final=20.0)])]).contenders
    assert (oracle.label, oracle.figures[AVERAGE].mean) == ("oracle", 15.0)
    assert other.label == "other"
    labels = [one.label for one in compare([("x", first), ("y", [result(seed=0, final=20.0)])]).contenders]
    assert labels == ["oracle in y", "oracle in x", "other"]


def test_an_agent_without_scores_or_attempts_has_a_dash(result: MakeResult) -> None:
    made = [
        result("a", "one", final=5.0),
        result("b", "two", status=Status.INTERRUPTED, final=None),
    ]
    lines = comparison_lines(compare([("run", made)]))
    assert lines[:3] == [
        "                   one   two",
        "a                  5.0   -",
        "b                  -     -",
    ]
    assert (
        "two: 0 attempts at 0 of 2 tasks; means go over 0 of 1 attempt; not counted: 1 interrupted" in lines
    )


def test_an_average_over_fewer_tasks_says_so(result: MakeResult) -> None:
    made = [result("a", "one", final=5.0), result("b", "one", final=7.0), result("b", "two", final=50.0)]
    lines = comparison_lines(compare([("run", made)]))
    assert [line.split(maxsplit=2) for line in lines if line.startswith("weighted")] == [
        ["weighted", "average", "50.0 of 1/2 tasks   6.0"]
    ]
    assert lines[-3] == (
        "final scores: means over seeds and tasks; no intervals, which need two seeds of each task"
    )


def test_the_page_shows_every_figure_and_nothing_of_a_name_is_markup(
    results: list[AttemptResult], result: MakeResult
) -> None:
    page = render_comparison(compare([("run", [*results, result(HOSTILE, HOSTILE, final=3.0)])]))
    tree = read_xml(page.removeprefix("<!DOCTYPE html>").strip())
    texts = "".join(tree.itertext())
    for shown in ("Agents side by side", "70.0 [63.3, 76.7]", "20.0 [13.3, 26.7]", "weighted average"):
        assert shown in texts
    assert "<script>alert" not in page
    assert page.count('class="mean"') == 3
    assert page.count('class="range"') == 2


def test_the_picture_grows_with_agents_and_draws_any_name(comparison: Comparison, result: MakeResult) -> None:
    picture = render_comparison_picture(comparison)
    assert picture.startswith(b"\x89PNG")
    names = ["$\\frac{", "_hidden", "a$b$", HOSTILE]
    many = compare([("run", [result("\ufffd 漢 $\\frac{", name, final=1.0) for name in names])])
    assert render_comparison_picture(many).startswith(b"\x89PNG")
    alone = compare([("run", [result(final=1.0)])])
    assert int.from_bytes(render_comparison_picture(alone)[20:24]) < int.from_bytes(picture[20:24])


def test_without_matplotlib_the_command_to_install_it_is_named(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError) as caught:
        render_comparison_picture(comparison)
    assert str(caught.value) == "a picture needs matplotlib: pip install 'pytest-innovatorbench[plot]'"
