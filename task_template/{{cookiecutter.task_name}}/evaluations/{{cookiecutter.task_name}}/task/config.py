"""Settings of this task's evaluator."""

from __future__ import annotations

from evaluations.base.data_classes import Config


class TaskConfig(Config):
    """The published defaults with this task's name."""

    task_name: str = {{ "%r" | format(cookiecutter.task_name) }}
