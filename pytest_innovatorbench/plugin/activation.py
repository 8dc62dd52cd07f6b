"""Setting up a run of pytest in which agents make attempts."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_innovatorbench.agents.builtin import builtin_agents
from pytest_innovatorbench.agents.registry import find, split, tabulate
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.plugin.collection import Collection, attempts_of
from pytest_innovatorbench.plugin.continuing import settings_to_resume
from pytest_innovatorbench.plugin.options import RUN_ID, read_settings, read_text
from pytest_innovatorbench.plugin.reporting import Reporting
from pytest_innovatorbench.plugin.runloop import RunLoop, Termination
from pytest_innovatorbench.plugin.session import Run
from pytest_innovatorbench.reports.writer import parse_target
from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, read_inventory
from pytest_innovatorbench.researchgym.extensions import Extensions, collect
from pytest_innovatorbench.researchgym.web.backends import BUILTIN_BACKENDS
from pytest_innovatorbench.runs.earlier import earlier_attempts, origin
from pytest_innovatorbench.runs.plan import hidden_folders, settings_record
from pytest_innovatorbench.runs.records import held_run, open_run
from pytest_innovatorbench.runs.replaying import replay_agent
from pytest_innovatorbench.tasks.benchmark import open_benchmark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.agents.base import AgentKind
    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
    from pytest_innovatorbench.researchgym.web.backends import SearchBackend
    from pytest_innovatorbench.settings import Settings


class Builtins:
    """Offers what the package brings through the hooks that everybody has."""

    @pytest.hookimpl(trylast=True)
    def pytest_ibench_agents(self, settings: Settings) -> Sequence[AgentKind]:
        """Return the agents."""
        return (*builtin_agents(settings), replay_agent(settings))

    @pytest.hookimpl(trylast=True)
    def pytest_ibench_actions(self) -> Sequence[ActionKind]:
        """Return the actions."""
        return tuple(ACTIONS.values())

    @pytest.hookimpl(trylast=True)
    def pytest_ibench_search_backends(self) -> Sequence[SearchBackend]:
        """Return the backends of searches."""
        return BUILTIN_BACKENDS


class SharedRunId:
    """Gives the workers of xdist the run of the process that started them.

    Args:
        settings: The settings of the run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerNode) -> None:
        """Send the run's name along with what xdist sends."""
        node.workerinput[RUN_ID] = self._settings.run_id


class WorkerNode(Protocol):
    """What we use of a worker of xdist, which need not be installed."""

    workerinput: dict[str, object]


class Records:
    """Creates the folder of the run, in the one process that started it, and holds it.

    Args:
        settings: The settings of the run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = ExitStack()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Create the folder, unless nothing will run."""
        if session.config.option.collectonly:
            return
        folder, is_worker = self._settings.run_folder, hasattr(session.config, "workerinput")
        try:
            if not is_worker and not self._settings.resumes:
                open_run(folder, settings_record(self._settings))
            self._held.enter_context(held_run(folder, alone=self._settings.resumes and not is_worker))
        except UserError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_unconfigure(self) -> None:
        """Let go of the run."""
        self._held.close()


def activate(config: pytest.Config) -> None:
    """Read the settings and register what runs, collects and reports attempts.

    Raises:
        pytest.UsageError: An option, an agent or a task pattern is wrong.
    """
    config.pluginmanager.register(Builtins(), "ibench-builtins")
    try:
        run = _read(config)
    except UserError as error:
        raise pytest.UsageError(str(error)) from None
    for name, plugin in (
        ("records", Records(run.settings)),
        ("shared-run-id", SharedRunId(run.settings)),
        ("collection", Collection(config, attempts_of(run))),
        ("termination", Termination()),
        ("runloop", RunLoop(run)),
        ("reporting", Reporting(config, run)),
    ):
        config.pluginmanager.register(plugin, f"ibench-{name}")


def _read(config: pytest.Config) -> Run:
    settings = settings_to_resume(config) if read_text(config, "resume") else read_settings(config)
    for target in settings.reports:
        parse_target(target)
    offered = config.hook.pytest_ibench_agents(settings=settings)
    table = tabulate(kind for kinds in offered for kind in kinds)
    benchmark = open_benchmark(settings.root)
    task_ids = frozenset(benchmark.select(settings.tasks))
    agents = {agent: find(agent, table) for agent in settings.agents}
    extensions = _extensions(config, settings)
    for agent, kind in agents.items():
        argument = split(agent)[1]
        if kind.check:
            kind.check(argument, hidden_folders(benchmark.root, settings))
        if kind.check_actions:
            kind.check_actions(argument, extensions.actions)
    return Run(
        settings=settings,
        benchmark=benchmark,
        task_ids=task_ids,
        agents=agents,
        extensions=extensions,
        inventory=read_inventory(settings.computers) if settings.computers else THIS_MACHINE,
        earlier=earlier_attempts(settings.run_folder) if settings.resumes else {},
        origin=origin(settings.store, settings.from_snapshot) if settings.from_snapshot else None,
    )


def _extensions(config: pytest.Config, settings: Settings) -> Extensions:
    actions = config.hook.pytest_ibench_actions(settings=settings)
    backends = config.hook.pytest_ibench_search_backends(settings=settings)
    return collect(chain.from_iterable(actions), chain.from_iterable(backends))
