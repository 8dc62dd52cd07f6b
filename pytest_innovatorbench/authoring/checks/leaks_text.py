"""Rules on texts that the agent does not get: the hint, the solution, the evaluator."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_evidence import Evidence, evidence_of
from pytest_innovatorbench.authoring.contents_text import normal_line, placed_words, words
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.subject import Subject

_WORDS = 8  # in a row, of the hint
_LINES = 6  # in a row, of the solution
_MOST = 0.6  # share of a file that is not the solution
_CHANGED = 0.1  # share of lines that a solution adds to the code it starts from
_CODE = frozenset({".py", ".ipynb", ".sh", ".r", ".jl", ".cpp", ".cu", ".c", ".rs", ".go", ".js", ".ts"})
_SHORT = 12  # characters
_COMMON = re.compile(
    r"(import|from|else|try|except|finally|pass|break|continue)\b|(return|raise|yield)[\w .]*(\(\))?$"
    r"|#!|@|[\"']{3}$|if __name__|(async )?def main|main\(|set -|exec |parser\.|logging\.|[\W\d]*$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    """The lines of a file that say something, in normal form, and where they stand."""

    file: Content
    lines: tuple[str, ...]
    numbers: tuple[int, ...]


def _hint(subject: Subject) -> Iterator[Finding]:
    hint = subject.read_text(subject.evaluations / "hint.md")
    evidence = evidence_of(subject)
    secret = _runs(words(hint or "")) - _runs(words(evidence.description)) - _titles(subject)
    longest = defaultdict(list)
    for run in secret:
        longest[max(run, key=len)].append(run)
    for file in evidence.shown if secret else ():
        text = (file.text or "").casefold()
        likely = (run for word, runs in longest.items() if word in text for run in runs)
        if any(all(word in text for word in run) for run in likely):
            yield from _quotes(file, file.text or "", secret)


def _quotes(file: Content, text: str, secret: set[tuple[str, ...]]) -> Iterator[Finding]:
    """Report the first words of the hint in a file, and how many in all."""
    spoken, lines = placed_words(text)
    found = [at for at in range(len(spoken) - _WORDS + 1) if tuple(spoken[at : at + _WORDS]) in secret]
    if found:
        count = len({at + step for at in found for step in range(_WORDS)})
        said = f"{file.name} repeats {count} words of hint.md in runs of {_WORDS} or more"
        yield Finding(message=said, file=file.file, line=_line(file, lines[found[0]]))


def _solution(subject: Subject) -> Iterator[Finding]:
    evidence = evidence_of(subject)
    solution = [_read_code(file) for file in evidence.hidden_in("solution")]
    others = [_read_code(file) for file in _other_code(evidence)]
    for file in evidence.shown:
        if file.text and not any(len(part.table.columns) > 1 for part in file.parts):
            shown = _read_code(file)
            yield from _one(finding for code in solution for finding in _repeats(evidence, code, shown))
            yield from _one(finding for code in others for finding in _is_mostly(code, shown))


def _other_code(evidence: Evidence) -> Iterator[Content]:
    """Yield the evaluator and what made the data."""
    for file in (*evidence.hidden_in("task"), *evidence.hidden_in("data")):
        if file.path.suffix.lower() in _CODE and len(file.path.parts) == 2:  # noqa: PLR2004 - not in references
            yield file


def _repeats(evidence: Evidence, hidden: _Code, shown: _Code) -> Iterator[Finding]:
    """Report lines of the solution, unless they are code that the solution starts from."""
    runs = {hidden.lines[at : at + _LINES] for at in range(len(hidden.lines) - _LINES + 1)}
    found = [at for at in range(len(shown.lines) - _LINES + 1) if shown.lines[at : at + _LINES] in runs]
    if found and not _is_start(evidence, hidden, shown):
        count = len({at + step for at in found for step in range(_LINES)})
        said = f"{shown.file.name} repeats {count} lines of {hidden.file.shown}"
        yield Finding(message=said, file=shown.file.file, line=_line(shown.file, shown.numbers[found[0]]))


def _is_start(evidence: Evidence, hidden: _Code, shown: _Code) -> bool:
    """Tell code that the solution was made from: it is mostly in it, used by others, and not all of it."""
    if shown.file.path.parts[:1] != ("task",) or not _share(shown, hidden) > 1 / 2:
        return False
    everything = {
        line for file in evidence.shown if file.text for line in map(normal_line, file.text.split("\n"))
    }
    added = [line for line in hidden.lines if line not in everything]
    return len(added) >= max(2, _CHANGED * len(hidden.lines)) and _is_named(evidence, shown.file)


def _is_named(evidence: Evidence, file: Content) -> bool:
    """Tell whether another file of the agent, or the description, mentions a file."""
    name = re.compile(rf"\b{re.escape(file.path.stem)}\b")
    texts = (other.text for other in evidence.shown if other is not file)
    return any(name.search(text) for text in (evidence.description, *texts) if text)


def _is_mostly(hidden: _Code, shown: _Code) -> Iterator[Finding]:
    """Report a file that is mostly there. Parts of an evaluator may be, where the agent needs the same."""
    if len(hidden.lines) >= _LINES and _share(hidden, shown) >= _MOST:
        said = f"{shown.file.name} holds most of {hidden.file.shown}"
        yield Finding(message=said, file=shown.file.file)


def _share(code: _Code, other: _Code) -> float:
    there = set(other.lines)
    return sum(line in there for line in code.lines) / max(1, len(code.lines))


def _read_code(file: Content) -> _Code:
    numbered = [
        (number, normal_line(line)) for number, line in enumerate((file.text or "").split("\n"), start=1)
    ]
    kept = [(number, line) for number, line in numbered if len(line) >= _SHORT and not _COMMON.match(line)]
    return _Code(
        file=file, lines=tuple(line for _, line in kept), numbers=tuple(number for number, _ in kept)
    )


def _runs(spoken: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(spoken[at : at + _WORDS]) for at in range(len(spoken) - _WORDS + 1)}


def _titles(subject: Subject) -> set[tuple[str, ...]]:
    """Return the words of titles, which anybody may quote."""
    values = subject.manifest.values
    paper = values.get("paper")
    titles = [values.get("title"), *(paper.values() if isinstance(paper, dict) else ())]
    return {run for title in titles for run in _runs(words(str(title)))}


def _line(file: Content, number: int) -> int | None:
    return None if file.is_inside or file.path.suffix.lower() == ".ipynb" else number


def _one(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the first: a file that repeats two versions of a solution needs no second finding."""
    first = next(findings, None)
    if first:
        yield first


RULES = (
    Rule(
        code="IB504",
        name="hint-text",
        summary=f"No {_WORDS} words of hint.md in a row are in gym/.",
        why=(
            "Viewing the hint costs points, which a copy of it in gym/ does not. Titles that task.yaml gives "
            "may be quoted; the description has a rule of its own."
        ),
        remedy="remove what hint.md says from the file",
        check=_hint,
    ),
    Rule(
        code="IB505",
        name="solution-text",
        summary=f"No {_LINES} lines of solution/ in a row, no evaluator and no data generator are in gym/.",
        why=(
            "The agent is to find the method, and must not study what scores it. Lines that any program has "
            "do not count, nor does code in task/ that the solution starts from: a file that others mention, "
            "most of which the solution repeats and to which it adds."
        ),
        remedy="remove these lines from gym/; starting code belongs there, and the solution imports it",
        check=_solution,
    ),
)
