"""Running one attempt while the main thread waits for it."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pytest_innovatorbench.runs.attempt import run_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.runs.model import AttemptResult
    from pytest_innovatorbench.runs.plan import AttemptSpec

PATIENCE = 15.0
"""Seconds that interrupted attempts have for their final evaluations."""


def run_inline(spec: AttemptSpec, run: Run) -> AttemptResult:
    """Run an attempt in a thread and wait for it; an interrupt lets it evaluate and write its record.

    Raises:
        KeyboardInterrupt: The wait was interrupted.
        Exception: The harness itself failed.
    """
    outcomes: SimpleQueue[AttemptResult | BaseException] = SimpleQueue()
    start_attempt(spec, run, outcomes.put)
    try:
        outcome = outcomes.get()
    except KeyboardInterrupt:
        run.stop.ask()
        try:
            outcomes.get(timeout=PATIENCE)
        except (Empty, KeyboardInterrupt):
            run.stop.insist()
        raise
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def start_attempt(
    spec: AttemptSpec, run: Run, deliver: Callable[[AttemptResult | BaseException], None]
) -> None:
    """Start an attempt in a daemon thread, which does not hold up the end of the process."""

    def body() -> None:
        deliver(outcome_of(spec, run))

    threading.Thread(target=body, daemon=True, name="ibench-attempt").start()


def outcome_of(spec: AttemptSpec, run: Run) -> AttemptResult | BaseException:
    """Run an attempt and return its result, or what the harness itself raised."""
    try:
        return run_attempt(spec, stop=run.stop, board=run.board)
    except BaseException as error:  # noqa: BLE001 - it is raised again where the item is reported
        return error
