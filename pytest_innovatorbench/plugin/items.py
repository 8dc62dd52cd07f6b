"""One attempt as a test item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_innovatorbench.errors import NoSuchComputerError, TaskError, UserError
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.plugin.continuing import plan_in
from pytest_innovatorbench.plugin.inline import run_inline
from pytest_innovatorbench.researchgym.computers.placement import check
from pytest_innovatorbench.runs.model import AttemptResult, Status
from pytest_innovatorbench.runs.plan import AttemptSpec
from pytest_innovatorbench.tasks.lacking import lacks

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.tasks.model import Task

_LONGEST_ERROR = 4_000
RESULT = pytest.StashKey[AttemptResult]()


class NotPassedError(Exception):
    """An attempt did not end as a passed test; the text says how it ended."""


class AttemptItem(pytest.Item):
    """An attempt of an agent at a task with a seed."""

    def __init__(
        self,
        *,
        run: Run,
        task_id: str,
        task: Task | TaskError,
        agent: str,
        seed: int,
        **rest: Any,  # noqa: ANN401 - pytest's own arguments
    ) -> None:
        super().__init__(**rest)
        self._run = run
        self._task_id = task_id
        self._task = task
        self._agent = agent
        self._seed = seed
        self._ahead: AttemptResult | BaseException | None = None
        self._domain = run.benchmark.domain(task_id) if isinstance(task, TaskError) else task.domain
        domain = self._domain
        self.add_marker(pytest.mark.ibench(id=task_id, domain=domain, agent=agent, seed=seed))
        self._skip_where_it_cannot_run()

    def plan(self) -> AttemptSpec | None:
        """Settle the attempt, or return ``None`` where its task is broken or it was made already."""
        if isinstance(self._task, TaskError) or self._result_before is not None:
            return None
        return plan_in(self._run, self._task, self._agent, self._seed)

    @property
    def _result_before(self) -> AttemptResult | None:
        """What the attempt came to before the run was resumed."""
        earlier = self._run.earlier.get((self._task_id, self._agent, self._seed))
        return earlier.result if earlier is not None and earlier.is_over else None

    def _skip_where_it_cannot_run(self) -> None:
        try:
            spec = self.plan()
            if spec is not None:
                self._skip_where_something_is_missing(spec.task)
                check(spec.needs, spec.inventory)
        except NoSuchComputerError as error:
            self.add_marker(pytest.mark.skip(reason=str(error)))
        except UserError:  # told when it is run
            pass

    def _skip_where_something_is_missing(self, task: Task) -> None:
        missing = "; ".join(lacks(task))
        if missing:
            self.add_marker(pytest.mark.skip(reason=missing))

    def take(self, outcome: AttemptResult | BaseException | None) -> None:
        """Keep the outcome of an attempt that ran ahead, for the next time the item is run."""
        self._ahead = outcome

    def runtest(self) -> None:
        """Run the attempt, or report the one that ran ahead."""
        # Used once: a plug-in that runs the item again wants a new attempt, not this one again.
        outcome, self._ahead = self._ahead, None
        if RESULT in self.stash:
            del self.stash[RESULT]
        if outcome is None:
            outcome = self._run_now()
        if isinstance(outcome, BaseException):
            raise outcome
        self.stash[RESULT] = outcome
        self.user_properties[:] = _properties(outcome)
        self.ihook.pytest_ibench_attempt_finished(result=outcome)
        if outcome.status is not Status.UNSCOREABLE:
            _check(outcome, self._run.settings.fail_under)

    def teardown(self) -> None:
        """Fail an attempt that has no score: what fails outside of the call is an error to everybody."""
        outcome = self.stash.get(RESULT, None)
        if outcome is not None and outcome.status is Status.UNSCOREABLE:
            _check(outcome, None)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - pytest's own
        """Return one text for an attempt that did not pass, a traceback only for our own bugs."""
        if isinstance(excinfo.value, (NotPassedError, UserError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the item comes from; pytest cannot do without a line."""
        return self.path, 0, self.name

    def _run_now(self) -> AttemptResult:
        if (before := self._result_before) is not None:
            return before
        spec = self.plan()
        if spec is None:
            return self._broken()
        return run_inline(spec, self._run)

    def _broken(self) -> AttemptResult:
        assert isinstance(self._task, TaskError)  # noqa: S101 - plan() told so
        return AttemptResult(
            attempt=f"{self._task_id}-{self._agent}-{self._seed}",
            task=self._task_id,
            domain=self._domain,
            agent=self._agent,
            seed=self._seed,
            status=Status.UNSCOREABLE,
            fault="evaluator",
            ending="unprepared",
            max_evals=0,
            error=one_line(str(self._task), _LONGEST_ERROR),
        )


def _properties(result: AttemptResult) -> list[tuple[str, object]]:
    """Return what JUnit and other reports show of an attempt; plain values only."""
    return [
        ("score", result.final),
        ("best", result.best),
        ("final", result.final),
        ("evals", result.evals),
        ("hint", result.hints > 0),
        ("tokens", result.tokens),
        ("cost", result.cost),
        ("status", str(result.status)),
    ]


def _check(result: AttemptResult, least: float | None) -> None:
    if result.status is not Status.SCORED:
        whose = f", the {result.fault}'s fault" if result.fault else ""
        raise NotPassedError(f"{result.status.upper()}{whose}: {result.error}{_where(result)}")
    if least is not None and (result.final is None or result.final < least):
        raise NotPassedError(f"the final score {result.final:.1f} is below {least:g}{_where(result)}")


def _where(result: AttemptResult) -> str:
    return f"\nrecord: {result.run_dir}" if result.run_dir.name else ""


def printable(agent: str) -> str:
    """Return an agent's name as it stands in the names of items."""
    return agent.encode("ascii", "backslashreplace").decode()
