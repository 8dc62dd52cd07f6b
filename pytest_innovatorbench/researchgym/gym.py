"""ResearchGym: the environment of one attempt."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from pytest_innovatorbench.errors import IbenchError, MachineFaultError
from pytest_innovatorbench.researchgym.actions.declaration import refuse
from pytest_innovatorbench.researchgym.actions.reader import Reader
from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.alarm import Alarm
from pytest_innovatorbench.researchgym.computers.base import (
    ComputerAwayError,
    ComputerClosedError,
    ComputerLostError,
    DiskQuotaError,
)
from pytest_innovatorbench.researchgym.computers.stations import (
    Computers,
    SeveralComputersError,
    Station,
    UnknownComputerError,
    alone,
)
from pytest_innovatorbench.researchgym.ledger import Allowance, Ledger
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError, Observation

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk
    from pytest_innovatorbench.researchgym.computers.base import Computer
    from pytest_innovatorbench.researchgym.parsing.parser import Parser
    from pytest_innovatorbench.researchgym.web.browser import Browser
    from pytest_innovatorbench.tasks.model import Task

# An evaluator that always fails costs the agent nothing, so something else must bound the trying.
_MAX_FAULTY_EVALS = 3
# A sandbox that worked is most often lost through what ran in it, so it is no fault of the machine, or
# an agent could make a poor attempt unscoreable.
_MAX_LOSSES = 3
_SPOKEN = "a person has something to say"
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An evaluation as the gym needs to know it.

    Attributes:
        score: 0-100, or ``None`` where there is a fault.
        message: The evaluator's own words for the agent.
        error: One line on the fault, fit for the agent.
        metrics: ``metric_0`` ... of the published observation.
        event: Everything about it, for the record.
    """

    score: float | None
    message: str
    error: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)


class Judge(Protocol):
    """Freezes the outputs as they are and evaluates them."""

    def __call__(self) -> Verdict:
        """Return the verdict; faults are values, not exceptions."""


class Record(Protocol):
    """Where events go."""

    def __call__(self, kind: str, /, **data: Any) -> Mapping[str, Any]:  # noqa: ANN401 - plain JSON values
        """Write an event and return it, with its time."""


class Clock(Protocol):
    """Working time of an attempt."""

    def __call__(self) -> float:
        """Seconds worked so far."""


