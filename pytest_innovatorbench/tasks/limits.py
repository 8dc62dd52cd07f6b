"""The limits that a description states: time to work, train and evaluate, and GPUs with their memory."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pytest_innovatorbench.tasks.figures import Figure, find_durations
from pytest_innovatorbench.tasks.gpus import Found, find_counts, find_memories
from pytest_innovatorbench.tasks.prose import Sentence, sentences

_TIMED = {
    "working": r"\bwork(?!space|flow|er|s\b|station|load)",
    "training": r"\b(?:pre-?)?train(?!ers?\b|ed\s+(?:model|network|agent|policy|weights))|\bfine-?tun",
    "evaluation": r"\b(?:evaluat|inferen|test)",
}
_KEYWORD = re.compile("|".join(f"(?P<{kind}>{words})" for kind, words in _TIMED.items()), re.IGNORECASE)
_LIMITING = re.compile(
    r"\blimit|\bat most\b|\bmax|\bexceed|\bwithin\b|\bup to\b|\bnot? (?:more|longer) than\b"
    r"|\bless than\b|\bunder\b|\bbelow\b|\bmust\b|\bbudget|\bmay take\b|[<\u2264]|\btime\b",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"[\w\s-]*[*_`]*\s*[:|\u2013\u2014-][\s*_`]*(?:none\b|n/a\b|not applicable\b|nothing\b)", re.IGNORECASE
)
_NO_TRAINING = re.compile(
    r"\bno\s+training\s+(?:is|takes|run|needed|required)|\bnothing\s+(?:is\s+|has\s+to\s+be\s+)?trained\b",
    re.IGNORECASE,
)
_NO_LIMIT = re.compile(r"\bno(?:t)?\s+(?:time\s+)?limit|\bunlimited\b", re.IGNORECASE)
_ADDED = re.compile(
    r"\s*\w*(?:[-\s]time|[-\s]run)?\s*(?:and|or|&|/|\+|,)\s*(?:for\s+)?(?:the\s+)?$", re.IGNORECASE
)
_SUM = re.compile(r"\b(?:together|altogether|in total|in all|sum|full|overall)\b", re.IGNORECASE)
_SURE, _UNSURE = 0, 1


class Stated(NamedTuple):
    """A limit.

    Attributes:
        value: Seconds, number or GB; infinite where it is said that there is no limit.
        line: Where it stands.
    """

    value: float
    line: int


class _Candidate(NamedTuple):
    """What could be a limit; that with the least rank is, and of several the first."""

    rank: int
    stated: Stated


def find_limits(lines: Iterable[tuple[int, str]]) -> dict[str, Stated]:
    """Find limits in numbered lines of Markdown.

    Returns:
        Those found of ``working_seconds``, ``training_seconds``, ``evaluation_seconds``, ``gpus`` and
        ``gpu_memory_gb``. Without GPUs, their memory is 0 where nothing else is said.
    """
    found: dict[str, _Candidate] = {}
    for sentence in sentences(lines):
        for kind, candidate in _candidates(sentence):
            if kind not in found or candidate.rank < found[kind].rank:
                found[kind] = candidate
    limits = {kind: candidate.stated for kind, candidate in found.items()}
    if "gpu_memory_gb" not in limits and "gpus" in limits and not limits["gpus"].value:
        limits["gpu_memory_gb"] = limits["gpus"]
    return limits


def _candidates(sentence: Sentence) -> Iterator[tuple[str, _Candidate]]:
    rank = _SURE if _LIMITING.search(sentence.text) else _UNSURE
    text, shift = sentence.text, 0
    if sentence.context and not _KEYWORD.search(text):
        text = f"{sentence.context} {sentence.text}"
        shift = len(text) - len(sentence.text)
    for kind, value, place in _times(text):
        if place >= shift:
            yield f"{kind}_seconds", _Candidate(rank, Stated(value, sentence.line(place - shift)))
    yield from _gpus(sentence)


def _gpus(sentence: Sentence) -> Iterator[tuple[str, _Candidate]]:
    for kind, find in (("gpus", find_counts), ("gpu_memory_gb", find_memories)):
        found = list(find(sentence.text))
        shift = 0
        if not found and "gpu" in sentence.context.lower():
            text = f"{sentence.context.rstrip(' :*_')}: {sentence.text}"
            shift = len(text) - len(sentence.text)
            found = [Found(one.value, one.start, one.rank + 1) for one in find(text)]
        for one in found:
            yield kind, _Candidate(one.rank, Stated(one.value, sentence.line(one.start - shift)))


def _times(text: str) -> Iterator[tuple[str, float, int]]:
    """Yield what each duration is for: the words before it, or where it comes first, those behind it."""
    keywords = [(str(match.lastgroup), match.start()) for match in _KEYWORD.finditer(text)]
    durations = list(find_durations(text))
    if not keywords:
        return
    if not durations:
        yield from _unlimited(text, keywords)
    elif keywords[0][1] < durations[0].start:
        yield from _behind(text, keywords, durations)
    else:
        for kind, place in keywords:
            nearest = [duration for duration in durations if duration.end <= place][-1]
            yield kind, nearest.value, nearest.start


def _behind(
    text: str, keywords: list[tuple[str, int]], durations: list[Figure]
) -> Iterator[tuple[str, float, int]]:
    start = 0
    for duration in durations:
        between = [(kind, place) for kind, place in keywords if start <= place < duration.start]
        kinds = {between[0][0]: between[0][1]} if between else {}
        for (_, before), (kind, place) in itertools.pairwise(between):
            word = re.match(r"\w*", text[before:])
            if _ADDED.match(text[before + (word.end() if word else 0) : place]):
                kinds.setdefault(kind, place)
        if len(kinds) == 1 or not _SUM.search(text):
            yield from ((kind, duration.value, duration.start) for kind in kinds)
        start = duration.end


def _unlimited(text: str, keywords: list[tuple[str, int]]) -> Iterator[tuple[str, float, int]]:
    kind, place = keywords[0]
    if _NO_LIMIT.search(text):
        yield kind, float("inf"), place
    elif kind == "training" and (_NO_TRAINING.search(text) or _NOTHING.match(text, place)):
        yield kind, 0.0, place


def finite_seconds(limits: Mapping[str, Stated]) -> dict[str, float]:
    """Return the durations among limits that say how long."""
    return {
        kind: stated.value
        for kind, stated in limits.items()
        if kind.endswith("_seconds") and stated.value != float("inf")
    }
