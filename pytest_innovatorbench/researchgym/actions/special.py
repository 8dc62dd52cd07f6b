"""Actions of the benchmark itself, and those that leave everything as it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping


def _nothing(_: Desk, __: Mapping[str, Any]) -> Observation:
    return Observation(success=True, message="Nothing was done.", kind="null")


def _think(_: Desk, __: Mapping[str, Any]) -> Observation:
    return Observation(success=True, message="The thought is noted. Act on it.", kind="think")


def _sleep(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    started = time.monotonic()
    reason = desk.sleep(arguments["sleep_time"], arguments["until"])
    slept = time.monotonic() - started
    return Observation(
        success=True,
        message=f"Slept {slept:.0f} s: {reason}.",
        kind="sleep",
        data={"seconds": round(slept, 3), "reason": reason},
    )


SPECIAL_ACTIONS = (
    ActionKind(
        name="sleep",
        family="special",
        meaning="Wait, as for a training run. It ends early when a command ends, or the attempt.",
        parameters=(
            Parameter(name="sleep_time", kind="number", meaning="seconds at most", required=True, minimum=0),
            Parameter(
                name="until",
                kind="string",
                meaning="wake when the command of this session (or computer:session) ends; any: "
                "of whichever; none: of none",
                default="any",
            ),
        ),
        perform=_sleep,
    ),
    ActionKind(
        name="think",
        family="special",
        meaning="Note a thought. It changes nothing and costs a step.",
        parameters=(Parameter(name="thought", kind="string", meaning="the thought", required=True),),
        perform=_think,
    ),
    ActionKind(name="null", family="special", meaning="Do nothing.", parameters=(), perform=_nothing),
    ActionKind(
        name="eval",
        family="special",
        meaning="Evaluate what is in /workspace/data/outputs now and return its score. Evaluations are few.",
        parameters=(),
        perform=lambda desk, _: desk.evaluate(),
    ),
    ActionKind(
        name="view_hint",
        family="special",
        meaning="Show the task's hint. Points are taken off every later score, once.",
        parameters=(),
        perform=lambda desk, _: desk.view_hint(),
    ),
    ActionKind(
        name="finish",
        family="special",
        meaning="End the attempt. What is in /workspace/data/outputs then is the final submission.",
        parameters=(),
        perform=lambda desk, _: desk.finish(),
    ),
)
