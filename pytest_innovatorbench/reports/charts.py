"""Inline SVG charts: final scores against baseline and reference, and scores over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.reports.markup import Markup, element, joined
from pytest_innovatorbench.reports.summary import grouped, is_counted, task_mean
from pytest_innovatorbench.reports.text import count_text, cut_middle, duration_text, score_text, status_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_innovatorbench.runs.model import AttemptResult

# Bars: everything in user units, one unit being a CSS pixel at full width.
_WIDTH, _LEFT, _RIGHT = 960, 232, 168
_PLOT = _WIDTH - _LEFT - _RIGHT
_ROW, _BAR, _HEADING, _GAP, _TOP = 22, 12, 24, 10, 46

_MOST_DOTS = 20

# Curves: one small chart per attempt.
_CURVE_WIDTH, _CURVE_HEIGHT = 240, 132
_CURVE_LEFT, _CURVE_RIGHT, _CURVE_TOP, _CURVE_BOTTOM = 26, 12, 10, 20


def bar_chart(tasks: Sequence[Sequence[AttemptResult]], colours: Mapping[str, int]) -> Markup:
    """Return a chart with a bar for each task and agent.

    A bar is the mean over the counted seeds; where there are a few, each has a dot. Each task has
    marks for the scores of its baseline and its reference.

    Args:
        tasks: The attempts at each task, by all agents.
        colours: Number of each agent's colour.
    """
    has_headings = len(colours) > 1
    blocks: list[Markup] = []
    top = _TOP
    for attempts in tasks:
        block, height = _task_block(attempts, colours, has_headings=has_headings)
        blocks.append(element("g", block, transform=f"translate(0 {top})"))
        top += height
    return element(
        "svg",
        element("title", "Final scores", id="bars-title"),
        element("desc", _bars_description(len(tasks)), id="bars-desc"),
        _grid(top),
        _legend(has_seeds=any(_dotted(seeds) for task in tasks for seeds in grouped(task, _agent).values())),
        *blocks,
        viewBox=f"0 0 {_WIDTH} {top + 4}",
        role="img",
        class_="bars",
        aria_labelledby="bars-title bars-desc",
    )


def _bars_description(tasks: int) -> str:
    return (
        f"A bar for each agent at {count_text(tasks, 'task')}, on a scale from 0 to 100, "
        "with marks for the baseline and the reference. The table of attempts has the same figures."
    )


def _x(score: float) -> float:
    return _LEFT + _PLOT * min(max(score, 0.0), 100.0) / 100


def _grid(bottom: int) -> Markup:
    lines = [
        joined(
            element("line", x1=_x(tick), x2=_x(tick), y1=_TOP - 6, y2=bottom, class_="grid"),
            element("text", str(tick), x=_x(tick), y=_TOP - 12, class_="tick", text_anchor="middle"),
        )
        for tick in range(0, 101, 20)
    ]
    return joined(*lines)


def _legend(*, has_seeds: bool) -> Markup:
    seeds = joined(
        element("circle", cx=272, cy=9, r=2.5, class_="dot"), element("text", "one seed", x=282, y=13)
    )
    return element(
        "g",
        element("line", x1=0, x2=0, y1=2, y2=16, class_="reference"),
        element("text", "reference", x=8, y=13),
        element("line", x1=80, x2=80, y1=2, y2=16, class_="baseline"),
        element("text", "baseline", x=88, y=13),
        element("rect", x=152, y=3, width=22, height=_BAR, rx=2, class_="flagged"),
        element("text", "not counted", x=180, y=13),
        seeds if has_seeds else None,
        transform=f"translate({_LEFT} 0)",
        class_="legend",
    )


def _task_block(
    attempts: Sequence[AttemptResult], colours: Mapping[str, int], *, has_headings: bool
) -> tuple[Markup, int]:
    label = f"{cut_middle(attempts[0].task, 80)} ({attempts[0].domain})"
    by_agent = grouped(attempts, _agent)
    top = _HEADING if has_headings else 0
    bottom = top + _ROW * len(by_agent)
    rows = [
        element(
            "g",
            _bar(agent if has_headings else label, seeds, colours[agent]),
            transform=f"translate(0 {top + _ROW * index})",
        )
        for index, (agent, seeds) in enumerate(by_agent.items())
    ]
    heading = element("text", label, x=0, y=16, class_="heading") if has_headings else None
    marks = joined(
        _mark("reference", attempts[0].reference, top, bottom),
        _mark("baseline", attempts[0].baseline, top, bottom),
    )
    return joined(heading, *rows, marks), bottom + (_GAP if has_headings else 0)


def _agent(result: AttemptResult) -> str:
    return result.agent


def _mark(kind: str, score: float, top: int, bottom: int) -> Markup:
    title = element("title", f"{kind} {score_text(score)}")
    return element("line", title, x1=_x(score), x2=_x(score), y1=top + 1, y2=bottom - 1, class_=kind)


def _bar(label: str, seeds: Sequence[AttemptResult], colour: int) -> Markup:
    mean = task_mean(seeds)
    middle = _ROW // 2
    return joined(
        element("text", cut_middle(label, 34), element("title", label), x=0, y=middle + 4, class_="label"),
        _filled_bar(label, mean, colour) if mean is not None else _flagged_bar(label, seeds),
        *(_dot(seed, middle) for seed in _dotted(seeds)),
        element("text", _bar_text(seeds, mean), x=_LEFT + _PLOT + 12, y=middle + 4, class_="value"),
    )


def _filled_bar(label: str, mean: float, colour: int) -> Markup:
    return element(
        "rect",
        element("title", f"{label}: {score_text(mean)}"),
        x=_LEFT,
        y=(_ROW - _BAR) // 2,
        width=max(_x(mean) - _LEFT, 1.5),
        height=_BAR,
        rx=2,
        class_=f"agent-{colour}",
    )


def _flagged_bar(label: str, seeds: Sequence[AttemptResult]) -> Markup | None:
    shown = max((seed.final for seed in seeds if seed.final is not None), default=None)
    if shown is None:
        return None
    title = element("title", f"{label}: {score_text(shown)}, not counted")
    width = max(_x(shown) - _LEFT, 1.5)
    return element(
        "rect", title, x=_LEFT, y=(_ROW - _BAR) // 2, width=width, height=_BAR, rx=2, class_="flagged"
    )


def _dotted(seeds: Sequence[AttemptResult]) -> Sequence[AttemptResult]:
    counted = [seed for seed in seeds if is_counted(seed)]
    return counted if 1 < len(counted) <= _MOST_DOTS else ()


def _dot(seed: AttemptResult, middle: int) -> Markup:
    title = element("title", f"seed {seed.seed}: {score_text(seed.final)}")
    return element("circle", title, cx=_x(seed.final or 0.0), cy=middle, r=2.5, class_="dot")


def _bar_text(seeds: Sequence[AttemptResult], mean: float | None) -> str:
    counted = sum(map(is_counted, seeds))
    if mean is None and len(seeds) == 1:
        status = status_text(seeds[0]).lower()
        return status if seeds[0].final is None else f"{status} {score_text(seeds[0].final)}"
    text = score_text(mean)
    return text if counted == len(seeds) else f"{text} ({counted} of {len(seeds)} seeds)"


def curve_chart(result: AttemptResult, number: int, colour: int) -> Markup:
    """Return a small chart of one attempt's scores over its working time.

    Args:
        result: The attempt.
        number: A number that no other chart of the page has.
        colour: Number of the agent's colour.
    """
    title, description = f"curve-{number}-title", f"curve-{number}-desc"
    longest = max([result.seconds, *(seconds for seconds, _ in result.curve)]) or 1.0
    points = [(_curve_x(seconds / longest), _curve_y(score)) for seconds, score in result.curve]
    return element(
        "svg",
        element("title", f"Scores of {result.attempt}", id=title),
        element("desc", _curve_description(result), id=description),
        _curve_frame(result, longest),
        _curve_line(points, result, colour),
        viewBox=f"0 0 {_CURVE_WIDTH} {_CURVE_HEIGHT}",
        role="img",
        class_="curve",
        aria_labelledby=f"{title} {description}",
    )


def _curve_description(result: AttemptResult) -> str:
    scores = ", ".join(f"{score_text(score)} at {duration_text(at)}" for at, score in result.curve[:20])
    return scores or "no scored evaluation"


def _curve_x(share: float) -> float:
    return _CURVE_LEFT + (_CURVE_WIDTH - _CURVE_LEFT - _CURVE_RIGHT) * min(max(share, 0.0), 1.0)


def _curve_y(score: float) -> float:
    height = _CURVE_HEIGHT - _CURVE_TOP - _CURVE_BOTTOM
    return _CURVE_TOP + height * (1 - min(max(score, 0.0), 100.0) / 100)


def _curve_frame(result: AttemptResult, longest: float) -> Markup:
    ticks = [
        joined(
            _level(float(tick), "grid"),
            element("text", str(tick), x=_CURVE_LEFT - 5, y=_curve_y(tick) + 3.5, text_anchor="end"),
        )
        for tick in (0, 50, 100)
    ]
    foot = _CURVE_HEIGHT - 5
    return joined(
        *ticks,
        _level(result.reference, "reference"),
        _level(result.baseline, "baseline"),
        element("text", "0", x=_CURVE_LEFT, y=foot),
        element("text", duration_text(longest), x=_curve_x(1), y=foot, text_anchor="end"),
    )


def _level(score: float, kind: str) -> Markup:
    height = _curve_y(score)
    return element("line", x1=_CURVE_LEFT, x2=_curve_x(1), y1=height, y2=height, class_=kind)


def _curve_line(points: Sequence[tuple[float, float]], result: AttemptResult, colour: int) -> Markup:
    if not points:
        middle = _curve_x(0.5)
        return element("text", "no scored evaluation", x=middle, y=_curve_y(50) - 6, text_anchor="middle")
    path = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
    return element(
        "g",
        element("polyline", points=path) if len(points) > 1 else None,
        *_curve_dots(points, result.curve),
        class_=f"agent-{colour}",
    )


def _curve_dots(
    points: Sequence[tuple[float, float]], curve: Iterable[tuple[float, float]]
) -> Iterable[Markup]:
    for index, ((x, y), (seconds, score)) in enumerate(zip(points, curve, strict=True), 1):
        title = element("title", f"{score_text(score)} at {duration_text(seconds)}")
        yield element("circle", title, cx=x, cy=y, r=4.5 if index == len(points) else 3.0)
