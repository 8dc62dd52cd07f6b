"""What an agent is told before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.react.prompting import Prompts
    from pytest_innovatorbench.researchgym.gym import ResearchGym


def system_prompt(prompts: Prompts, gym: ResearchGym) -> str:
    """Return how to work here."""
    return prompts.render("system", **_facts(gym))


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
