"""Reading ``task_description.md``: its sections, line by line, and the limits it states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from pytest_innovatorbench.tasks.limits import find_limits, finite_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECTIONS = ("motivation", "task", "data", "constraint", "evaluation", "environment", "scripts")
MOST_BYTES = 100_000  # of a description, twenty times a long one; what is larger is data
Kind: TypeAlias = Literal["text", "heading", "code", "fence"]

_NAMES = {form: name for name in SECTIONS for form in (name, name + "s")}
_HEADING = re.compile(r"^ {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<title>.*?))??(?:[ \t]+#+)?[ \t]*$")
_BOLD = re.compile(
    r"^ {0,3}(?P<mark>\*\*|__)(?P<title>[^*_]+?)(?P=mark)"
    r"(?P<rest>\s*(?:[:.].*)?|(?:(?<=[:.]\*\*)|(?<=[:.]__))\s.*)$"
)
_UNDERLINE = re.compile(r"^ {0,3}(?:(?P<first>=+)|-{2,})[ \t]*$")
_PARAGRAPH = re.compile(r"^ {0,3}(?![-*+>|#\s]|\d+[.)]\s)\S")
_FENCE = re.compile(r"^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_SPAN_OR_COMMENT = re.compile(r"(?<!`)(?P<ticks>`++).*?(?<!`)(?P=ticks)(?!`)|<!--")
_NUMBERING = re.compile(
    r"^\W*(?:(?:section|part|step)\s+)?(?:\d+(?:\.\d+)*|[ivx]+|[a-z])\s*[.):\u2013-]\s*", re.IGNORECASE
)
_PLAIN_NUMBER = re.compile(r"^\W*\d+(?:\.\d+)*\s+")
_PREPOSITION = re.compile(r"\b(?:of|on|for|in|about|with|under)\b")
_BOLD_LEVEL = 7  # below every real heading


class Line(NamedTuple):
    """A line of a description, without what is in HTML comments.

    Attributes:
        number: From 1.
        text: What it says; of a heading, its title.
        kind: What it is; ``"code"`` is inside a fence.
        level: Of a heading, 1-6, or 7 for a line in bold that stands for one.
    """

    number: int
    text: str
    kind: Kind
    level: int = 0

    @property
    def written(self) -> str:
        """The line with the marks of a heading."""
        is_marked = self.kind == "heading" and self.level < _BOLD_LEVEL
        return f"{'#' * self.level} {self.text}" if is_marked else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One of the sections that a task description is made of.

    Attributes:
        name: Lower case and singular (but for ``"scripts"``).
        line: Line of its (first) heading.
        lines: What is below, sub-headings included.
    """

    name: str
    line: int
    lines: tuple[Line, ...]

    @property
    def body(self) -> str:
        """Its text as it is written, without HTML comments."""
        return "\n".join(text for _, text in self.numbered).strip()

    @property
    def numbered(self) -> tuple[tuple[int, str], ...]:
        """The numbers and texts of its lines, as they are written, without HTML comments."""
        return tuple((line.number, line.written) for line in self.lines)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said, sub-headings and rules aside."""
        return not any(line.kind in {"text", "code"} and re.search(r"\w", line.text) for line in self.lines)


def sections(text: str) -> dict[str, str]:
    """Split a description at its headings.

    Args:
        text: The Markdown text.

    Returns:
        Section name -> body, for the sections a task description is made of.
    """
    return {name: section.body for name, section in outline(text).items()}


def stated_limits(parts: Mapping[str, str]) -> dict[str, float]:
    """Find the limits that a description's Constraint section states.

    Args:
        parts: What :func:`sections` gave.

    Returns:
        Those found of ``working_seconds``, ``training_seconds`` and ``evaluation_seconds``, in seconds.
    """
    return finite_seconds(find_limits(enumerate(parts.get("constraint", "").split("\n"), start=1)))


@lru_cache(maxsize=32)
def outline(text: str) -> dict[str, Section]:
    """Find the sections of a description.

    Headings with marks, with underlines and in bold count, numbered or not, in singular and plural; those
    in fenced code and in HTML comments do not. Where a name occurs at several levels, the upper one counts.
    A heading of several words counts where no other is named so precisely, at the level of those that are.

    Args:
        text: The Markdown text.
    """
    lines = tuple(read_lines(text))
    starts = _starts(lines)
    found: dict[str, Section] = {}
    for index, names in starts.items():
        end = next((other for other in starts if other > index), len(lines))
        below = [*_rest_of_bold(lines[index]), *lines[index + 1 : end]]
        for name in names:
            before = found.get(name)
            line = before.line if before else lines[index].number
            merged = (*(before.lines if before else ()), *below)
            found[name] = Section(name=name, line=line, lines=merged)
    return found


@lru_cache(maxsize=32)
def read_lines(text: str) -> tuple[Line, ...]:
    """Tell headings, fenced code and prose apart, and leave comments out."""
    plain = list(_uncommented(text.removeprefix("\ufeff")))
    lines: list[Line] = []
    for number, line, kind in plain:
        heading = _HEADING.match(line) if kind == "text" else None
        underline = _UNDERLINE.match(line) if kind == "text" and _may_be_title(lines) else None
        if heading:
            lines.append(Line(number, (heading["title"] or "").strip(), "heading", len(heading["marks"])))
        elif underline:
            title = lines.pop()
            level = 1 if underline["first"] else 2
            lines.append(Line(title.number, title.text.strip(), "heading", level))
        else:
            bold = _BOLD.match(line) if kind == "text" else None
            is_name = bold is not None and _is_exact(bold["title"])
            lines.append(Line(number, line, "heading" if is_name else kind, _BOLD_LEVEL * is_name))
    return tuple(lines)


def _uncommented(text: str) -> Iterator[tuple[int, str, Kind]]:
    fence, commented = "", False
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if not fence:
            visible, commented = _outside_comments(line, commented=commented)
            mark = _FENCE.match(visible)
            fence = mark["mark"] if mark else ""
            yield number, visible, "fence" if mark else "text"
            continue
        mark = _FENCE.match(line)
        closes = mark and mark["mark"].startswith(fence) and not mark["info"].strip()
        fence = "" if closes else fence
        yield number, line, "fence" if closes else "code"


def _outside_comments(line: str, *, commented: bool) -> tuple[str, bool]:
    """Return what of a line is outside comments, and whether the next line begins inside one."""
    kept = ""
    place = start = 0
    while True:
        if commented:
            end = line.find("-->", place)
            if end < 0:
                return kept, True
            place = start = end + len("-->")
        found = _SPAN_OR_COMMENT.search(line, start)
        if not found:
            return kept + line[place:], False
        commented, start = found["ticks"] is None, found.end()
        if commented:
            kept, place = kept + line[place : found.start()], found.end()


def _may_be_title(lines: list[Line]) -> bool:
    """Whether the last line could be the title above an underline: a paragraph of its own."""
    if not lines or lines[-1].kind != "text" or not _PARAGRAPH.match(lines[-1].text):
        return False
    return len(lines) == 1 or lines[-2].kind != "text" or not _PARAGRAPH.match(lines[-2].text)


def _starts(lines: tuple[Line, ...]) -> dict[int, tuple[str, ...]]:
    """Return the indexes of the headings that begin sections, and the names of these."""
    headings = [(index, line) for index, line in enumerate(lines) if line.kind == "heading"]
    exact = {index: _names(line.text) for index, line in headings if _is_exact(line.text)}
    top: dict[str, int] = {}
    for index, names in exact.items():
        for name in names:
            top[name] = min(top.get(name, _BOLD_LEVEL), lines[index].level)
    levels = set(top.values())
    starts: dict[int, tuple[str, ...]] = {}
    for index, line in headings:
        names = exact.get(index) or (_names(line.text) if line.level in levels or not levels else ())
        counted = tuple(
            name for name in names if (top[name] == line.level if name in top else index not in exact)
        )
        if counted:
            starts[index] = counted
    return starts


def _bare(title: str) -> str:
    title = title.lower()
    bold = _BOLD.match(title)
    title = bold["title"] if bold else title
    return _PLAIN_NUMBER.sub("", _NUMBERING.sub("", title, count=1), count=1)


def _words(title: str) -> list[str]:
    return re.sub(r"[^\w]+|_", " ", title).split()


def _is_exact(title: str) -> bool:
    """Whether a title is made of nothing but names of sections."""
    words = [word for word in _words(_bare(title)) if word != "and"]
    return bool(words) and all(word in _NAMES for word in words) and bool(_names(title))


def _names(title: str) -> tuple[str, ...]:
    """Return the sections that a title names: the last word that names one, of each part."""
    parts = re.split(r"\band\b|&|/|,|\+", _PREPOSITION.split(_bare(title))[0])
    named = ([_NAMES[word] for word in _words(part) if word in _NAMES] for part in parts)
    return tuple(dict.fromkeys(names[-1] for names in named if names))


def _rest_of_bold(line: Line) -> Iterator[Line]:
    """Yield what follows a name in bold on its line."""
    bold = _BOLD.match(line.text) if line.level == _BOLD_LEVEL else None
    if bold and bold["rest"].strip(" :."):
        yield Line(line.number, bold["rest"].strip(" :."), "text")
