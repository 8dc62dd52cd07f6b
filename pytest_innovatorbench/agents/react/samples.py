"""Every prompt with values such as an attempt fills in, to try templates before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.react.prompting import Prompts

if TYPE_CHECKING:
    from pathlib import Path

_FACTS: Mapping[str, Any] = {
    "workspace": "/workspace",
    "outputs": "/workspace/data/outputs",
    "hours": "36",
    "steps": 2000,
    "evals": 4,
    "tokens": 1_000_000,
    "cost": 5.0,
    "hint": "10",
    "gpus": 1,
    "computers": "first (8 CPUs)",
}
_SESSIONS = "main: nothing runs"
SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "system": {"native": False, **_FACTS},
    "task": {"description": "# A task", **_FACTS},
    "no_call": {"cut": True, "limit": 16_000},
    "bad_call": {"tool": "run_command", "text": "{", "cut": False, "limit": 16_000},
    "refused": {},
    "summarise": {"said": 1, "problem": "it lacks <reflection>"},
    "after_summary": {"snapshot": "<state_snapshot></state_snapshot>"},
    "recheck": {"sessions": _SESSIONS},
    "resumed": {"sessions": _SESSIONS},
}
"""Values of each template, by its name."""


def check_prompts(folder: Path | None) -> None:
    """Find out whether the templates of a user's folder can be used.

    Raises:
        SettingsError: One cannot.
    """
    if folder is None:
        return
    prompts = Prompts(folder)
    for name, values in SAMPLES.items():
        prompts.render(name, **values)
