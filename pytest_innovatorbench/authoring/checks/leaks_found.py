"""Answers in what the agent gets: which file gives away how many of which references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.checks.leaks_answers import Answers, read_answers
from pytest_innovatorbench.authoring.checks.leaks_evidence import (
    Evidence,
    evidence_of,
    is_general,
    is_test_data,
    is_test_name,
    is_training_data,
    name_tokens,
)
from pytest_innovatorbench.authoring.checks.leaks_records import Match, find_records, places_in
from pytest_innovatorbench.authoring.checks.leaks_sequences import holds_turned, needles_of
from pytest_innovatorbench.authoring.contents_text import normal_lines

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.subject import Subject

How: TypeAlias = Literal["byte for byte", "but for line ends, order, white space or case"]

_ALIKE: How = "but for line ends, order, white space or case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that the agent gets and that equals a hidden one.

    Attributes:
        hidden: The hidden file.
        shown: The file that the agent gets.
        how: How far they are equal.
    """

    hidden: Content
    shown: Content
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Answers in a file that the agent gets.

    Attributes:
        answers: The hidden records.
        shown: The file.
        match: What it gives away.
        in_test_data: Whether that is a column of the data that submissions are tested on.
    """

    answers: Answers
    shown: Content
    match: Match
    in_test_data: bool


class Found:
    """Everything of the references that the agent gets, input or answer.

    Args:
        evidence: What the task shows and hides.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def answers(self) -> tuple[Answers, ...]:
        """The records of the references."""
        return read_answers(self.evidence)

    @cached_property
    def all_copies(self) -> tuple[Copy, ...]:
        """Files of the references that the agent gets as they are, input or answer."""
        hidden = [file for file in self.evidence.references if not is_general(file)]
        return tuple(_copies(hidden, self.evidence.shown))

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """Those that are answers, and copies of what the solution submits."""
        wrong = [copy for copy in self.all_copies if self._is_leak(copy.hidden, copy.shown)]
        if not wrong and self.all_copies and not self._hidden_files():
            wrong = list(self.all_copies)  # the agent has all that the evaluator has
        samples = [file for file in self.evidence.outputs if not is_general(file)]
        return (*wrong, *_copies(samples, self.evidence.shown))

    @cached_property
    def leaks(self) -> tuple[Leak, ...]:
        """Answers in files that are no copies."""
        copied = {copy.shown.shown for copy in (*self.all_copies, *self.copies)}
        files = [file for file in self.evidence.shown if file.shown not in copied]
        found: dict[str, Leak] = {}
        for file in (*files, *self._turned(files)):
            # An array of numpy's archives is a column of the archive, and no second leak.
            leak = None if file.shown.rpartition("!")[0] in found else self._worst(file)
            if leak:
                found[file.shown] = leak
        return tuple(found.values())

    def _turned(self, files: list[Content]) -> Iterator[Content]:
        """Yield texts from the last character to the first, where they hold parts of answers that way."""
        needles = [part for answers in self.answers if answers.sign != "none" for part in needles_of(answers)]
        for file in files if needles else ():
            if file.text and holds_turned(file.text, needles):
                yield file.made_of(file.text[::-1], "backwards")

    def _worst(self, file: Content) -> Leak | None:
        """Return the answers of which a file gives away most."""
        found = [
            Leak(answers=answers, shown=file, match=match, in_test_data=_in_test_data(answers, file, match))
            for answers in self.answers
            if answers.sign != "none" and self._could_leak(answers, file)
            for match in [find_records(answers, file)]
            if match
        ]
        return max(found, key=lambda leak: leak.match.count, default=None)

    def _is_leak(self, hidden: Content, shown: Content) -> bool:
        tables = [answers for answers in self.answers if answers.content is hidden]
        if tables:
            return any(self._could_leak(answers, shown) for answers in tables)
        return not self._answers_elsewhere(hidden) or bool(name_tokens(hidden.path.stem) & _SECRET)

    def _could_leak(self, answers: Answers, shown: Content) -> bool:
        """Tell answers from inputs that evaluator and agent both need."""
        if answers.covered and answers.named:
            return True
        if self._answers_elsewhere(answers.content):
            return False
        if answers.covered:
            return answers.sign == "shape"
        return answers.named and not self._is_offered(answers, shown)

    def _answers_elsewhere(self, content: Content) -> bool:
        """Tell whether another file of the references holds answers to what submissions are asked for."""
        others = [answers for answers in self.answers if answers.content is not content and answers.covered]
        copied = {copy.hidden.shown for copy in self.all_copies}
        return any(
            other.named or (other.sign == "shape" and other.content.shown not in copied) for other in others
        )

    def _is_offered(self, answers: Answers, shown: Content) -> bool:
        """Tell whether the agent is to have these labels: training data, or what the description lists."""
        if is_training_data(shown):
            return True
        lines = [line for line in self.evidence.description.split("\n") if shown.path.name in line]
        return any(name in line for line in lines for name in answers.columns)

    def _hidden_files(self) -> list[Content]:
        copied = {copy.hidden.shown for copy in self.all_copies}
        return [
            file for file in self.evidence.references if file.shown not in copied and not is_general(file)
        ]


_SECRET = frozenset(
    {"answer", "answers", "label", "labels", "truth", "gold", "rubric", "secret", "hidden", "solution"}
)
_known: WeakKeyDictionary[Subject, Found] = WeakKeyDictionary()


def found_in(subject: Subject) -> Found:
    """Return what of a task's references the agent gets, the same for every rule that asks."""
    if subject not in _known:
        _known[subject] = Found(evidence_of(subject))
    return _known[subject]


def _copies(hidden: list[Content], shown: tuple[Content, ...]) -> Iterator[Copy]:
    """Yield equal files. Digests are taken of equal sizes only, texts compared of as many lines."""
    sizes = {file.size for file in shown}
    exact = {(file.size, file.digest): file for file in hidden if file.size in sizes}
    texts: dict[int, list[Content]] = {}
    for file in hidden:
        texts.setdefault(_count_lines(file), []).append(file)
    for file in shown:
        same = exact.get((file.size, file.digest)) if any(size == file.size for size, _ in exact) else None
        if same:
            yield Copy(hidden=same, shown=file, how="byte for byte")
            continue
        alike = next((other for other in texts.get(_count_lines(file), ()) if _are_alike(file, other)), None)
        if alike:
            yield Copy(hidden=alike, shown=file, how=_ALIKE)


def _are_alike(file: Content, other: Content) -> bool:
    return bool(file.text and other.text) and normal_lines(file.text or "") == normal_lines(other.text or "")


def _count_lines(file: Content) -> int:
    return sum(1 for line in (file.text or "").split("\n") if line.strip())


def _in_test_data(answers: Answers, file: Content, match: Match) -> bool:
    """Tell a label column of test inputs from answers that lie elsewhere."""
    if not match.column:
        return False
    if is_test_data(file) or is_test_name(match.part):
        return True
    part = next(part for part in file.parts if part.name == match.part)
    table = part.table
    inputs = set(table.columns) - {match.column} - set(part.keys)
    asked = {place for _, place in places_in(answers, part)}
    return bool(inputs) and len(asked) == len(answers.table.rows)
