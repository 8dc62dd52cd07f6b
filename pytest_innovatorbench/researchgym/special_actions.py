"""Actions of the benchmark itself: evaluate, view the hint, finish."""

from __future__ import annotations

from pytest_innovatorbench.researchgym.actions import ActionKind

SPECIAL_ACTIONS = (
    ActionKind(
        name="eval",
        meaning="Evaluate what is in /workspace/data/outputs now and return its score. Evaluations are few.",
        parameters=(),
        perform=lambda desk, _: desk.evaluate(),
    ),
    ActionKind(
        name="view_hint",
        meaning="Show the task's hint. Points are taken off every later score, once.",
        parameters=(),
        perform=lambda desk, _: desk.view_hint(),
    ),
    ActionKind(
        name="finish",
        meaning="End the attempt. What is in /workspace/data/outputs then is the final submission.",
        parameters=(),
        perform=lambda desk, _: desk.finish(),
    ),
)
