"""Noticing that a model goes round in circles, or does nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentFailedError

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.react.habits import Habits
    from pytest_innovatorbench.researchgym.model import Action, Observation

_PATIENT = {"sleep"}  # to wait again and again for a long job is what is wanted


class Watch:
    """Counts what should not go on for ever.

    Args:
        habits: How much of it is put up with.
    """

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._idle = 0
        self._last = ""
        self._repeats = 0

    def idle(self) -> None:
        """Note an answer without a usable call.

        Raises:
            AgentFailedError: There were too many in a row.
        """
        self._idle += 1
        if self._idle >= self._habits.null_limit:
            raise AgentFailedError(f"the model made no usable call in {self._idle} answers in a row")

    def acted(self, action: Action, observation: Observation) -> str:
        """Note an action and what came of it; return a warning for the model, or ``""``.

        Raises:
            AgentFailedError: It was the same too often.
        """
        self._idle = 0
        if action.name in _PATIENT or observation.data.get("computer_away"):
            return ""
        this = json.dumps([action.name, dict(action.arguments), observation.message], default=str)
        self._repeats = self._repeats + 1 if this == self._last else 1
        self._last = this
        if self._repeats >= self._habits.repeat_limit:
            raise AgentFailedError(f"the model did the same {self._repeats} times: {action.name}")
        if self._repeats < self._habits.repeat_warning:
            return ""
        left = self._habits.repeat_limit - self._repeats
        return (
            f"You have done exactly this {self._repeats} times with the same outcome. Do something else; "
            f"after {left} more the attempt ends."
        )
