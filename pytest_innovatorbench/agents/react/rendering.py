"""Actions as a model is offered them, and observations as it reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.models.values import Image, Tool, ToolResult
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.researchgym.actions.table import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
    from pytest_innovatorbench.researchgym.model import Observation
    from pytest_innovatorbench.tasks.model import Task

_WEB = {"search", "browse"}
_REST = {
    "command_run": "read the rest with get_session_output (start_lines, end_lines)",
    "command_output_session": "read the rest with get_session_output (start_lines, end_lines)",
}
_UNSHOWN = {"budget", "images"}
_PERSONS_TAG = re.compile(r"<\s*(/?)\s*real_user", re.IGNORECASE)


def offered(
    task: Task, chosen: Sequence[str], *, hints: bool, actions: Mapping[str, ActionKind] = ACTIONS
) -> tuple[Tool, ...]:
    """Return the actions that a model is offered.

    Args:
        task: What of the web it allows decides whether there are actions for that.
        chosen: Names of actions; all that make sense if empty.
        hints: Whether the hint may be viewed.
        actions: All that there are, by name.

    Raises:
        SettingsError: An action that was chosen does not exist.
    """
    check_chosen(chosen, actions)
    left_out = {"null"} | (set() if task.hint and hints else {"view_hint"})
    kinds = [
        kind
        for name, kind in actions.items()
        if (name in chosen if chosen else name not in left_out)
        and (kind.family not in _WEB or task.web.mode != "none" or task.web.corpus is not None)
    ]
    return tuple(Tool(name=kind.name, meaning=kind.meaning, schema=kind.schema()) for kind in kinds)


def check_chosen(chosen: Sequence[str], actions: Mapping[str, ActionKind]) -> None:
    """Find out whether the actions exist that were chosen.

    Raises:
        SettingsError: One does not.
    """
    unknown = [name for name in chosen if name not in actions]
    if unknown:
        raise SettingsError(
            f"tools: there is no action {unknown[0]!r}", remedy=f"choose of {', '.join(actions)}"
        )


def render(call: str, observation: Observation, limit: int, remark: str = "") -> ToolResult:
    """Return an observation as the result of a call.

    Args:
        call: The call's id.
        observation: What came of it.
        limit: Characters after which the middle is cut out.
        remark: What the harness has to say beside.
    """
    parts = [_cut(observation, limit) or "(no output)"]
    if observation.error_message and observation.error_message not in parts[0]:
        parts.append(observation.error_message)
    facts = {key: value for key, value in observation.data.items() if key not in _UNSHOWN}
    if facts:
        parts.append(_short(json.dumps(facts, ensure_ascii=False, default=str), limit))
    parts.append(_budget(observation))
    parts = [*map(quoted, parts), remark]
    images = tuple(Image(**image) for image in observation.data.get("images", ()))
    return ToolResult(
        call=call,
        text="\n".join(filter(None, parts)),
        is_error=not observation.success,
        images=images,
    )


def quoted(text: str) -> str:
    """Return a text from the sandbox or the web without tags that only people's messages may have."""
    return _PERSONS_TAG.sub(r"<\1quoted_real_user", text)


def _cut(observation: Observation, limit: int) -> str:
    text = observation.message
    if len(text) <= limit:
        return text
    rest = _REST.get(observation.kind, "read the rest in parts")
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters cut: {rest} ...]\n{text[-half:]}"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


def _budget(observation: Observation) -> str:
    budget = observation.data.get("budget")
    if not isinstance(budget, dict):
        return ""
    left = [f"{name.removesuffix('_left')} {value:g}" for name, value in budget.items()]
    return f"[left: {', '.join(left)}]"
