"""Running one attempt, from a plan to a result. It knows nothing of pytest."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import Agent, RecallingAgent, ResumableAgent
from pytest_innovatorbench.agents.registry import split
from pytest_innovatorbench.errors import MachineFaultError, RecordError, UserError
from pytest_innovatorbench.evaluation.digest import digest
from pytest_innovatorbench.researchgym.computers.pool import LeaseCancelledError
from pytest_innovatorbench.researchgym.gym import ResearchGym
from pytest_innovatorbench.researchgym.ledger import Ledger, replay
from pytest_innovatorbench.runs.beginning import Beginning
from pytest_innovatorbench.runs.computing import open_computers, wait_for_computers
from pytest_innovatorbench.runs.conclusion import conclude
from pytest_innovatorbench.runs.ear import Ear
from pytest_innovatorbench.runs.events import EVENTS_FILE, EventLog, read_events
from pytest_innovatorbench.runs.keeping import Keeper
from pytest_innovatorbench.runs.laying_out import lay_out
from pytest_innovatorbench.runs.opening import open_gym
from pytest_innovatorbench.runs.plan import AttemptSpec, spec_record
from pytest_innovatorbench.runs.preparing import Room, prepare, unprepared
from pytest_innovatorbench.runs.records import (
    RECORD_VERSION,
    RESULT_FILE,
    SPEC_FILE,
    create_attempt_folder,
    now,
    read_json,
    result_to_dict,
    versions,
    write_json,
)
from pytest_innovatorbench.runs.taking_up import take_up
from pytest_innovatorbench.runs.work import Ending, work
from pytest_innovatorbench.runs.workspaces import whole_place

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.computers.placement import Grant
    from pytest_innovatorbench.researchgym.computers.pool import Lease
    from pytest_innovatorbench.runs.board import Board
    from pytest_innovatorbench.runs.model import AttemptResult
    from pytest_innovatorbench.runs.stop import Stop

_PRIVATE = "workspace"
_GOES_ON = {"interrupted", "machine"}  # perhaps, another day


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What an attempt has once its agent may start.

    Attributes:
        room: What does not depend on computers.
        lease: Its computers.
        waited: Seconds until it got them.
    """

    room: Room
    lease: Lease
    waited: float


def run_attempt(spec: AttemptSpec, *, stop: Stop, board: Board) -> AttemptResult:
    """Run one attempt and write its record.

    Args:
        spec: What was settled about it.
        stop: Asks it to end early; it still gets its final evaluation.
        board: Told what it does.

    Returns:
        What it came to. Faults and crashes are values in it, not exceptions.
    """
    started = {"attempt": spec.folder.name, "started": now(), **spec_record(spec)}
    folder = spec.folder
    board.begin(spec.folder.name)
    try:
        if spec.beginning.folder is not None:
            folder = spec.beginning.folder
            return _go_on(spec, folder, stop, board)
        folder = create_attempt_folder(spec.folder)
        started = {**started, "attempt": folder.name}
        write_json(folder / SPEC_FILE, {"version": RECORD_VERSION, **started, "versions": versions()})
        return _run(spec, started, folder, stop, board)
    except OSError as error:
        # Most likely a full disk. What was written until then stays; the result goes to the report.
        said = f"the record could not be written: {error.strerror}: {error.filename or folder}"
        ending = Ending(reason="machine", fault="machine", error=said)
        return conclude(started, folder, ending, _ledger_so_far(folder), 0.0)
    finally:
        board.end(spec.folder.name)


def _go_on(spec: AttemptSpec, folder: Path, stop: Stop, board: Board) -> AttemptResult:
    """Run an attempt from where it left off, in its record, which says how it began."""
    (folder / RESULT_FILE).unlink(missing_ok=True)  # cut short again, it has no result
    for left in folder.glob("evaluation-*"):
        shutil.rmtree(left, ignore_errors=True)
    return _run(spec, read_json(folder / SPEC_FILE), folder, stop, board)


def _run(
    spec: AttemptSpec, started: Mapping[str, Any], folder: Path, stop: Stop, board: Board
) -> AttemptResult:
    beginning = spec.beginning
    log = EventLog(folder / EVENTS_FILE, worked=beginning.seconds, goes_on=beginning.is_resumed)
    with _scratch(folder) as scratch, contextlib.closing(log):
        ending, ledger = _take_part(spec, folder, scratch, log, stop, board)
        result = conclude(started, folder, ending, ledger, log.seconds())
        write_json(folder / RESULT_FILE, {"version": RECORD_VERSION, "result": result_to_dict(result)})
        return result


def _ledger_so_far(folder: Path) -> Ledger:
    try:
        return replay(read_events(folder / EVENTS_FILE))
    except (OSError, RecordError):
        return Ledger()


