"""Every extension point, in the order in which a run reaches them.

The built-ins come through the same hooks. A plug-in implements them in a pytest plugin or a
``conftest.py``; payloads are frozen and may gain fields, never lose them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_innovatorbench.agents.base import AgentKind
    from pytest_innovatorbench.authoring.model import Rule
    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
    from pytest_innovatorbench.researchgym.web.backends import SearchBackend
    from pytest_innovatorbench.runs.model import AttemptResult
    from pytest_innovatorbench.settings import Settings


@pytest.hookspec()
def pytest_ibench_agents(settings: Settings) -> Sequence[AgentKind]:  # type: ignore[empty-body]
    """Return agents that users may ask for by name.

    Called once, when the run is configured. Of two agents with one name the first counts.
    """


@pytest.hookspec()
def pytest_ibench_actions(settings: Settings) -> Sequence[ActionKind]:  # type: ignore[empty-body]
    """Return actions that agents may take.

    Called once, when the run is configured. Of two actions with one name the first counts, so that
    yours may replace a built-in one.
    """


@pytest.hookspec()
def pytest_ibench_search_backends(settings: Settings) -> Sequence[SearchBackend]:  # type: ignore[empty-body]
    """Return backends of the action ``web_search``.

    Called once, when the run is configured. The first that is one for a task is asked; the built-in
    ones, the task's own documents, Serper and Bing, come last.
    """


@pytest.hookspec()
def pytest_ibench_rules() -> Sequence[Rule]:  # type: ignore[empty-body]
    """Return rules of your own for ``pytest --ibench-validate``.

    Packages that also want them in ``ibench validate`` name them in the entry point group
    ``pytest_innovatorbench.rules``.
    """


@pytest.hookspec()
def pytest_ibench_attempt_finished(result: AttemptResult) -> None:
    """Be told of an attempt that came to its end, in the process that reports it."""


@pytest.hookspec()
def pytest_ibench_run_finished(results: Sequence[AttemptResult], run_folder: Path) -> None:
    """Be told that all attempts of a run have ended, before its reports are written."""
