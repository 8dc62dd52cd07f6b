"""One evaluation of one submission: in a process of its own, in a sandbox of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_innovatorbench.errors import EvaluatorFaultError, FaultError, MachineFaultError
from pytest_innovatorbench.evaluation.layout import (
    EVALUATIONS,
    LIBRARY,
    START,
    WORKER,
    WORKSPACE,
    furnish,
    spread,
)
from pytest_innovatorbench.evaluation.listening import Ending, Heard, Listener
from pytest_innovatorbench.evaluation.model import Evaluation
from pytest_innovatorbench.evaluation.submission import thaw
from pytest_innovatorbench.evaluation.verdict import judge
from pytest_innovatorbench.hostile import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.errors import Fault
    from pytest_innovatorbench.evaluation.model import Submission
    from pytest_innovatorbench.evaluation.target import EvaluationTarget
    from pytest_innovatorbench.sandbox.model import Child, Jail, Sandbox

INTERRUPTED = "interrupted"
# Hundreds of attempts may want a score at once, and memory has to hold out. Twice the cores, as half of
# a short evaluation is waiting for namespaces and mounts.
_slots = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))
_SLOT_TICK = 0.25
_SIGNALLED = 128
_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are private and have names of their own
_PREFIX = "evaluation-"
_SMALL = 2**20
_FEW = 1_000
_GRACE = 5.0


class _InterruptedError(Exception):
    """Nobody wants the score any more."""


def evaluate(
    target: EvaluationTarget,
    submission: Submission,
    *,
    sandbox: Sandbox,
    scratch: Path,
    cancelled: threading.Event | None = None,
) -> Evaluation:
    """Evaluate a frozen submission.

    Faults are values, not exceptions: whoever asks has a record to write in any case.

    Args:
        target: The task.
        submission: What to evaluate.
        sandbox: What confines the evaluator.
        scratch: Existing folder for temporary files.
        cancelled: Set when nobody wants the score any more.

    Returns:
        The score, or whose fault it is that there is none. After a cancellation there is neither, and
        ``error`` is ``"interrupted"``.
    """
    try:
        with _slot(cancelled), _folder(_place(submission, scratch)) as outputs:
            thaw(submission.archive, outputs)
            return _evaluate(target, furnish(target, outputs), sandbox, scratch, cancelled)
    except FaultError as problem:
        return _faulty(problem)
    except _InterruptedError:
        return _without_score(INTERRUPTED)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        return _without_score(
            f"evaluation could not be set up: {reason}", fault="machine", detail=str(problem)
        )


@contextmanager
def _slot(cancelled: threading.Event | None) -> Iterator[None]:
    while not _slots.acquire(timeout=_SLOT_TICK):
        if cancelled is not None and cancelled.is_set():
            raise _InterruptedError
    try:
        yield
    finally:
        _slots.release()


def _place(submission: Submission, scratch: Path) -> Path:
    """Keep small submissions in memory: disks are slow to make files soon after others were removed."""
    small = submission.size <= _SMALL and submission.files <= _FEW
    return _MEMORY if small and os.access(_MEMORY, os.W_OK) else scratch


@contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    if scratch == _MEMORY:
        _sweep()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=scratch) as folder:
        yield Path(folder)


@cache
def _sweep() -> None:
    """Remove, once per process, what harnesses left in memory that were killed before they could."""
    for folder in _MEMORY.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdecimal() and not Path("/proc", pid).exists() and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)


def _evaluate(
    target: EvaluationTarget,
    jail: Jail,
    sandbox: Sandbox,
    scratch: Path,
    cancelled: threading.Event | None,
) -> Evaluation:
    if sandbox.inside(jail, WORKER) != WORKER:
        with _folder(scratch) as copy:
            return _run(target, spread(jail, target.task_id, copy), sandbox, cancelled)
    return _run(target, jail, sandbox, cancelled)


def _run(
    target: EvaluationTarget, jail: Jail, sandbox: Sandbox, cancelled: threading.Event | None
) -> Evaluation:
    started = time.perf_counter()
    with _pipe() as (messages, messages_in), _pipe() as (output, output_in):
        child = sandbox.spawn(
            jail,
            _command(target, jail, sandbox, messages_in.fileno()),
            stdout=output_in.fileno(),
            stderr=output_in.fileno(),
            pass_fds=(messages_in.fileno(),),
        )
        listener = Listener(messages.fileno(), output.fileno())
        try:
            messages_in.close()
            output_in.close()
            heard = listener.listen(child, seconds=target.time_limit, cancelled=cancelled)
            status = _status(child) if heard.ending is Ending.ENDED else 0
        finally:
            child.kill()
        listener.drain()
    try:
        evaluation = _conclude(heard, status, child, target)
    except FaultError as problem:
        evaluation = _faulty(problem)
    evaluation = replace(evaluation, seconds=time.perf_counter() - started)
    return _with_output(evaluation, str(listener.tail))


@contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    out, into = os.pipe()
    with os.fdopen(out, "rb", 0) as reader, os.fdopen(into, "wb", 0) as writer:
        yield reader, writer


def _command(target: EvaluationTarget, jail: Jail, sandbox: Sandbox, fd: int) -> list[str]:
    def inside(path: str, below: str = "") -> str:
        return sandbox.inside(jail, path + below).removesuffix(below)

    return [
        inside(str(target.python)),
        "-S",
        "-c",
        START,
        inside(WORKER).removesuffix("/worker.py"),
        str(fd),
        target.task_id,
        inside(EVALUATIONS, "/base"),
        inside(WORKSPACE, "/data/outputs"),
        inside(LIBRARY, "/pytest_innovatorbench/evaluation"),
        *(inside(str(folder)) for folder in target.site_packages),
    ]


def _status(child: Child) -> int:
    """Return the exit status of a worker that is done, or that closed its pipe and goes on."""
    try:
        return child.wait(_GRACE)
    except TimeoutError:
        return 0


def _conclude(heard: Heard, status: int, child: Child, target: EvaluationTarget) -> Evaluation:
    match heard.ending:
        case Ending.ANSWERED:
            return judge(heard.message)
        case Ending.CANCELLED:
            raise _InterruptedError
        case Ending.TIMED_OUT:
            raise EvaluatorFaultError(f"evaluator did not finish within {target.time_limit:g} s")
        case Ending.FLOODED:
            raise EvaluatorFaultError("evaluator's results are larger than 1 MiB")
    if child.out_of_memory():
        raise EvaluatorFaultError(f"evaluator ran out of memory (limit {target.memory / 2**20:.0f} MiB)")
    if not heard.is_up:
        raise MachineFaultError("the evaluator's interpreter did not start")
    end = (
        f"was killed by signal {status - _SIGNALLED}"
        if status > _SIGNALLED
        else f"ended with status {status}"
    )
    raise EvaluatorFaultError(f"evaluator {end} before it returned results")


def _with_output(evaluation: Evaluation, output: str) -> Evaluation:
    said = printable(output, len(output))
    return replace(evaluation, detail="\n".join(filter(None, (evaluation.detail, said))))


def _faulty(problem: FaultError) -> Evaluation:
    return _without_score(problem.message, fault=problem.fault, detail=problem.detail)


def _without_score(error: str, *, fault: Fault | None = None, detail: str = "") -> Evaluation:
    return Evaluation(
        score=None, unclamped=None, metrics={}, message="", fault=fault, error=error, detail=detail
    )
