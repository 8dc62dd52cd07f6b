"""Rules on the sections of a description."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.description import outline, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.tasks.description import Section

WANTED = {
    "motivation": "say why the question matters",
    "task": "say what to do, where to work and what to write",
    "data": "say which data there are and what is in them",
    "constraint": "give the training-time and evaluation-time limit, number of GPUs and memory of each",
    "evaluation": "name the metrics, and the points between them",
    "environment": "say which packages and which hardware there are",
}
_LONGEST = 60


def section_of(subject: Subject, name: str) -> Section:
    """Return a section that says something.

    Raises:
        NotCheckedError: There is none, which rules of their own report.
    """
    section = outline(subject.description).get(name)
    if section is None or section.is_empty:
        raise NotCheckedError(f"there is no section {name.capitalize()} that says anything")
    return section


def finding(subject: Subject, line: int | None, message: str, remedy: str = "") -> Finding:
    """Return a finding about the description."""
    file = subject.shown(subject.gym / "task" / "task_description.md")
    return Finding(message=message, file=file, line=line, remedy=remedy)


def _present(subject: Subject) -> Iterator[Finding]:
    there = outline(subject.description)
    for name, advice in WANTED.items():
        if name not in there:
            line, remedy = _near(subject.description, name)
            message = f"has no section {name.capitalize()}"
            yield finding(subject, line, message, remedy or f"write it: {advice}")


def _near(text: str, name: str) -> tuple[int | None, str]:
    """Return where the section may be after all, and what to do about it."""
    lines = read_lines(text)
    titles = {line.text.strip("*_: ").casefold(): line for line in lines if line.kind == "heading"}
    close = difflib.get_close_matches(name, titles, n=1, cutoff=0.75)
    if close:
        line = titles[close[0]]
        return line.number, f"call {one_line(line.text, _LONGEST)!r} {name.capitalize()}"
    opened = [line.number for line in lines if line.kind == "fence"]
    hidden = re.search(rf"^#+ .*\b{name}", text, re.IGNORECASE | re.MULTILINE)
    if hidden and lines[-1].kind == "code":
        return opened[-1], "close the fence that is opened here"
    return None, ""


def _filled(subject: Subject) -> Iterator[Finding]:
    for name, section in outline(subject.description).items():
        if name in WANTED and section.is_empty:
            message = f"the section {name.capitalize()} is empty"
            yield finding(subject, section.line, message, WANTED[name])


RULES = (
    Rule(
        code="IB201",
        name="sections",
        summary=f"The description has the sections {', '.join(name.capitalize() for name in WANTED)}.",
        why="Agents and readers find the same things in the same places in every task. Plurals count too.",
        remedy="write the section, below a heading of its own",
        check=_present,
    ),
    Rule(
        code="IB202",
        name="empty-sections",
        summary="Every section of the description says something.",
        why="A heading without a text is a promise that nobody keeps.",
        remedy="write the section",
        check=_filled,
    ),
)
