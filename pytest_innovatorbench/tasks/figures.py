"""Figures as people write them: numbers, durations and sizes of memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPOKEN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
)
_WORDS = {word: float(value) for value, word in enumerate(_SPOKEN)} | {"a": 1.0, "an": 1.0, "single": 1.0}
_WORDS |= {"half a": 0.5, "half an": 0.5, "twenty-four": 24.0, "forty-eight": 48.0}
_HOURS = "|".join((*_SPOKEN, "twenty-four", "forty-eight"))
DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
COUNT = rf"(?:{DIGITS}|{'|'.join(_SPOKEN)}|single)"
_LONG = r"minutes?|mins?|hours?|hrs?|days?|weeks?"
# A bare m is most often a unit of something else: 8 m of cable, 10m samples.
_SHORT = r"s|h|H|m(?=\s*(?:$|[.,;:)|\d&*_]|(?:for|per|of|in|and|or|to|each|at|on|with)\b))"
_DURATION = (
    rf"(?:(?P<number>{DIGITS})\s*[-\u2011]?\s*(?P<unit>(?i:seconds?|secs?|{_LONG})|{_SHORT})"
    rf"|\b(?P<word>(?i:half\s+an?|an?))\s+(?P<long>(?i:{_LONG}))"
    rf"|\b(?P<spoken>(?i:{_HOURS}))[\s-](?P<whole>(?i:seconds?|{_LONG}))"
    r")(?![A-Za-z_/])"
)
_FIRST = re.compile(rf"(?<![\w.,/]){_DURATION}")
_NEXT = re.compile(rf"\s*(?:,|and|&)?\s*{_DURATION}")
_HALF = re.compile(r"\s+and\s+a\s+half\b", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\d:.])(\d{1,3}):([0-5]\d):([0-5]\d)(?![\d:])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = re.compile(
    rf"(?<![\w.,])(?P<number>{DIGITS})\s*-?\s*(?P<unit>[KMGT]i?B|[GT]B?)(?![A-Za-z_/])", re.IGNORECASE
)
_GIGABYTES = {"k": 1e-6, "m": 1e-3, "g": 1.0, "t": 1e3}
_BINARY = 1024


class Figure(NamedTuple):
    """A figure in a text.

    Attributes:
        value: Seconds of a duration, GB of a size.
        start: Where it begins.
        end: Where it ends.
    """

    value: float
    start: int
    end: int


def read_number(text: str) -> float:
    """Return the value of a number in digits or as a word.

    Raises:
        KeyError: It is neither.
    """
    text = " ".join(text.lower().split())
    return float(text.replace(",", "")) if text[0] in ".0123456789" else _WORDS[text]


def find_durations(text: str) -> Iterator[Figure]:
    """Yield durations in seconds, those of several units put together: ``1 h 30 min``."""
    place = 0
    while True:
        found = [match for match in (_FIRST.search(text, place), _CLOCK.search(text, place)) if match]
        if not found:
            return
        first = min(found, key=lambda match: match.start())
        figure = _read_clock(first) if first.re is _CLOCK else _read_duration(text, first)
        yield figure
        place = figure.end


def find_sizes(text: str) -> Iterator[Figure]:
    """Yield sizes in GB; a GiB counts as one, as most people mean it."""
    for match in _SIZE.finditer(text):
        yield Figure(read_size(match["number"], match["unit"]), match.start(), match.end())


def read_size(number: str, unit: str) -> float:
    """Return a size in GB."""
    value = read_number(number)
    if unit[0] in "mM" and value % _BINARY == 0:
        return value / _BINARY
    return value * _GIGABYTES[unit[0].lower()]


def _read_clock(match: re.Match[str]) -> Figure:
    hours, minutes, seconds = map(int, match.groups())
    return Figure(hours * 3600.0 + minutes * 60 + seconds, match.start(), match.end())


def _read_duration(text: str, first: re.Match[str]) -> Figure:
    value, unit = _read_part(first)
    half = _HALF.match(text, first.end())
    if half:
        return Figure(value + unit / 2, first.start(), half.end())
    end = first.end()
    while (more := _NEXT.match(text, end)) and _read_part(more)[1] < unit:
        added, unit = _read_part(more)
        value += added
        end = more.end()
    return Figure(value, first.start(), end)


def _read_part(match: re.Match[str]) -> tuple[float, float]:
    """Return the seconds of a number and its unit, and those of the unit."""
    unit = _SECONDS[(match["unit"] or match["long"] or match["whole"])[0].lower()]
    return read_number(match["number"] or match["word"] or match["spoken"]) * unit, unit
