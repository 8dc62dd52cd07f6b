"""Answers in a text one after the other, without their ids: as a list in code has them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.contents_records import normal
from pytest_innovatorbench.authoring.contents_text import TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.authoring.checks.leaks_answers import Answers

_LEAST = 8  # answers
_SEED_BITS = 20.0
_SURE_BITS = 32.0  # beyond what the lengths of text and answers make likely
_LONGEST = 2_000_000  # characters of a text
_NEEDLES, _LONG = 64, 4  # of each file of answers, and the characters that each has


def count_in_sequence(answers: Answers, column: str, text: str) -> int:
    """Return how many answers stand in a text in their order, or from the last to the first.

    Less than a run that no accident explains counts for nothing, nor does one of values in ascending or
    descending order, which many things have.
    """
    expected = answers.normals[column]
    bits = [answers.bits[column][value] for value in expected]
    if len(text) > _LONGEST or len(expected) < _LEAST or sum(bits) < _SURE_BITS:
        return 0
    tokens = _tokens(text)
    needed = _SURE_BITS + math.log2(len(tokens) * len(expected) + 1)
    seed = max(_LEAST, math.ceil(_SEED_BITS * len(bits) / sum(bits)))
    if seed > min(len(tokens), len(expected)):
        return 0
    return max(_in_order(tokens, expected[::step], bits[::step], seed, needed) for step in (1, -1))


def needles_of(answers: Answers) -> list[str]:
    """Return some ids and answers that read otherwise from the last character to the first."""
    ids = [key for places in answers.by_key.values() for key in places]
    values = [value for column in answers.columns for value in answers.normals[column]]
    found = dict.fromkeys(part for part in (*ids, *values) if len(part) >= _LONG and part != part[::-1])
    return list(found)[:: max(1, len(found) // _NEEDLES)]


def holds_turned(text: str, needles: Sequence[str]) -> bool:
    """Tell whether a text has several of some parts from the last character to the first, and rather so."""
    here = text[:_LONGEST].casefold()
    turned = sum(part[::-1] in here for part in needles)
    return turned >= _LEAST and turned > sum(part in here for part in needles)


def _in_order(
    tokens: Sequence[str], expected: Sequence[str], bits: Sequence[float], seed: int, needed: float
) -> int:
    seeds: dict[tuple[str, ...], int] = {}
    for place in range(len(expected) - seed + 1):
        seeds.setdefault(tuple(expected[place : place + seed]), place)
    first_words = {key[0] for key in seeds}
    found: set[int] = set()
    at = 0
    while at <= len(tokens) - seed:
        begin = seeds.get(tuple(tokens[at : at + seed])) if tokens[at] in first_words else None
        if begin is None:
            at += 1
            continue
        length = _length(tokens, at, expected, begin)
        run = expected[begin : begin + length]
        if sum(bits[begin : begin + length]) >= needed and not _is_sorted(run):
            found.update(range(begin, begin + length))
        at += length
    return len(found)


def _length(tokens: Sequence[str], at: int, expected: Sequence[str], begin: int) -> int:
    most = min(len(tokens) - at, len(expected) - begin)
    steps = (step for step in range(most) if tokens[at + step] != expected[begin + step])
    return next(steps, most)


def _is_sorted(run: Sequence[str]) -> bool:
    try:
        numbers = [float(value) for value in run]
    except ValueError:
        return sorted(run) == list(run) or sorted(run, reverse=True) == list(run)
    return sorted(numbers) == numbers or sorted(numbers, reverse=True) == numbers


@lru_cache(maxsize=2)  # the same text is looked through for every column of the answers
def _tokens(text: str) -> list[str]:
    return list(map(normal, TOKEN.findall(text)))
