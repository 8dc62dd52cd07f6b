"""Setting up a run of pytest in which tasks are checked by rules."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from pytest_innovatorbench.authoring.rules import all_rules
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.plugin.collection import Collection, Source
from pytest_innovatorbench.plugin.options import read_tasks, read_thoroughness
from pytest_innovatorbench.plugin.rule_items import RuleFile, Validation
from pytest_innovatorbench.plugin.rule_reporting import RuleReporting
from pytest_innovatorbench.plugin.runloop import Termination
from pytest_innovatorbench.tasks.benchmark import open_benchmark


class TasksOnOneWorker:
    """Keeps the rules of one task on one worker of xdist, so that each submission is evaluated once."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> object | None:  # noqa: ANN401 - xdist's own
        """Distribute by files, in place of xdist's default by items; other ways are the user's choice."""
        if config.getoption("dist") != "load":
            return None
        # It need not be installed, and ships no types.
        from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # noqa: PLC0415

        scheduler: object = LoadFileScheduling(config, log)
        return scheduler


def activate_validation(config: pytest.Config) -> None:
    """Read the options and register what collects, checks and reports.

    Raises:
        pytest.UsageError: An option, a rule of somebody's or a task pattern is wrong.
    """
    try:
        validation = _read(config)
    except UserError as error:
        raise pytest.UsageError(str(error)) from None
    source = Source(
        benchmark=validation.benchmark,
        task_ids=validation.task_ids,
        open_file=partial(RuleFile.from_parent, validation=validation),
    )
    for name, plugin in (
        ("collection", Collection(config, source)),
        ("tasks-on-one-worker", TasksOnOneWorker()),
        ("termination", Termination()),
        ("rule-reporting", RuleReporting()),
    ):
        config.pluginmanager.register(plugin, f"ibench-{name}")


def _read(config: pytest.Config) -> Validation:
    root, patterns = read_tasks(config)
    options = read_thoroughness(config)
    offered = config.hook.pytest_ibench_rules()
    benchmark = open_benchmark(root)
    return Validation(
        benchmark=benchmark,
        task_ids=frozenset(benchmark.select(patterns)),
        rules=all_rules(rule for rules in offered for rule in rules),
        options=options,
    )
