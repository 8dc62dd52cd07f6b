"""What an agent is told before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.react.prompting import Prompts
    from pytest_innovatorbench.researchgym.gym import ResearchGym


def system_prompt(prompts: Prompts, gym: ResearchGym, *, native: bool = False) -> str:
    """Return how to work here.

    Args:
        prompts: The templates.
        gym: The environment.
        native: Whether whoever is told so has a shell and tools for files of its own.
    """
    return prompts.render("system", native=native, **_facts(gym))


def task_prompt(prompts: Prompts, gym: ResearchGym) -> str:
    """Return what to do."""
    description = gym.task.description.read_text("utf-8", errors="replace")
    return prompts.render("task", description=description, **_facts(gym))


def _facts(gym: ResearchGym) -> dict[str, Any]:
    allowance, task = gym.allowance, gym.task
    return {
        "workspace": gym.computer.inside("/workspace"),
        "outputs": gym.computer.inside("/workspace/data/outputs"),
        "hours": f"{gym.remaining_seconds() / 3600:.3g}",
        "steps": allowance.steps - gym.ledger.steps,
        "evals": max(0, allowance.evals - gym.ledger.evals),
        "tokens": allowance.tokens,
        "cost": allowance.cost,
        "hint": f"{task.hint.penalty:g}" if task.hint and gym.hints_allowed else "",
        "gpus": task.resources.gpus,
        "computers": gym.computers.describe(),
    }
