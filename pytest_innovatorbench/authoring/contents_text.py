"""The text of files, and what is left of it when only its words matter."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOKEN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-])|\w+(?:[.-]\w+)*")
_WORD = re.compile(r"[^\W_]+")
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(data: bytes) -> str | None:
    """Return text with Unix line ends, ``None`` if the bytes are no text."""
    try:
        text = data.decode("utf-16") if data.startswith(_BOMS) else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\0" in data:
            return None
        text = data.decode("latin-1")
    return None if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n")


def read_notebook(text: str) -> str:
    """Return what the cells of a notebook hold and put out; the text itself if it is no notebook."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        return text
    return "\n".join(part for cell in cells if isinstance(cell, dict) for part in _strings(cell, 6))


def normal_line(line: str) -> str:
    """Return a line without what does not matter: case, and how much white space stands where."""
    return " ".join(line.split()).casefold()


def normal_lines(text: str) -> list[str]:
    """Return the lines that hold anything, in a form and an order that editors do not change."""
    return sorted(filter(None, map(normal_line, text.split("\n"))))


def words(text: str) -> list[str]:
    """Return the words, in small letters."""
    return _WORD.findall(text.casefold())


def runs(spoken: Sequence[str], length: int) -> set[tuple[str, ...]]:
    """Return every run of so many words."""
    return {tuple(spoken[at : at + length]) for at in range(len(spoken) - length + 1)}


def quotable(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Return the words of the titles in task.yaml, which anybody may quote."""
    paper = manifest.get("paper")
    titles = [manifest.get("title"), *(paper.values() if isinstance(paper, dict) else ())]
    return [words(str(title)) for title in titles]


def placed_words(text: str) -> tuple[list[str], list[int]]:
    """Return the words, in small letters, and the line of each, from 1."""
    found: list[str] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        here = words(line)
        found += here
        lines += [number] * len(here)
    return found, lines


def _strings(value: object, depth: int) -> Iterator[str]:
    """Yield texts; a list of them is one, as notebooks keep lines."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        yield "".join(value)
    elif depth and isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part, depth - 1)
