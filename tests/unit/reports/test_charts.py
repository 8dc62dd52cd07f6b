from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_innovatorbench.reports.charts import bar_chart, curve_chart
from pytest_innovatorbench.runs.model import Status
from tests.unit.reports.samples import MakeResult, read_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.runs.model import AttemptResult


def bars(*tasks: Sequence[AttemptResult]) -> ET.Element:
    agents = dict.fromkeys(result.agent for task in tasks for result in task)
    return read_xml(bar_chart(tasks, {agent: index for index, agent in enumerate(agents)}))


def classed(root: ET.Element, name: str) -> list[ET.Element]:
    return [found for found in root.iter() if found.get("class") == name and found.find("title") is not None]


def texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter("text")]


def scale(root: ET.Element) -> tuple[float, float]:
    """Return where 0 and 100 are on the axis."""
    ticks = {
        text.text: float(text.get("x", "nan")) for text in root.iter("text") if text.get("class") == "tick"
    }
    return ticks["0"], ticks["100"]


def test_bars_and_marks_are_to_scale(result: MakeResult) -> None:
    root = bars([result(final=50.0, baseline=2.0, reference=75.0)])
    left, right = scale(root)
    (bar,) = classed(root, "agent-0")
    assert float(bar.get("width", "nan")) == (right - left) / 2
    (reference,) = classed(root, "reference")
    assert float(reference.get("x1", "nan")) == left + (right - left) * 0.75
    (baseline,) = classed(root, "baseline")
    assert round(float(baseline.get("x1", "nan")), 1) == round(left + (right - left) * 0.02, 1)


def test_scores_off_the_scale_stay_on_the_chart(result: MakeResult) -> None:
    root = bars([result(final=1000.0, reference=-5.0)])
    left, right = scale(root)
    assert float(classed(root, "agent-0")[0].get("width", "nan")) == right - left
    assert float(classed(root, "reference")[0].get("x1", "nan")) == left


def test_a_bar_is_the_mean_of_its_seeds_with_a_dot_for_each(result: MakeResult) -> None:
    seeds = [result(seed=seed, final=final) for seed, final in enumerate([20.0, 60.0])]
    root = bars([*seeds, result(seed=2, status=Status.VIOLATION, final=100.0)])
    left, right = scale(root)
    (bar,) = classed(root, "agent-0")
    assert float(bar.get("width", "nan")) == round((right - left) * 0.4, 1)
    assert len(classed(root, "dot")) == 2
    assert "40.0 (2 of 3 seeds)" in texts(root)
    assert "one seed" in texts(root)


def test_what_is_not_counted_has_a_hollow_bar_and_says_why(result: MakeResult) -> None:
    root = bars(
        [result(status=Status.VIOLATION, final=99.0)],
        [result("two", status=Status.UNSCOREABLE, fault="evaluator", final=None)],
    )
    assert len(classed(root, "flagged")) == 1
    assert classed(root, "agent-0") == []
    assert {"violation 99.0", "unscoreable (evaluator)"} <= set(texts(root))


def test_several_agents_are_named_below_each_task(result: MakeResult) -> None:
    root = bars([result(), result(agent="baseline", final=1.0)], [result("two")])
    shown = texts(root)
    assert {"sort_it (LD)", "two (LD)", "oracle", "baseline"} <= set(shown)
    assert len(classed(root, "agent-1")) == 1


def test_a_chart_has_a_title_and_a_description(result: MakeResult) -> None:
    root = bars([result()])
    assert root.get("role") == "img"
    named = {found.get("id"): found.text for found in root if found.get("id")}
    assert list(named) == (root.get("aria-labelledby") or "").split()
    assert named["bars-title"] == "Final scores"


def test_a_curve_has_a_dot_for_each_evaluation(result: MakeResult) -> None:
    root = read_xml(curve_chart(result(), 3, 0))
    dots = list(root.iter("circle"))
    assert [dot.findtext("title") for dot in dots] == ["40.0 at 10.0s", "80.0 at 20.0s", "60.0 at 30.0s"]
    heights = [float(dot.get("cy", "nan")) for dot in dots]
    assert heights[1] < heights[2] < heights[0]
    assert root.findtext("desc") == "40.0 at 10.0s, 80.0 at 20.0s, 60.0 at 30.0s"
    assert (root.get("aria-labelledby") or "").split() == ["curve-3-title", "curve-3-desc"]


def test_a_single_evaluation_has_no_line_and_none_says_so(result: MakeResult) -> None:
    single = read_xml(curve_chart(result(curve=((1.0, 5.0),)), 1, 0))
    assert len(list(single.iter("circle"))) == 1
    assert list(single.iter("polyline")) == []
    empty = read_xml(curve_chart(result(curve=(), seconds=0.0), 1, 0))
    assert "no scored evaluation" in texts(empty)
    assert empty.findtext("desc") == "no scored evaluation"


def test_a_curve_without_any_time_is_drawn(result: MakeResult) -> None:
    root = read_xml(curve_chart(result(curve=((0.0, 5.0),), seconds=0.0), 1, 0))
    assert len(list(root.iter("circle"))) == 1
