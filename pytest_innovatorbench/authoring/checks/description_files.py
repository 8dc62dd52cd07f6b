"""Which output files a description names."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from pytest_innovatorbench.authoring.checks.layout_tree import tree_of
from pytest_innovatorbench.tasks.description import read_lines
from pytest_innovatorbench.tasks.prose import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.tasks.description import Line

ENDINGS = (
    r"csv|tsv|json|jsonl|ndjson|txt|md|npy|npz|pt|pth|pkl|pickle|parquet|h5|hdf5|safetensors|bin|ya?ml|xml"
    r"|html?|png|jpe?g|gif|svg|zip|tar|gz|tgz|bz2|xz|zst|py|ipynb|sh|patch|diff|log|pdf|onnx|ckpt|arrow|feather"
    r"|db|sqlite3?|wav|mp3|mp4|toml|ini|tex|model|joblib|out|dat|conf|conll|vtt|srt"
)
_PART = r"[\w<>{}$*%?-]"
NAME = rf"{_PART}+(?:\.{_PART}+)*\.(?:{ENDINGS})"
OUTPUTS = re.compile(r"(?:/workspace/(?:[\w${}<>-]+/)?|(?<![\w/.-]))(?:\./)?data/outputs\b")
_PATH = re.compile(rf"{OUTPUTS.pattern}/+(?P<rest>(?:{_PART}+/)*{_PART}+(?:\.{_PART}+)*)", re.IGNORECASE)
_FILE = re.compile(rf"(?<![\w/.$<>{{}}*%?-])(?P<name>{NAME})(?![\w/-]|\.\w)", re.IGNORECASE)
_IN_TREE = re.compile(
    rf"^[\s\u2500-\u257f|`+-]*(?P<name>{NAME})\s*(?:#.*|\(.*|<-.*|:.*|\s-.*)?$", re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"<[^>]*>|\$?\{[^}]*\}|%\w|\*")
# What the agent may write down, and nobody scores.
_UNSCORED = re.compile(
    r"\boptional|\b(?:not|n't|never)\s+(?:be\s+)?(?:scored|read|graded|evaluated|used|needed)"
    r"|\bmay\s+(?:also|leave)\b|\bif\s+you\s+(?:like|want|wish)",
    re.IGNORECASE,
)
_IDEAS = re.compile(r"\b(?:ideas?|notes|thoughts)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;]|\band\b")
_NEAR = 1000  # characters before and behind a name that may say something of it


class Named(NamedTuple):
    """A file that a description names.

    Attributes:
        name: Its name, with ``*`` for what differs.
        line: Where it is named.
    """

    name: str
    line: int


def named_outputs(subject: Subject) -> tuple[Named, ...]:
    """Return the output files that agents are told to write, each once."""
    lines = read_lines(subject.description)
    given = {place.name for place in tree_of(subject).own if place.folder == subject.gym}
    found: dict[str, Named] = {}
    for named in (*_paths(lines), *_in_prose(lines, given), *_in_code(lines, given)):
        found.setdefault(named.name, named)
    return tuple(sorted(found.values(), key=lambda named: named.line))


def is_named(subject: Subject, name: str) -> bool:
    """Tell whether a description names a file, which may be a pattern, wherever it does."""
    names = {widened(match["name"]) for match in _FILE.finditer(subject.description.replace("/", " "))}
    return any(
        fnmatchcase(other.replace("*", "0"), name) or fnmatchcase(name.replace("*", "0"), other)
        for other in names
    )


def widened(name: str) -> str:
    """Return a name with ``*`` for ``<id>``, ``{id}`` and the like."""
    return _PLACEHOLDER.sub("*", name)


def _paths(lines: Iterable[Line]) -> Iterator[Named]:
    for line in lines:
        for match in _PATH.finditer(line.text):
            name = match["rest"].rpartition("/")[2]
            if "." in name and not _is_unscored(line.text, match):
                yield Named(widened(name), line.number)


def _in_prose(lines: Iterable[Line], given: set[str]) -> Iterator[Named]:
    """Yield names beside the outputs' folder, and those that items below a mention of it begin with."""
    spoken = [(line.number, line.written) for line in lines if line.kind in {"text", "heading"}]
    for sentence in sentences(spoken):
        found = [match for match in _FILE.finditer(sentence.text) if match["name"] not in given]
        found = [match for match in found if not _is_unscored(sentence.text, match)]
        if not OUTPUTS.search(sentence.text):
            found = found[:1] if sentence.is_item and OUTPUTS.search(sentence.context) else []
        yield from (Named(widened(match["name"]), sentence.line(match.start())) for match in found)


def _is_unscored(text: str, match: re.Match[str]) -> bool:
    """Tell a file that need not be read: by its sentence, or by what its own clause says of ideas."""
    before, after = text[max(0, match.start() - _NEAR) : match.start()], text[match.end() :][:_NEAR]
    if _UNSCORED.search(f"{before}{match[0]}{after}"):
        return True
    before, after = _CLAUSE.split(before)[-1], _CLAUSE.split(after)[0]
    return bool(_IDEAS.search(before) or _IDEAS.search(after))


def _in_code(lines: Iterable[Line], given: set[str]) -> Iterator[Named]:
    """Yield names in a drawn tree of the outputs' folder."""
    is_open, before = False, ""
    for line in lines:
        if line.kind == "fence":
            is_open = bool(OUTPUTS.search(before))
        elif line.kind == "code":
            is_open = is_open or bool(OUTPUTS.search(line.text))
            match = _IN_TREE.match(line.text)
            if is_open and match and match["name"] not in given:
                yield Named(widened(match["name"]), line.number)
        before = line.text if line.text.strip() else before
