"""Which Python agents and evaluators of a task have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.tasks.conda import unpacked
from pytest_innovatorbench.tasks.environment import bare, build, harness

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_innovatorbench.tasks.environment import Environment
    from pytest_innovatorbench.tasks.model import Task


def agents_environment(task: Task, say: Callable[[str], None]) -> Environment:
    """Return what agents of a task work with, built or unpacked if need be.

    Raises:
        EnvironmentBuildError: It could not be.
    """
    if task.conda is not None:
        return unpacked(task.conda, say)
    return build(task.requirements, say) if task.requirements else bare()


def evaluators_environment(task: Task, say: Callable[[str], None]) -> Environment:
    """Return what a task's evaluator runs with: its own packages, else the agent's, else the harness's.

    Raises:
        EnvironmentBuildError: It could not be built or unpacked.
    """
    own = task.evaluations / "requirements.txt"
    if own.is_file():
        return build(own, say)
    if task.conda is not None:
        packed = unpacked(task.conda, say)
        return harness() if packed.site_packages is None else packed
    return build(task.requirements, say) if task.requirements else harness()
