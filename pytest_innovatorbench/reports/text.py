"""Figures and words as they stand in every report."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_innovatorbench.runs.model import AttemptResult

NOTHING = "-"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ELLIPSIS = "..."


def display_width(text: str) -> int:
    """Return how many terminal cells a printable text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut_end(text: str, width: int) -> str:
    """Return the text in at most ``width`` cells, its end left out where it is longer."""
    if display_width(text) <= width:
        return text
    mark = _ELLIPSIS[: max(width, 0)]
    return _fitting(text, width - len(mark)) + mark


def cut_middle(text: str, width: int) -> str:
    """Return the text in at most ``width`` cells, its middle left out where it is longer."""
    if display_width(text) <= width:
        return text
    mark = _ELLIPSIS[: max(width, 0)]
    kept = width - len(mark)
    tail = _fitting(text[::-1], kept // 2)[::-1]
    return _fitting(text, kept - kept // 2) + mark + tail


def _fitting(text: str, width: int) -> str:
    cells = 0
    for index, character in enumerate(text):
        cells += _cells(character)
        if cells > width:
            return text[:index]
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return the text filled with spaces to ``width`` cells, at its left side if ``right``-aligned."""
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def score_text(score: float | None) -> str:
    """Return a score with one decimal, or ``-`` where there is none."""
    # Adding zero turns the -0.0 that rounding leaves behind into 0.0.
    return NOTHING if score is None else f"{round(score, 1) + 0.0:.1f}"


def duration_text(seconds: float) -> str:
    """Return a time in its two largest units, such as ``3.4s``, ``2m31s`` or ``1d04h``."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < _MINUTE:
        return f"{max(seconds, 0.0):.1f}s" if seconds < _MINUTE - 0.05 else "1m00s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def hint_text(result: AttemptResult) -> str:
    """Return whether hints were viewed and what they cost: ``no``, ``yes`` or ``-10``."""
    if not result.hints:
        return "no"
    return f"-{result.penalty:g}" if result.penalty else "yes"


def status_text(result: AttemptResult) -> str:
    """Return how the attempt ended, with whose fault it is or that the agent crashed."""
    remark = result.fault or ("agent crashed" if result.ending == "crashed" else "")
    return f"{result.status.upper()} ({remark})" if remark else result.status.upper()


def count_text(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 task`` or ``2 tasks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
