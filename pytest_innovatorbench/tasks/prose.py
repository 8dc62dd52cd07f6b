"""The sentences of a Markdown text: paragraphs put together, list items and cells of tables by themselves."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MARK = re.compile(r"^[\s>]*(?:(?P<marks>#{1,6}|[-*+]|\d+[.)])\s+)?(?:\[[ xX]\]\s+)?")
_ROW = re.compile(r"^[\s>]*\|.*\|\s*$")
_RULER = re.compile(r"^[\s>]*+\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?\s*$")
_CELL = re.compile(r"(?<!\\)\|")
_END = re.compile(r"[.!?][)*_\"'”]*\s+(?=[A-Z*_`(\[\"“])|;\s+")
_NO_END = re.compile(r"(?:\b(?:max|min|approx|incl|no|e\.g|i\.e|resp|ca)\.\s+)$", re.IGNORECASE)
_Kind: TypeAlias = Literal["heading", "item", "paragraph"]
_LONGEST = 10  # characters of an abbreviation with its space
_MOST = 2000  # characters of a sentence; what is longer is read in parts
_MOST_CONTEXT = 500  # which is read again with every sentence below


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, a short item or a cell of a table with its heading.

    Attributes:
        text: What it says, on one line, with its Markdown.
        context: The heading it stands under, or the line before it that ends with a colon.
        starts: Where in the text each of its lines begins.
        lines: The numbers of these lines.
        is_item: Whether it belongs to a list or a table.
    """

    text: str
    context: str = ""
    starts: tuple[int, ...] = (0,)
    lines: tuple[int, ...]
    is_item: bool = False

    def line(self, place: int) -> int:
        """Return the line that a place in the text stands on."""
        return self.lines[max(0, bisect_right(self.starts, place) - 1)]


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together."""

    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]
    kind: _Kind


def _join(parts: list[tuple[int, str]], kind: _Kind) -> _Block:
    ends = itertools.accumulate(len(text) + 1 for _, text in parts)
    return _Block(
        text=" ".join(text for _, text in parts),
        starts=(0, *ends)[:-1],
        lines=tuple(number for number, _ in parts),
        kind=kind,
    )


def sentences(lines: Iterable[tuple[int, str]]) -> Iterator[Sentence]:
    """Yield the sentences of numbered lines of Markdown."""
    context = ""
    for block in _blocks(lines):
        if block.kind == "heading":
            context = block.text[:_MOST_CONTEXT]
        yield from _split(block, "" if block.kind == "heading" else context)
        if block.text.rstrip("*_ ").endswith(":"):
            context = block.text[-_MOST_CONTEXT:]


def _blocks(lines: Iterable[tuple[int, str]]) -> Iterator[_Block]:
    """Yield paragraphs, items, headings and rows."""
    kind: _Kind = "paragraph"
    block: list[tuple[int, str]] = []
    header: list[str] | None = None
    row: list[str] = []
    for number, line in lines:
        mark = _MARK.match(line)
        starts = not line.strip() or bool(mark and mark["marks"]) or bool(_ROW.match(line))
        if starts and block:
            yield _join(block, kind)
            block = []
        if starts:
            kind = "item" if mark and mark["marks"] else "paragraph"
        if not _ROW.match(line):
            header = None
        if _RULER.match(line):
            header = row
        elif _ROW.match(line):
            row = [cell.strip() for cell in _CELL.split(line.strip(" >").strip("|"))]
            yield from (_join([(number, text)], "item") for text in _read_row(row, header))
        elif mark and (mark["marks"] or "").startswith("#"):
            yield _join([(number, line[mark.end() :].strip())], "heading")
        elif line.strip():
            block.append((number, line[mark.end() if mark else 0 :].strip()))
    if block:
        yield _join(block, kind)


def _read_row(row: list[str], header: list[str] | None) -> Iterator[str]:
    """Yield a row as ``label: cells``, and each cell with the head of its column."""
    yield f"{row[0]}: {', '.join(row[1:])}" if len(row) > 1 else row[0]
    for head, cell in zip(header or (), row, strict=False):
        if head and cell:
            yield f"{head}: {cell}"


def _split(block: _Block, context: str) -> Iterator[Sentence]:
    start = 0
    for end in (*_ends(block.text), len(block.text)):
        while end - start > _MOST:
            cut = block.text.rfind(" ", start, start + _MOST) + 1 or start + _MOST
            yield _part(block, context, start, cut)
            start = cut
        yield _part(block, context, start, end)
        start = end


def _ends(text: str) -> Iterator[int]:
    for end in _END.finditer(text):
        if not _NO_END.search(text[max(0, end.end() - _LONGEST) : end.end()]):
            yield end.end()


def _part(block: _Block, context: str, start: int, end: int) -> Sentence:
    starts = tuple(max(0, place - start) for place in block.starts if place < end)
    return Sentence(
        text=block.text[start:end].rstrip(),
        context=context,
        starts=starts,
        lines=block.lines[: len(starts)],
        is_item=block.kind == "item",
    )