class ResearchGym:
    """What an agent works in: it acts, it observes, until its budget or its work ends.

    Args:
        task: The task.
        seed: Seed of this attempt.
        allowance: What the agent may spend.
        computer: What it works on, one or several by name.
        parser: Reads documents for it.
        browser: Searches and reads the web for it.
        judge: Evaluates its outputs.
        record: Takes the events.
        clock: Working time.
        hints_allowed: Whether the hint may be viewed.
        paused: Stops the clock while a context lasts, from a moment on that has passed, if one is given.
        ledger: What was spent already.

    Attributes:
        beginning: What the attempt starts from: ``fresh``, ``snapshot``, or ``resumed`` where it left off.
        after_step: Called with each action that was taken, in the agent's thread, before it sees what came
            of it; not after the last one.
    """

    def __init__(  # noqa: PLR0913 - an attempt is put together here
        self,
        *,
        task: Task,
        seed: int,
        allowance: Allowance,
        computer: Computer | Computers,
        parser: Parser,
        browser: Browser,
        judge: Judge,
        record: Record,
        clock: Clock,
        hints_allowed: bool = True,
        actions: Mapping[str, ActionKind] = ACTIONS,
        paused: Callable[..., AbstractContextManager[Any]] = nullcontext,
        ledger: Ledger | None = None,
    ) -> None:
        self.beginning = "fresh"
        self.after_step: Callable[[Action], None] = lambda _: None
        self.paused = paused
        self.task = task
        self.seed = seed
        self.allowance = allowance
        self.computers = computer if isinstance(computer, Computers) else alone(computer)
        self.computer = self.computers.first.computer
        self.parser = parser
        self.browser = browser
        self.reader = Reader()
        self.ledger = ledger or Ledger()
        self.ending: str | None = None
        self.when_ended: Callable[[str], None] = lambda _: None
        self._judge = judge
        self._record = record
        self._clock = clock
        self.hints_allowed = hints_allowed
        self.actions = actions
        self._books = threading.Lock()
        self._judging = threading.Lock()
        self._losses = 0
        self._remarks: list[str] = []
        self._opened = self.computers.first
        self._alarm = Alarm()
        for station in self.computers:
            station.computer.when_finished = partial(self._job_ended, station)

    def act(self, action: Action) -> Observation:
        """Take an action and return what comes of it.

        A wrong call is an observation that says what was wrong. The observation of the action that
        ends the attempt has ``done`` set.

        Raises:
            AttemptOverError: The attempt has ended.
            MachineFaultError: The computer failed and the attempt cannot go on.
        """
        step = self._open_step(action)
        observation = self._with_remarks(self._perform(action))
        if self.ledger.steps >= self.allowance.steps:
            self.end("steps")
        data = {**observation.data, "budget": self.budget()}
        is_done = observation.done or self.ending is not None
        now = datetime.now(UTC).isoformat()
        observation = replace(observation, data=data, done=is_done, timestamp=now)
        self.note("observation", step=step, **observation.to_record())
        if self.ending is None:
            self.after_step(action)
        return observation

    def end(self, reason: str) -> None:
        """End the attempt: no action is taken after this, and a command that runs is stopped."""
        with self._books:
            if self.ending:
                return
            self.ending = reason
        self.note("ended", reason=reason)
        self._alarm.ring(f"the attempt is over ({reason})")
        if reason != "finished":
            self.computer.close()
            self.computers.close()
        self.when_ended(reason)

    def note(self, kind: str, /, **data: Any) -> None:  # noqa: ANN401 - plain JSON values
        """Write an event and keep the books by it."""
        with self._books:
            self.ledger = self.ledger.after(self._record(kind, **data))
        for reason in ("tokens", "cost"):
            limit = getattr(self.allowance, reason)
            if limit is not None and getattr(self.ledger, reason) >= limit:
                self.end(reason)

    def tell(self, text: str) -> None:
        """Pass on what a person says to the agent, which hears it before its next step."""
        self.note("human", text=text)
        self.wake(_SPOKEN)

    def hear(self) -> tuple[str, ...]:
        """Return what people have said since this was asked last, also before the attempt was cut short."""
        self._alarm.hush(_SPOKEN)  # first: what is said from now on rings again
        with self._books:
            said = self.ledger.unheard
            if said:
                self.ledger = self.ledger.after(self._record("heard", count=len(said)))
        return said

    def remark(self, text: str) -> None:
        """Tell the agent something about its computers, at the head of its next observation."""
        with self._books:
            self._remarks.append(f"[{text}]")

    def remaining_seconds(self) -> float:
        """Working time left, in seconds, never below 0."""
        return max(0.0, self.allowance.seconds - self._clock())

    def budget(self) -> dict[str, float]:
        """Return what is left: ``seconds_left``, ``evals_left``, ``steps_left``, and of other limits."""
        limited = {
            f"{name}_left": max(0, round(limit - getattr(self.ledger, name), 4))
            for name in ("tokens", "cost")
            if (limit := getattr(self.allowance, name)) is not None
        }
        return {
            **limited,
            "seconds_left": round(self.remaining_seconds(), 1),
            "evals_left": max(0, self.allowance.evals - self.ledger.evals),
            "steps_left": max(0, self.allowance.steps - self.ledger.steps),
        }

    def sleep(self, seconds: float, until: str) -> str:
        """Wait and return why the wait ended; see `Desk.sleep`."""
        left, began = self.remaining_seconds(), time.monotonic()
        self._alarm.begin()
        busy = self._busy(until)  # takes its time where a computer does not answer
        rest = max(0.0, min(seconds, left) - (time.monotonic() - began))
        reason = self._alarm.sleep(rest, self.computers.plain(until), busy)
        return reason or ("the working time is over" if left <= seconds else "the time is over")

    def wake(self, reason: str) -> None:
        """End a sleep of the agent early, as when a person has something to say."""
        self._alarm.ring(reason)

    def evaluate(self) -> Observation:
        """Evaluate the outputs as they are now; asking once too often ends the attempt."""
        with self._judging:
            if self.ending:
                raise AttemptOverError(f"the attempt is over ({self.ending})")
            spent = self.ledger.evals
            if spent >= self.allowance.evals or self.ledger.faulty_evals >= _MAX_FAULTY_EVALS:
                self.end("evals")
                text = "No evaluations are left. The attempt ends; its last outputs are evaluated."
                return Observation(success=False, message=text, kind="eval", error_message=text)
            verdict = self._judge()
            self.note("evaluation", final=False, **verdict.event)
            return self._eval_observation(verdict)

    def evaluate_finally(self) -> None:
        """Evaluate the outputs once more, whatever ended the attempt."""
        with self._judging:
            verdict = self._judge()
            self.note("evaluation", final=True, **verdict.event)

    def view_hint(self) -> Observation:
        """Show the hint; its price is paid once."""
        hint = self.task.hint
        if hint is None:
            return refuse("view_hint", "This task has no hint.")
        if not self.hints_allowed:
            return refuse("view_hint", "Hints are switched off in this run.")
        with self._judging:
            text = hint.file.read_text("utf-8", errors="replace")
            if not self.ledger.hints:
                self.note("hint", penalty=hint.penalty)
        price = f"{hint.penalty:g} points are taken off every score from now on.\n\n"
        return Observation(success=True, message=price + text, kind="view_hint")

    def finish(self) -> Observation:
        """End the attempt because the agent says so."""
        self.end("finished")
        return Observation(
            success=True, message="The attempt ends; its outputs are evaluated.", kind="finish"
        )

    def _job_ended(self, station: Station, session: str) -> None:
        self._alarm.job_ended(self.computers.label(station, session))

    def _busy(self, until: str) -> set[str]:
        """Return the sessions in which a command runs, or may: a computer that is away cannot be asked."""
        busy = set()
        for station in self.computers:
            try:
                states = station.computer.list_sessions()
            except ComputerAwayError:
                if self.computers.address({"session_id": until})[0] is station:
                    busy.add(self.computers.plain(until))
                continue
            busy |= {
                self.computers.label(station, state.session) for state in states if state.running is not None
            }
        return busy

    def _open_step(self, action: Action) -> int:
        if self.ending is None and self.remaining_seconds() <= 0:
            self.end("time")
        if self.ending is None and self.ledger.steps >= self.allowance.steps:
            self.end("steps")
        if self.ending:
            raise AttemptOverError(f"the attempt is over ({self.ending})")
        self.note("action", name=str(action.name)[:_SHOWN], arguments=_plain(action.arguments))
        return self.ledger.steps

    def _perform(self, action: Action) -> Observation:
        kind = self.actions.get(action.name) if isinstance(action.name, str) else None
        if kind is None:
            named = str(action.name)[:_SHOWN]
            return refuse("base", f"there is no action {named!r}; known: {', '.join(self.actions)}")
        if not isinstance(action.arguments, Mapping):
            return refuse("base", f"{kind.name}: give the arguments by name, as an object")
        arguments = kind.arguments(action.arguments)
        if isinstance(arguments, str):
            return refuse("base", arguments)
        try:
            station, arguments = self._find(kind, arguments)
        except (UnknownComputerError, SeveralComputersError) as error:
            return refuse("base", f"{kind.name}: {error}")
        before = self.reader.place
        observation = self._carry_out(kind, station, arguments)
        if self.reader.place is not before:
            self._opened = station
        if kind.family != "command" and station is self.computers.first:
            return observation
        return replace(observation, data={"computer_ip": station.name, **observation.data})

    def _find(self, kind: ActionKind, arguments: dict[str, Any]) -> tuple[Station, dict[str, Any]]:
        """Return the computer that an action means, and its arguments as they are spelt there."""
        if kind.family == "file" and not any(arguments[path] for path in kind.paths):
            return self._opened, arguments  # the file that is open
        return (
            self.computers.locate(arguments, kind.paths) if kind.paths else self.computers.address(arguments)
        )

    def _with_remarks(self, observation: Observation) -> Observation:
        with self._books:
            remarks, self._remarks = self._remarks, []
        if not remarks:
            return observation
        return replace(observation, message="\n".join([*remarks, observation.message]))

    def _carry_out(self, kind: ActionKind, station: Station, arguments: Mapping[str, Any]) -> Observation:
        try:
            return kind.perform(self._desk(station), arguments)
        except DiskQuotaError as error:
            self.end("disk")
            return refuse("base", str(error))
        except ComputerClosedError:
            if self.ending:
                return refuse("base", f"the attempt is over ({self.ending})")
            raise
        except ComputerAwayError as error:
            return self._away(error)
        except ComputerLostError as error:
            return self._lost(error)
        except (MachineFaultError, OSError) as error:
            fault = _machine_fault(error)
            self.note("fault", fault="machine", error=fault.message, detail=fault.detail)
            raise fault from error
        except IbenchError:
            raise
        except Exception as error:  # noqa: BLE001 - an action of a plug-in may fail in any way
            text = f"{kind.name} failed: {type(error).__name__}. That is no fault of yours; do without it."
            self.note("trouble", error=f"{kind.name}: {error!r}", detail=traceback.format_exc())
            return refuse("base", text)

    def _desk(self, station: Station) -> Desk:
        """Return what an action sees that is taken at a computer."""
        return self if station is self.computers.first else cast("Desk", _Elsewhere(self, station.computer))

    def _away(self, error: ComputerAwayError) -> Observation:
        """Say so; it is nobody's loss, since what runs there goes on."""
        self.note("computer_away", error=error.message, detail=error.detail)
        text = f"{error.message}: it may come back. What runs on it goes on; sleep, and try again."
        return replace(refuse("command_run", text), data={"computer_away": True})

    def _lost(self, error: ComputerLostError) -> Observation:
        if self.ending:
            return refuse("base", f"the attempt is over ({self.ending})")
        self._losses += 1
        self.note("computer_lost", error=error.message, detail=error.detail)
        if self._losses > _MAX_LOSSES:
            self.end("lost")
        text = f"{error.message}: all that ran on the computer has ended. Files are as they were."
        return refuse("command_run", text)

    def _eval_observation(self, verdict: Verdict) -> Observation:
        left = max(0, self.allowance.evals - self.ledger.evals)
        if verdict.score is None:
            text = f"The evaluation failed: {verdict.error}. It costs none of your {left} evaluations."
            return Observation(success=False, message=text, kind="eval", error_message=text)
        score = self.ledger.net(verdict.score)
        ends = " If you use eval again, the attempt ends." if left == 0 else ""
        data = {"overall_score": score, "already_eval_num": self.ledger.evals, **verdict.metrics}
        text = (
            f"Eval finish! You have remaining {left} eval times.{ends} Score {score:.2f}. {verdict.message}"
        )
        return Observation(success=True, message=text.strip(), kind="eval", data=data)


def _plain(arguments: object) -> object:
    """Return arguments as plain JSON values, or their type in place of those that are none."""
    try:
        json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {"unreadable": type(arguments).__name__}
    return arguments


class _Elsewhere:
    """The gym as seen from another computer than the first."""

    def __init__(self, gym: ResearchGym, computer: Computer) -> None:
        self.computer = computer
        self._gym = gym

    def __getattr__(self, name: str) -> object:
        return getattr(self._gym, name)


def _machine_fault(error: MachineFaultError | OSError) -> MachineFaultError:
    if isinstance(error, MachineFaultError):
        return error
    return MachineFaultError(f"the computer failed: {error.strerror}", detail=str(error))
