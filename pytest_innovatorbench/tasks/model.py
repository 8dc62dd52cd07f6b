"""A task: what is known of it before anybody attempts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Network: TypeAlias = Literal["none", "open"]

DOMAINS = {
    "DC": "data construction",
    "DF": "data filtering",
    "DA": "data augmentation",
    "LD": "loss design",
    "RD": "reward design",
    "SC": "scaffold construction",
    "other": "other",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Where the research question comes from.

    Attributes:
        title: Title of the source.
        url: Address of the source, if it has one.
        repository: Address of its code, if that is public.
    """

    title: str = ""
    url: str = ""
    repository: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What agents may see of the web through actions.

    Attributes:
        mode: Nothing, what ``allow`` names, or everything public but ``block``.
        allow: Hosts, or hosts with a path, that may be seen.
        block: Those that may not be.
        corpus: Folder with documents that are searched in place of the web.
    """

    mode: Literal["none", "allow", "open"] = "none"
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    corpus: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLimits:
    """What an attempt may spend. The defaults are the published ones.

    Attributes:
        working_hours: Wall-clock hours an agent may work.
        training_hours: Hours a training run is meant to take, for the description.
        evaluation_seconds: Seconds one evaluation may take.
        evaluation_memory_gb: Main memory one evaluation may use, in GB.
        evals: Evaluations the agent may ask for; the final one comes on top.
        steps: Actions the agent may take.
    """

    working_hours: float = 48.0
    training_hours: float = 16.0
    evaluation_seconds: float = 5000.0
    evaluation_memory_gb: float = 8.0
    evals: int = 3
    steps: int = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What some of a task's computers are for, and what each of them must have.

    Attributes:
        name: What the description calls it, such as ``train``.
        computers: Number of computers.
        gpus: GPUs of each.
        gpu_memory_gb: Memory of each GPU, in GB.
        memory_gb: Main memory an attempt may use on each, in GB; ``None`` leaves it open.
        outputs: Whether its ``data/outputs`` count, where computers have workspaces of their own.
    """

    name: str = "main"
    computers: int = 1
    gpus: int = 0
    gpu_memory_gb: float = 0.0
    memory_gb: float | None = None
    outputs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What an attempt needs.

    Attributes:
        computers: Number of computers, where there are no roles.
        gpus: GPUs of each.
        gpu_memory_gb: Memory of each GPU, in GB.
        memory_gb: Main memory an attempt may use on a computer, in GB; ``None`` leaves it open.
        disk_gb: Disk an attempt may fill, in GB.
        roles: Computers of several kinds, in the order in which they are stated.
    """

    computers: int = 1
    gpus: int = 0
    gpu_memory_gb: float = 0.0
    memory_gb: float | None = None
    disk_gb: float = 100.0
    roles: tuple[Role, ...] = ()

    @property
    def needs(self) -> tuple[Role, ...]:
        """What each computer must have, an entry per computer; the first is where agents start."""
        one = Role(
            computers=self.computers,
            gpus=self.gpus,
            gpu_memory_gb=self.gpu_memory_gb,
            memory_gb=self.memory_gb,
        )
        return tuple(role for role in self.roles or (one,) for _ in range(role.computers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One quantity that the evaluator measures.

    Attributes:
        name: Its name in the description.
        baseline: Value of the baseline submission.
        reference: Value of the reference submission.
        direction: Whether more or less is better.
        ceiling: Value that earns the whole bonus, if stated.
        weight: Share in the score, if stated.
    """

    name: str
    baseline: float
    reference: float
    direction: Literal["maximize", "minimize"] = "maximize"
    ceiling: float | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A hint and its price.

    Attributes:
        file: Where it is written.
        penalty: Points taken off every score after it was viewed.
    """

    file: Path
    penalty: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task on disk: ``evaluations/<id>``, hidden, and ``gym/<id>``, what the agent starts from.

    Attributes:
        id: Name of both folders.
        evaluations: The hidden folder.
        gym: The agent's starting folder.
        version: The author's version of the task.
        title: One line for lists.
        domain: A key of :data:`DOMAINS`.
        paper: Its source.
        limits: What an attempt may spend.
        resources: What a computer must have.
        network: Whether agents may use the network.
        web: What they may see of the web through actions.
        requirements: Packages of the agent's environment, as a requirements file.
        conda: The agent's environment as a packed conda environment, which need not have been fetched.
        downloads: What has to be fetched before the task can be run: files, and folders that hold some.
        hint: The hint, if there is one.
        metrics: What the evaluator measures.
        baseline_points: Score a baseline submission is meant to have.
        reference_points: Score the reference is meant to have.
        judge: Environment variables the evaluator's judge needs, where it has one; such an
            evaluator may use the network.
        assumed: What was not stated and is taken from the description or the published defaults.
    """

    id: str
    evaluations: Path
    gym: Path
    version: str = "1.0"
    title: str = ""
    domain: str = "other"
    paper: Paper = Paper()
    limits: TaskLimits = TaskLimits()
    resources: Resources = Resources()
    network: Network = "none"
    web: Web = Web()
    requirements: Path | None = None
    conda: Path | None = None
    downloads: tuple[Path, ...] = ()
    hint: Hint | None = None
    metrics: tuple[Metric, ...] = ()
    baseline_points: float = 0.0
    reference_points: float = 80.0
    judge: tuple[str, ...] | None = None
    assumed: tuple[str, ...] = ()

    @property
    def description(self) -> Path:
        """The description that the agent reads."""
        return self.gym / "task" / "task_description.md"

    @property
    def solution(self) -> Path:
        """The hidden solution's folder, which need not exist."""
        return self.evaluations / "solution"

    @property
    def expected_outputs(self) -> Path:
        """The author's sample of good outputs, which need not exist."""
        return self.evaluations / "data" / "outputs"

    @property
    def baselines(self) -> Path:
        """The baseline submission, which need not exist."""
        return self.evaluations / "data" / "baselines"
