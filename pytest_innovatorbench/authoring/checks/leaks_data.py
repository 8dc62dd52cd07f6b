"""Rules on answers in what the agent gets: as files, as records, as labels of test data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_answers import Answers, is_answer_column
from pytest_innovatorbench.authoring.checks.leaks_evidence import (
    evidence_of,
    is_test_data,
    is_test_name,
    name_tokens,
)
from pytest_innovatorbench.authoring.checks.leaks_found import Found, Leak, found_in
from pytest_innovatorbench.authoring.checks.leaks_records import agreeing, is_blank, places_in
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.contents_records import Part
    from pytest_innovatorbench.authoring.subject import Subject

_SPLIT = frozenset({"split", "subset", "partition", "fold"})


def line_of(content: Content, text: str) -> int | None:
    """Return the line where a text first stands, ``None`` in what has no lines of its own."""
    if not text or content.text is None or content.is_inside:
        return None
    return next((at for at, line in enumerate(content.text.split("\n"), start=1) if text in line), None)


def _copies(subject: Subject) -> Iterator[Finding]:
    for copy in found_in(subject).copies:
        where = f"{copy.shown.shown} " if copy.shown.is_inside else ""
        yield Finding(message=f"{where}equals {copy.hidden.shown} {copy.how}", file=copy.shown.file)


def _records(subject: Subject) -> Iterator[Finding]:
    for leak in found_in(subject).leaks:
        if not leak.in_test_data:
            column = f" in the column {leak.match.column}" if leak.match.column else ""
            yield _finding(leak, f"holds {_count(leak)}{column}")


def _labels(subject: Subject) -> Iterator[Finding]:
    found = found_in(subject)
    reported = {leak.shown.shown for leak in found.leaks}
    for leak in found.leaks:
        if leak.in_test_data:
            yield _finding(leak, f"has the column {leak.match.column} with {_count(leak)}")
    copied = {copy.shown.shown for copy in found.copies}
    for content in evidence_of(subject).shown:
        if content.shown not in reported | copied:
            yield from _labels_by_name(found, content)


def _labels_by_name(found: Found, content: Content) -> Iterator[Finding]:
    for part in content.parts:
        asked_on = is_test_data(content) or is_test_name(part.name)
        rows = list(range(len(part.table.rows))) if asked_on else _test_rows(part)
        for column in part.values if rows else ():
            if _looks_like_labels(found, part, column, rows):
                place = part.name and f" of {part.name}"
                said = f"{content.name} is test data, and the column {column}{place} holds labels by its name"
                yield Finding(message=said, file=content.file, line=line_of(content, column))


def _test_rows(part: Part) -> list[int]:
    """Return the records of the test split, where a column names splits."""
    for name in part.table.columns:
        if name_tokens(name) & _SPLIT:
            return [row for row, cell in enumerate(part.table.column(name)) if is_test_name(str(cell))]
    return []


def _looks_like_labels(found: Found, part: Part, column: str, rows: list[int]) -> bool:
    hidden = {name for answers in found.answers if answers.named for name in answers.columns}
    if not is_answer_column(column, sure=column not in hidden):
        return False
    cells = part.table.column(column)
    told = {str(cells[row]) for row in rows if not is_blank(cells[row])}
    if len(told) <= 1:  # a place-holder
        return False
    known = [answers for answers in found.answers if answers.named and answers.covered]
    return not any(column not in answers.columns and _disagrees(answers, part, column) for answers in known)


def _disagrees(answers: Answers, part: Part, column: str) -> bool:
    """Tell an input by the name of a label from the label: the answers for the same records are others."""
    pairs = places_in(answers, part)
    cells = part.table.column(column)
    return bool(pairs) and not any(agreeing(answers, name, cells, pairs) for name in answers.columns)


def _finding(leak: Leak, said: str) -> Finding:
    part = leak.match.part and f" ({leak.match.part})"
    return Finding(
        message=f"{leak.shown.name}{part} {said}",
        file=leak.shown.file,
        line=line_of(leak.shown, leak.match.place),
    )


def _count(leak: Leak) -> str:
    total = len(leak.answers.table.rows)
    return f"{leak.match.count:,} of the {total:,} answers in {leak.answers.content.shown}"


RULES = (
    Rule(
        code="IB501",
        name="reference-files",
        summary="No file with answers is in gym/: not as it is, reordered, encoded or in an archive.",
        why=(
            "An agent that finds the answers submits them. Inputs may lie on both sides: a reference file "
            "counts as answers if a column or the file is named like answers (label, target, gold, ...) or "
            "it has the columns of a submission, and submissions are asked for its records; if no file holds "
            "answers in this sense, every reference file counts that is neither training data nor listed "
            "with that column in the description. If all of data/references is in gym/, or data/outputs is, "
            "that is a leak in any case."
        ),
        remedy="remove it from gym/; give the agent the inputs only",
        check=_copies,
    ),
    Rule(
        code="IB502",
        name="reference-records",
        summary="No record of the answers, an id with its answer, is in any file of gym/.",
        why=(
            "Answers leak record by record too: in a log, a notebook, another format, a README. A short "
            "answer counts only next to its id and if so many of them agree that it is no accident, one of "
            "at least eight words by itself, and a list of answers without ids if it has many of them in "
            "their order. Base64, hexadecimal digits and texts written backwards are read too."
        ),
        remedy="remove these records",
        check=_records,
    ),
    Rule(
        code="IB503",
        name="label-column",
        summary="Test data in gym/ has no column of labels.",
        why="Labels left in the test data are found at once. Training data may have them.",
        remedy="remove the column from the test data, or empty it",
        check=_labels,
    ),
)
