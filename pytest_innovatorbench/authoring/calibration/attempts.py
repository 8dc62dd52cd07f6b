"""Attempts at a task by the agents that need no model, as any run would make them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.builtin import SCRIPTED_AGENTS
from pytest_innovatorbench.agents.registry import find, tabulate
from pytest_innovatorbench.authoring.trials import StoppedError
from pytest_innovatorbench.authoring.waiting import results
from pytest_innovatorbench.runs.attempt import run_attempt
from pytest_innovatorbench.runs.board import Board
from pytest_innovatorbench.runs.events import EVENTS_FILE, read_events
from pytest_innovatorbench.runs.model import Status
from pytest_innovatorbench.runs.plan import allowance, plan_attempt
from pytest_innovatorbench.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.runs.model import AttemptResult
    from pytest_innovatorbench.runs.stop import Stop
    from pytest_innovatorbench.tasks.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTrial:
    """An attempt by a built-in agent.

    Attributes:
        result: What it came to.
        evaluation: What its record says of the final evaluation; empty if there was none.
        allowed: Working time that it had, in seconds.
    """

    result: AttemptResult
    evaluation: Mapping[str, Any]
    allowed: float

    @property
    def score(self) -> float | None:
        """The final score, ``None`` if there is none that counts."""
        return self.result.final if self.result.status is Status.SCORED else None

    @property
    def trouble(self) -> str | None:
        """What went wrong with the agent or its evaluation, in one line."""
        if self.result.status is Status.SCORED and self.result.ending == "finished":
            return None
        return self.result.error or f"the attempt ended by {self.result.ending}"

    @property
    def is_machine_fault(self) -> bool:
        """Whether this machine, not the task, is why there is no score."""
        return self.result.fault == "machine"

    @property
    def archive(self) -> Path | None:
        """The submission that it left, frozen."""
        kept = (self.evaluation.get("submission") or {}).get("archive")
        return self.result.run_dir / kept if kept else None


class Attempts:
    """Runs built-in agents at one task.

    Args:
        task: The task.
        sandbox: Name of the sandbox.
        folder: Where records go; made when the first attempt starts.
        stop: Ends attempts when nobody wants them any more.
    """

    def __init__(self, task: Task, *, sandbox: str, folder: Path, stop: Stop) -> None:
        self._task = task
        self._stop = stop
        self._settings = Settings(
            agents=(), root=task.evaluations.parents[1], run_dir=folder, run_id="attempts", sandbox=sandbox
        )

    def run(
        self, wanted: Sequence[tuple[str, int]], say: Callable[[str], None] = lambda _: None
    ) -> list[AgentTrial]:
        """Run agents, each with a seed, several at once where no GPU has to be shared.

        Args:
            wanted: Names of agents with seeds; no pair twice in the life of this object.
            say: Told of each that is over.

        Returns:
            What came of them, in their order.

        Raises:
            StoppedError: Nobody wants to know any more.
        """

        def run(pair: tuple[str, int]) -> AgentTrial:
            if self._stop.asked:
                raise StoppedError
            attempted = self._run(*pair)
            say(f"{pair[0]}, seed {pair[1]}")
            return attempted

        threads = 1 if self._task.resources.gpus else os.cpu_count()
        attempted = list(results(run, wanted, threads, self._stop.insist))
        if self._stop.asked:
            raise StoppedError
        return attempted

    def _run(self, agent: str, seed: int) -> AgentTrial:
        kind = find(agent, tabulate(SCRIPTED_AGENTS))
        spec = plan_attempt(self._task, agent, kind, seed, self._settings)
        result = run_attempt(spec, stop=self._stop, board=Board())
        return AgentTrial(
            result=result,
            evaluation=_final_evaluation(result.run_dir),
            allowed=allowance(self._task, self._settings).seconds,
        )


def worst_trouble(attempts: Iterable[AgentTrial]) -> AgentTrial | None:
    """Return the first attempt with trouble, one that is the task's fault before the machine's."""
    troubled = [attempt for attempt in attempts if attempt.trouble]
    return min(troubled, key=lambda attempt: attempt.is_machine_fault, default=None)


def _final_evaluation(folder: Path) -> Mapping[str, Any]:
    file = folder / EVENTS_FILE
    events = list(read_events(file)) if file.is_file() else []
    finals = [event for event in events if event["kind"] == "evaluation" and event["final"]]
    return finals[-1] if finals else {}
