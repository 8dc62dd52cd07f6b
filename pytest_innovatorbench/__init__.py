"""pytest plugin and task-authoring toolkit for InnovatorBench.

What can be imported from here is public, as are :mod:`.hookspecs`, :mod:`.errors` and
``evaluations.base``; everything else may change. Names are loaded when they are first used, since
pytest imports this package in every run.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # importing typing would double the start of an evaluator's process
if TYPE_CHECKING:
    from pytest_innovatorbench.agents.base import Agent, AgentFailedError, AgentKind, AgentRequest
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.researchgym.model import Action, AttemptOverError, Observation
    from pytest_innovatorbench.runs.model import AttemptResult, Status
    from pytest_innovatorbench.sandbox.model import Bind
    from pytest_innovatorbench.settings import Settings
    from pytest_innovatorbench.tasks.benchmark import open_benchmark
    from pytest_innovatorbench.tasks.model import Task

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Agent",
    "AgentFailedError",
    "AgentKind",
    "AgentRequest",
    "AttemptOverError",
    "AttemptResult",
    "Bind",
    "Observation",
    "ResearchGym",
    "Settings",
    "Status",
    "Task",
    "__version__",
    "open_benchmark",
]

_HOMES = {
    "Action": "researchgym.model",
    "Agent": "agents.base",
    "AgentFailedError": "agents.base",
    "AgentKind": "agents.base",
    "AgentRequest": "agents.base",
    "AttemptOverError": "researchgym.model",
    "AttemptResult": "runs.model",
    "Bind": "sandbox.model",
    "Observation": "researchgym.model",
    "ResearchGym": "researchgym.gym",
    "Settings": "settings",
    "Status": "runs.model",
    "Task": "tasks.model",
    "open_benchmark": "tasks.benchmark",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
