"""What an evaluation needs to know of a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_innovatorbench.evaluation.contract import base_eval
from pytest_innovatorbench.sandbox.model import Bind

CONTRACT = Path(base_eval.__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationTarget:
    """A task as the evaluator's sandbox is furnished from it.

    Attributes:
        task_id: Folder name of the task.
        evaluations: The ``evaluations`` folder with the task in it.
        gym: The task's folder below ``gym``, if it has one.
        python: The interpreter, as spelt inside the sandbox.
        site_packages: Folders with the task's packages, as spelt inside.
        binds: What makes ``python`` and ``site_packages`` visible inside, where the system does not.
        time_limit: Seconds of wall time.
        memory: Bytes of memory.
        processes: Processes and threads alive at once.
        judge: Whether the evaluator asks a model to judge, and so has the network.
        judge_environment: Names of environment variables handed to such an evaluator.
    """

    task_id: str
    evaluations: Path
    gym: Path | None = None
    python: Path
    site_packages: tuple[Path, ...] = ()
    binds: tuple[Bind, ...] = ()
    time_limit: float = 5000.0
    memory: int = 4 * 2**30
    processes: int = 64
    judge: bool = False
    judge_environment: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The task's own folder below ``evaluations``."""
        return self.evaluations / self.task_id

    @property
    def base(self) -> Path:
        """What is imported as ``evaluations.base``: the repository's own if it is whole, else ours."""
        own = self.evaluations / "base"
        is_whole = all((own / name).is_file() for name in ("base_eval.py", "data_classes.py"))
        return own if is_whole else CONTRACT
