"""Settings of this task's evaluator."""

from __future__ import annotations

from evaluations.base.data_classes import Config


class TaskConfig(Config):
    """The published defaults, with this task's name and time limit."""

    task_name: str = "reward_sparse_control"
    max_eval_time: int = 60
