"""The gym of an attempt: its rules, its judge and its record, on the computers that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.evaluation.model import Caps
from pytest_innovatorbench.researchgym.gym import ResearchGym
from pytest_innovatorbench.researchgym.parsing.parser import Parser
from pytest_innovatorbench.researchgym.web.browser import Browser
from pytest_innovatorbench.researchgym.web.policy import Policy, as_entry
from pytest_innovatorbench.researchgym.web.searching import Corpus
from pytest_innovatorbench.runs.computing import GB
from pytest_innovatorbench.runs.judge import SubmissionJudge

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_innovatorbench.researchgym.computers.stations import Computers
    from pytest_innovatorbench.researchgym.web.backends import Search
    from pytest_innovatorbench.runs.board import Board
    from pytest_innovatorbench.runs.events import EventLog
    from pytest_innovatorbench.runs.plan import AttemptSpec
    from pytest_innovatorbench.runs.preparing import Room
    from pytest_innovatorbench.tasks.model import Task


def open_gym(
    spec: AttemptSpec,
    folder: Path,
    room: Room,
    computers: Computers,
    *,
    log: EventLog,
    board: Board,
    cancelled: threading.Event,
) -> ResearchGym:
    """Return the gym of an attempt; nothing runs in it yet.

    Args:
        spec: What was settled about the attempt.
        folder: Its record.
        room: What was prepared for it.
        computers: Those that it was given.
        log: Where its events are written.
        board: Told of those that a watcher wants to see.
        cancelled: Set when nobody waits for a verdict any more.
    """
    beginning = spec.beginning
    judge = SubmissionJudge(
        target=room.target,
        computer=computers.outputs,
        sandbox=room.sandbox,
        folder=folder,
        cancelled=cancelled,
        caps=_caps(spec.task),
    )
    parser = Parser(room.sandbox)
    gym = ResearchGym(
        task=spec.task,
        seed=spec.seed,
        allowance=spec.allowance,
        computer=computers,
        parser=parser,
        browser=_browser(spec.task, parser, room.search),
        actions=spec.extensions.actions,
        judge=judge,
        record=_Recorder(log, board, spec.folder.name, beginning.ledger.evals),
        clock=log.seconds,
        hints_allowed=spec.hints_allowed,
        paused=log.paused,
        ledger=beginning.ledger,
    )
    gym.beginning = beginning.kind
    return gym


def _browser(task: Task, parser: Parser, search: Search | None) -> Browser:
    policy = Policy(
        mode=task.web.mode,
        allowed=tuple(map(as_entry, task.web.allow)),
        blocked=tuple(map(as_entry, task.web.block)),
    )
    corpus = Corpus(task.web.corpus) if task.web.corpus else None
    return Browser(policy, parser, corpus=corpus, search=search)


def _caps(task: Task) -> Caps:
    # A file with holes is larger than what it takes on the disk, and is kept without them.
    return Caps(total=min(Caps().total, int(task.resources.disk_gb * GB)))


class _Recorder:
    """Writes events and tells the board of those that a watcher wants to see."""

    def __init__(self, log: EventLog, board: Board, attempt: str, evals: int) -> None:
        self._log = log
        self._board = board
        self._attempt = attempt
        self._evals = evals

    def __call__(self, kind: str, /, **data: Any) -> Mapping[str, Any]:  # noqa: ANN401 - plain JSON values
        event = self._log(kind, **data)
        if kind == "action":
            self._board.tell(self._attempt, str(data["name"]))
        elif kind == "evaluation":
            self._evals += 1
            self._board.scored(self._attempt, self._evals, data["score"])
        return event
