"""How a ReAct agent works, apart from the model it asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pytest_innovatorbench.agents.models.patience import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Settings of the loop.

    Attributes:
        tools: Actions the model is offered; all that the task allows if empty.
        prompts: Folder whose templates take the place of ours, by file name.
        summarise_at: Share of the model's context at which the older part is summarised.
        keep: Share of the window that stays as it is when the rest is summarised.
        summary_tries: How often a summary may be wrong.
        observation_chars: Longest text of one observation; the middle is cut out of longer ones.
        null_limit: Answers in a row without a usable call, after which the agent stops.
        repeat_warning: Identical actions in a row after which it is warned; those that take long or go on
            from a place count only where the outcome is the same, too.
        repeat_limit: The same after which it stops.
        patience: How long a failing provider is put up with.
    """

    tools: tuple[str, ...] = ()
    prompts: Path | None = None
    summarise_at: float = 0.75
    keep: float = 0.5
    summary_tries: int = 5
    observation_chars: int = 20_000
    null_limit: int = 5
    repeat_warning: int = 5
    repeat_limit: int = 12
    patience: Patience = field(default_factory=Patience)
