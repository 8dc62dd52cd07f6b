"""From settings to attempts: which agents attempt which tasks with which seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.registry import slug
from pytest_innovatorbench.errors import RecordError
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, Inventory
from pytest_innovatorbench.researchgym.extensions import Extensions
from pytest_innovatorbench.researchgym.ledger import Allowance
from pytest_innovatorbench.runs.beginning import FRESH, Beginning
from pytest_innovatorbench.settings import Interval, Settings
from pytest_innovatorbench.tasks.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.agents.base import AgentKind
    from pytest_innovatorbench.tasks.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpec:
    """Everything that is settled about an attempt before it starts.

    Attributes:
        task: The task.
        agent: The agent as it was asked for.
        kind: What makes it.
        seed: Its seed.
        allowance: What it may spend.
        hints_allowed: Whether it may view the hint.
        sandbox: Name of the sandbox.
        folder: Where its record goes.
        hidden: Folders that are never shown to an agent.
        beginning: What it starts from.
        snapshot_every: How often snapshots are taken, if any are.
        store: Folder of the snapshots.
        extensions: What plug-ins add to ResearchGym.
        inventory: The computers there are.
    """

    task: Task
    agent: str
    kind: AgentKind
    seed: int
    allowance: Allowance
    hints_allowed: bool
    sandbox: str
    folder: Path
    hidden: tuple[Path, ...]
    beginning: Beginning = FRESH
    snapshot_every: Interval | None = None
    store: Path
    extensions: Extensions = field(default_factory=Extensions)
    inventory: Inventory = THIS_MACHINE

    @property
    def needs(self) -> tuple[Role, ...]:
        """What computers it needs; an agent that only hands in what is there needs but a plain one."""
        needs = self.task.resources.needs
        return (Role(name=needs[0].name),) if self.kind.submits_only(self.task) else needs


def plan_attempt(
    task: Task,
    agent: str,
    kind: AgentKind,
    seed: int,
    settings: Settings,
    *,
    beginning: Beginning = FRESH,
    before: Allowance | None = None,
    extensions: Extensions | None = None,
    inventory: Inventory = THIS_MACHINE,
) -> AttemptSpec:
    """Settle an attempt.

    Args:
        task: The task.
        agent: The agent as it was asked for.
        kind: What makes it.
        seed: Its seed.
        settings: Those of the run.
        beginning: What it starts from.
        before: What was allowed where it comes from, which holds unless the settings say otherwise.
        extensions: What plug-ins add to ResearchGym; else what the package brings.
        inventory: The computers there are.
    """
    return AttemptSpec(
        task=task,
        agent=agent,
        kind=kind,
        seed=seed,
        allowance=allowance(task, settings, before),
        hints_allowed=settings.hints == "allow",
        sandbox=settings.sandbox,
        folder=settings.run_folder / "attempts" / f"{task.id}-{slug(agent)}-{seed}",
        hidden=hidden_folders(task.evaluations.parents[1], settings),
        beginning=beginning,
        snapshot_every=settings.snapshot_every,
        store=settings.store,
        extensions=extensions or Extensions(),
        inventory=inventory,
    )


def hidden_folders(root: Path, settings: Settings) -> tuple[Path, ...]:
    """Return the folders that are never shown to an agent: evaluators and records."""
    return (root / "evaluations", settings.run_dir)


def allowance(task: Task, settings: Settings, before: Allowance | None = None) -> Allowance:
    """Return what an attempt at a task may spend: the task's limits, or those of the settings.

    Args:
        task: The task.
        settings: Those of the run.
        before: Counts in place of the task's limits.
    """
    usual = before or _of_task(task)
    asked: dict[str, Any] = {
        "seconds": settings.working_time,
        "evals": settings.max_evals,
        "steps": settings.max_steps,
        "tokens": settings.max_tokens,
        "cost": settings.max_cost,
    }
    return replace(usual, **{name: limit for name, limit in asked.items() if limit is not None})


def _of_task(task: Task) -> Allowance:
    return Allowance(
        seconds=task.limits.working_hours * 3600,
        evals=task.limits.evals,
        steps=task.limits.steps,
        hint_penalty=task.hint.penalty if task.hint else 0.0,
    )


def settings_record(settings: Settings) -> dict[str, Any]:
    """Return settings as plain JSON values."""
    return {key: _plain(value) for key, value in asdict(settings).items() if key != "resumes"}


def settings_from_record(values: Mapping[str, Any]) -> Settings:
    """Return settings from plain JSON values; keys of later versions are passed over.

    Raises:
        RecordError: They are damaged.
    """
    try:
        known = {name: values[name] for name in Settings.__dataclass_fields__ if name in values}
        for name in ("root", "run_dir", "agent_config", "computers"):
            known[name] = known.get(name) and Path(known[name])
        for name in ("agents", "tasks", "seeds", "reports"):
            known[name] = tuple(known[name])
        every = known.get("snapshot_every")
        known["snapshot_every"] = Interval(**every) if every else None
        return Settings(**known)
    except (KeyError, TypeError):
        raise RecordError(
            "the settings of the run cannot be read", remedy="the record is damaged; start a new run"
        ) from None


def spec_record(spec: AttemptSpec) -> Mapping[str, Any]:
    """Return what identifies an attempt, as plain JSON values."""
    return {
        "task": spec.task.id,
        "task_version": spec.task.version,
        "domain": spec.task.domain,
        "agent": spec.agent,
        "seed": spec.seed,
        "allowance": asdict(spec.allowance),
        "hints_allowed": spec.hints_allowed,
        "sandbox": spec.sandbox,
        "parent": spec.beginning.parent,
        "assumed": list(spec.task.assumed),
        "baseline": spec.task.baseline_points,
        "reference": spec.task.reference_points,
    }


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
