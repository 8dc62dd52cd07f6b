"""Settings of this task's evaluator."""

from __future__ import annotations

from evaluations.base.data_classes import Config


class TaskConfig(Config):
    """The published defaults, with this task's name and time limit."""

    task_name: str = "augment_few_shot"
    max_eval_time: int = 60
