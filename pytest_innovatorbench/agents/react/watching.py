"""Noticing that a model goes round in circles, or does nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentFailedError

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.react.habits import Habits
    from pytest_innovatorbench.researchgym.model import Action, Observation

_PATIENT = {"sleep"}  # to wait again and again for a long job is what is wanted
# Those that go on from a place, or look what a session did since: the same call may be something else.
_GOING_ON = {
    "check_session_idle",
    "file_scroll_down",
    "file_scroll_up",
    "get_session_output",
    "get_session_recent_output",
    "get_session_status",
    "web_page_scroll_down",
    "web_page_scroll_up",
    "web_page_search_next",
}
_QUICK = 5.0  # seconds; what takes longer and comes out otherwise each time may be waiting, too


class Watch:
    """Counts what should not go on for ever.

    Args:
        habits: How much of it is put up with.
    """

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._idle = 0
        self._last = ("", "")
        self._repeats = 0

    def answered(self, *, usable: bool) -> None:
        """Note an answer, and whether any call in it was usable.

        Raises:
            AgentFailedError: There were too many in a row without.
        """
        self._idle = 0 if usable else self._idle + 1
        if self._idle >= self._habits.null_limit:
            raise AgentFailedError(f"the model made no usable call in {self._idle} answers in a row")

    def acted(self, action: Action, observation: Observation, seconds: float) -> str:
        """Note an action and what came of it; return a warning for the model, or ``""``.

        Args:
            action: The action.
            observation: What came of it.
            seconds: How long it took.

        Raises:
            AgentFailedError: It was the same too often.
        """
        if action.name in _PATIENT or observation.data.get("computer_away"):
            return ""
        this = json.dumps([action.name, dict(action.arguments)], default=str)
        last, outcome = self._last
        may_differ = action.name in _GOING_ON or seconds >= _QUICK
        is_same = this == last and (observation.message == outcome or not may_differ)
        self._repeats = self._repeats + 1 if is_same else 1
        self._last = (this, observation.message)
        if self._repeats >= self._habits.repeat_limit:
            raise AgentFailedError(f"the model did the same {self._repeats} times: {action.name}")
        if self._repeats < self._habits.repeat_warning:
            return ""
        left = self._habits.repeat_limit - self._repeats
        return (
            f"You have done exactly this {self._repeats} times in a row. Do something else, or sleep until "
            f"something has happened; after {left} more the attempt ends."
        )