def _take_part(
    spec: AttemptSpec, folder: Path, scratch: Path, log: EventLog, stop: Stop, board: Board
) -> tuple[Ending, Ledger]:
    """Prepare, let the agent work, and evaluate what it left: the stages of an attempt."""

    def say(what: str) -> None:
        board.announce(spec.folder.name, what)

    try:
        room = prepare(spec, scratch, say)
        log("prepared", evaluator=digest(room.target), packages=dict(room.environment.packages()))
        began = time.monotonic()
        lease = wait_for_computers(spec, stop, say)
    except LeaseCancelledError:
        log.forget_time()  # spent in the queue, not at work
        ending = Ending(reason="interrupted", error="interrupted while waiting for computers")
        return ending, spec.beginning.ledger
    except MachineFaultError as error:
        return Ending(reason="machine", error=error.message, fault="machine"), spec.beginning.ledger
    except UserError as error:
        return unprepared(error), spec.beginning.ledger
    with lease:
        waited = time.monotonic() - began
        attempt = _Given(room=room, lease=lease, waited=waited)
        return _attempt(spec, folder, attempt, log, stop, board)


def _attempt(
    spec: AttemptSpec, folder: Path, given: _Given, log: EventLog, stop: Stop, board: Board
) -> tuple[Ending, Ledger]:
    """Let the agent work on the computers it was given, and evaluate what it left."""
    room, beginning, private = given.room, spec.beginning, folder / _PRIVATE
    try:
        whole = whole_place(spec.task, given.lease.grants, private)
        restored = lay_out(beginning, private, spec.task.gym, whole)
        computers = open_computers(
            spec,
            given.lease.grants,
            folder=private,
            sandbox=room.sandbox,
            environment=room.environment,
            binds=room.agent.binds,
        )
    except MachineFaultError as error:
        return Ending(reason="machine", error=error.message, fault="machine"), beginning.ledger
    except UserError as error:
        return unprepared(error), beginning.ledger
    gym = open_gym(spec, folder, room, computers, log=log, board=board, cancelled=stop.now)
    _note_beginning(gym, beginning, restored)
    _restore_agent(room.agent, spec)
    keeper = _keeper(spec, folder, gym, room.agent, computers.tree, log)
    try:
        take_up(gym, beginning.computers, stop)
        log.start_clock()
        log("computers", waited=round(given.waited, 3), given=list(map(_describe, given.lease.grants)))
        with _listening(folder, gym):
            ending = work(room.agent, gym, stop)
        gym.end(ending.reason)
    except MachineFaultError as error:  # of what was left; those of the agent's work are in its ending
        ending = Ending(reason="machine", error=error.message, detail=error.detail, fault="machine")
        gym.end(ending.reason)
    finally:
        log.stop_clock()
        computers.close()
        given.lease.release()  # the outputs can be read without, and others wait
        keeper.close()
    if ending.detail:
        gym.note("trouble", error=ending.error, detail=ending.detail)
    gym.evaluate_finally()
    if ending.reason not in _GOES_ON:
        computers.discard()
    return ending, gym.ledger


def _keeper(
    spec: AttemptSpec, folder: Path, gym: ResearchGym, agent: Agent, tree: Callable[[], Path], log: EventLog
) -> Keeper:
    files = spec.beginning.files
    return Keeper(
        gym=gym,
        agent=agent,
        folder=folder,
        tree=tree,
        store=spec.store,
        every=spec.snapshot_every,
        about={"attempt": folder.name, "run": folder.parents[1].name, **spec_record(spec)},
        seconds=log.seconds,
        parent=files.snapshot if files else None,
    )


def _note_beginning(gym: ResearchGym, beginning: Beginning, restored: str | None) -> None:
    """Write what the attempt starts from, so that its events alone tell all that was spent."""
    if beginning.kind == "snapshot":
        gym.note("began", parent=beginning.parent, ledger=beginning.ledger.to_dict())
    elif beginning.is_resumed:
        gym.note("resumed", restored=restored)


def _restore_agent(agent: Agent, spec: AttemptSpec) -> None:
    """Hand an agent what it goes on from; that of another agent would mean nothing to it."""
    beginning = spec.beginning
    if split(beginning.agent or "")[0] != split(spec.agent)[0]:
        return
    if beginning.folder is not None and isinstance(agent, RecallingAgent):
        agent.recall(read_events(beginning.folder / EVENTS_FILE))
    elif beginning.state and isinstance(agent, ResumableAgent):
        agent.restore(beginning.state)


@contextlib.contextmanager
def _listening(folder: Path, gym: ResearchGym) -> Iterator[None]:
    """Pass on what people say to the agent meanwhile."""
    try:
        ear = Ear(folder, gym.tell)
    except OSError as error:  # such as a file system without pipes
        gym.note("trouble", error="nobody can speak to this agent", detail=str(error))
        yield
        return
    with contextlib.closing(ear):
        yield


def _describe(grant: Grant) -> dict[str, Any]:
    """Return what the record says of a computer that an attempt was given."""
    gpus = [asdict(gpu) for gpu in grant.gpus]
    return {"name": grant.machine.name, "kind": grant.machine.kind, "role": grant.role.name, "gpus": gpus}


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)  # a killed process leaves its own
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
