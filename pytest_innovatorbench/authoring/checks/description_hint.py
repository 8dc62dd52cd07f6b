"""Rules on what the description says of hidden things: the hint, its price, paths into evaluations/."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_innovatorbench.authoring.checks.description_sections import finding
from pytest_innovatorbench.authoring.contents_text import placed_words, quotable, runs, words
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.description import read_lines
from pytest_innovatorbench.tasks.figures import COUNT, read_number
from pytest_innovatorbench.tasks.prose import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.subject import Subject

_HINT = re.compile(r"\bhints?\b(?!\.md)|\bhint\.md\b", re.IGNORECASE)
_POINTS = re.compile(rf"(?<![\w.])(?P<points>{COUNT})[\s-]*(?:points?|pts?|marks?)\b", re.IGNORECASE)
_PRICE = re.compile(
    rf"\b(?:penalty|costs?|deduct\w*|minus|subtract\w*|lowers?\s+\w+\s+\w+\s+by|price)\b[\s*_`]*(?:of|is|by|:)?[\s*_`]*"
    rf"(?P<points>{COUNT})(?![\w.]*\d|\s*(?:%|percent|hours?|minutes?))",
    re.IGNORECASE,
)
_FREE = re.compile(
    r"\bcosts?\s+(?:nothing|no\s+points)\b|\bfree\b|\bno\s+(?:penalty|deduction)\b", re.IGNORECASE
)
_COSTS = re.compile(
    r"\b(?:cost|deduct|penal|minus|lose|subtract|less|lower|reduc|price|taken?\s+off|view)", re.IGNORECASE
)
_RUN = 6  # words
_TELLING = 3  # of them that are no mere links between others
_LONG = 4  # letters
_SHINGLE = 3  # words
_MOST_SHARED = 0.2  # of the hint's shingles
_FEW = 10  # shingles, too few for a share to mean anything
# Begins where no other path could have begun before, so that a long line takes no longer than short ones.
_PATH = re.compile(r"(?<![\w.~${}<>*-])(?:[\w.~${}<>*-]*/)+[\w.${}<>*-]*")
_SKIPPED = frozenset({"", ".", "..", "~", "bench", "workspace"})
_LONGEST = 100


class _Price(NamedTuple):
    """What the description says that viewing the hint costs, and where."""

    points: float
    line: int


def _price(subject: Subject) -> Iterator[Finding]:
    prices = list(_prices(subject.description))
    expected = _expected(subject)
    if not (subject.evaluations / "hint.md").exists():
        # Where task.yaml has a price, the rule on task.yaml says that there is no hint.
        if prices and "hint" not in subject.manifest.values:
            message = f"offers a hint for {_points(prices[0].points)}, but there is no hint.md"
            yield finding(
                subject, prices[0].line, message, "write evaluations/<task>/hint.md, or say nothing"
            )
    elif not prices:
        known = 10.0 if expected is None else expected
        remedy = f"write 'Viewing the hint costs {_points(known)}.' under Evaluation"
        yield finding(subject, None, "does not say how many points viewing the hint costs", remedy)
    elif expected is not None and not math.isclose(prices[0].points, expected):
        message = (
            f"viewing the hint costs {_points(prices[0].points)} here and {_points(expected)} in task.yaml "
            "(hint.penalty)"
        )
        yield finding(subject, prices[0].line, message)


def _expected(subject: Subject) -> float | None:
    """Return the price that the harness takes; ``None`` if task.yaml cannot be used."""
    hint = subject.manifest.values.get("hint")
    value = hint.get("penalty") if isinstance(hint, dict) else 0
    return float(value) if subject.manifest.values and isinstance(value, int | float) else None


def _prices(text: str) -> Iterator[_Price]:
    """Yield what sentences about the hint say of points, those about costs before others."""
    spoken = [(line.number, line.written) for line in read_lines(text) if line.kind in {"text", "heading"}]
    found: list[tuple[bool, _Price]] = []
    for sentence in sentences(spoken):
        if not _HINT.search(f"{sentence.context} {sentence.text}"):
            continue
        price = _POINTS.search(sentence.text) or _PRICE.search(sentence.text)
        free = _FREE.search(sentence.text)
        match = price or free
        if match:
            points = read_number(price["points"]) if price else 0.0
            is_other = not _COSTS.search(sentence.text)
            found.append((is_other, _Price(points, sentence.line(match.start()))))
    yield from (price for _, price in sorted(found, key=lambda one: one[0]))


def _points(number: float) -> str:
    return f"{number:g} point{'' if number == 1 else 's'}"


def _text(subject: Subject) -> Iterator[Finding]:
    hint = subject.read_text(subject.evaluations / "hint.md") or ""
    spoken, lines = placed_words(subject.description)
    titles = quotable(subject.manifest.values)
    length = min(_RUN, len(words(hint)))
    secret = {run for run in runs(words(hint), length) if _is_telling(run)}
    secret -= {run for title in titles for run in runs(title, length)}
    found = [at for at in range(len(spoken) - length + 1) if tuple(spoken[at : at + length]) in secret]
    if found:
        count = len({at + step for at in found for step in range(length)})
        yield finding(
            subject, lines[found[0]], f"repeats {count} words of hint.md in runs of {length} or more"
        )
        return
    shingles = {run for run in runs(words(hint), _SHINGLE) if max(map(len, run)) >= _LONG}
    shingles -= {run for title in titles for run in runs(title, _SHINGLE)}
    shared = shingles & runs(spoken, _SHINGLE)
    if len(shingles) >= _FEW and len(shared) > _MOST_SHARED * len(shingles):
        first = next(at for at in range(len(spoken)) if tuple(spoken[at : at + _SHINGLE]) in shared)
        share = len(shared) / len(shingles)
        yield finding(subject, lines[first], f"holds {share:.0%} of hint.md, in runs of {_SHINGLE} words")


def _is_telling(run: tuple[str, ...]) -> bool:
    """Tell a run that says something from links between words, and from the figures of a formula."""
    return len({word for word in run if len(word) >= _LONG}) >= min(_TELLING, len(run))


def _paths(subject: Subject) -> Iterator[Finding]:
    # An agent reads the file itself, so what stands in comments and in code counts as well.
    for number, line in enumerate(subject.description.split("\n"), start=1):
        for match in _PATH.finditer(line):
            if _is_hidden(subject, match[0]):
                shown = one_line(match[0].rstrip("."), _LONGEST)
                yield finding(subject, number, f"{shown} is a path into evaluations/")
                break


def _is_hidden(subject: Subject, path: str) -> bool:
    """Tell a path into the hidden folders from one into a folder of the agent's that is called so."""
    parts = path.split("/")
    while len(parts) > 1 and parts[0] in _SKIPPED:
        parts.pop(0)
    if parts[0] != "evaluations" or (subject.gym / "evaluations").exists():
        return False
    return len(parts) > 1


RULES = (
    Rule(
        code="IB211",
        name="hint-price",
        summary="With a hint, the description says how many points viewing it costs, as task.yaml does.",
        why="Whether a hint is worth its price is the agent's decision.",
        remedy="make the two the same",
        check=_price,
    ),
    Rule(
        code="IB212",
        name="hint-in-description",
        summary=f"The description has no {_RUN} words of hint.md in a row, and little of it at all.",
        why="What the description gives away, no agent will pay for. Titles in task.yaml may be quoted.",
        remedy="remove from the description what the hint is about",
        check=_text,
    ),
    Rule(
        code="IB213",
        name="hidden-paths",
        summary="The description has no path into evaluations/.",
        why="The agent has no such folder, and is not to look for it.",
        remedy="say what is measured, and not where",
        check=_paths,
    ),
)
