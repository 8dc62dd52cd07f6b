"""What is going on during long work, as text: lines for a terminal and for a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.text import (
    count_text,
    cut_end,
    cut_middle,
    display_width,
    duration_text,
    pad,
    score_text,
)

EventKind: TypeAlias = Literal["started", "evaluated", "running", "ended"]

_NARROWEST_NAME = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAttempt:
    """An attempt as it stands now.

    Attributes:
        attempt: Its id.
        seconds: Time since it started, in seconds.
        evals: Evaluations spent.
        last_score: Score of the last one, if there is one.
        doing: What it does, in a few words; may come from the agent.
    """

    attempt: str
    seconds: float
    evals: int = 0
    last_score: float | None = None
    doing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run as it stands now.

    Attributes:
        done: Attempts that ended.
        total: Attempts that there are.
        running: The attempts under way, those that run longest first.
    """

    done: int
    total: int
    running: tuple[RunningAttempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """Something that happened to an attempt.

    Attributes:
        kind: What happened.
        attempt: Id of the attempt.
        done: Attempts that ended by then, this one included.
        total: Attempts that there are.
        seconds: Time since the attempt started, in seconds.
        evals: Evaluations it spent by then.
        score: The score there is: of this evaluation, the last one or the final one.
        detail: How it ended, such as ``SCORED``, or what it does; may come from the agent.
    """

    kind: EventKind
    attempt: str
    done: int
    total: int
    seconds: float = 0.0
    evals: int = 0
    score: float | None = None
    detail: str = ""


def status_line(progress: Progress, width: int = 80) -> str:
    """Return the state of the run as one line of at most ``width`` cells.

    It names as many attempts as there is room for and says how many others run.
    """
    line = _count(progress)
    running = progress.running
    for index, attempt in enumerate(running):
        rest = len(running) - index - 1
        longer = f"{line} | {_brief(attempt)}"
        more = f" | {rest} more" if rest else ""
        if index and display_width(longer + more) > width:
            return cut_end(f"{line} | {rest + 1} more", width)
        line = longer
    return cut_end(line, width)


def status_lines(progress: Progress, width: int = 80, height: int = 10) -> list[str]:
    """Return the state of the run: a line with the counts, then one per attempt.

    Args:
        progress: The state of the run.
        width: Most cells of a line.
        height: Most lines.
    """
    running = progress.running
    room = max(height - 1, 0)
    shown = running if len(running) <= room else running[: max(room - 1, 0)]
    lines = [cut_end(_count(progress), width), *_attempt_lines(shown, width)]
    rest = len(running) - len(shown)
    return [*lines, cut_end(f"  {rest} more", width)] if rest and room else lines


def plain_line(event: ProgressEvent) -> str:
    """Return what happened as one line for a log without a terminal."""
    words = {
        "started": "started",
        "evaluated": f"eval {event.evals}: {score_text(event.score)} after {duration_text(event.seconds)}",
        "running": f"running for {duration_text(event.seconds)}{_last_score(event.evals, event.score)}",
        "ended": f"{_ended(event)} after {duration_text(event.seconds)}",
    }
    line = f"[{event.done}/{event.total}] {one_line(event.attempt)} {words[event.kind]}"
    detail = one_line(event.detail, 120)
    return f"{line}, {detail}" if detail and event.kind != "ended" else line


def _ended(event: ProgressEvent) -> str:
    detail = one_line(event.detail, 120) or "ended"
    return detail if event.score is None else f"{detail} {score_text(event.score)}"


def _count(progress: Progress) -> str:
    counts = f"{progress.done:,} of {count_text(progress.total, 'attempt')} done"
    return f"{counts}, {len(progress.running):,} running" if progress.running else counts


def _brief(attempt: RunningAttempt) -> str:
    name = cut_middle(one_line(attempt.attempt), 40)
    return f"{name} {duration_text(attempt.seconds)}{_last_score(attempt.evals, attempt.last_score)}"


def _last_score(evals: int, score: float | None) -> str:
    return "" if not evals else f", eval {evals}: {score_text(score)}"


def _attempt_lines(running: tuple[RunningAttempt, ...], width: int) -> list[str]:
    names = [one_line(attempt.attempt) for attempt in running]
    widest = max(map(display_width, names), default=0)
    name_width = min(widest, max(width // 2, _NARROWEST_NAME))
    return [
        cut_end(f"  {pad(cut_middle(name, name_width), name_width)}  {_state(attempt)}", width)
        for name, attempt in zip(names, running, strict=True)
    ]


def _state(attempt: RunningAttempt) -> str:
    time = pad(duration_text(attempt.seconds), 6, right=True)
    score = pad(_last_score(attempt.evals, attempt.last_score).removeprefix(", "), 12)
    return f"{time}  {score}  {one_line(attempt.doing, 200)}".rstrip()
