"""Records of answers in what the agent gets: in tables, in any text, and long answers by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_answers import LONG, Answers
from pytest_innovatorbench.authoring.checks.leaks_sequences import count_in_sequence
from pytest_innovatorbench.authoring.contents_records import normal
from pytest_innovatorbench.authoring.contents_text import TOKEN, placed_words, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.contents_records import Part

ENOUGH_BITS = 16.0  # an accident of one in 65,536
_MISSES = 0.02
_MOST_SAID = 20  # words of an answer next to its key
_PROBES = 64
_MOST_WORDS = 2_000_000  # characters of a text that are read word by word
_BLANK = frozenset({"", "nan", "none", "null", "na", "n/a", "?", "-", "-1", "absent.absent"})
_FILLERS = frozenset(
    {
        "id",
        "label",
        "target",
        "answer",
        "gold",
        "truth",
        "y",
        "output",
        "value",
        "is",
        "class",
        "the",
        "of",
        "for",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Answers that were found.

    Attributes:
        count: Records.
        column: Column or text that holds the answers there; ``""`` in a text.
        place: A text to find the first of them by.
        part: The part of the file, as in `Part`.
    """

    count: int
    column: str = ""
    place: str = ""
    part: str = ""


def find_records(answers: Answers, content: Content) -> Match | None:
    """Return the most answers that one column or text of a file gives away."""
    found = [match for part in content.parts for match in _in_table(answers, part)]
    if not _is_table(content) and content.text:
        found += _in_text(answers, content.text)
        found += _in_sequence(answers, content.text)
    found += _long_ones(answers, content)
    return max(found, key=lambda match: match.count, default=None)


def is_blank(value: object) -> bool:
    """Tell cells that hold nothing, or what stands for nothing."""
    return value is None or normal(value) in _BLANK


def places_in(answers: Answers, part: Part) -> list[tuple[int, int]]:
    """Return which records of a table are which of the answers', the first column that says so deciding."""
    for names, places in answers.by_key.items():
        for candidate in _key_candidates(part, names):
            if any(key in places for key in _probe(part, candidate)):
                keys = enumerate(_keys(part, candidate))
                # Once each, or a column of zeros and ones would be the keys 0 and 1 over and over.
                rows = {places[key]: row for row, key in keys if key in places}
                return [(row, place) for place, row in rows.items()]
    return []


def agreeing(answers: Answers, column: str, cells: Sequence[object], pairs: list[tuple[int, int]]) -> int:
    """Return how many answers cells give away, 0 if they could do so by accident or say something else."""
    expected, bits = answers.normals[column], answers.bits[column]
    hits = misses = 0
    sure = 0.0
    allowed = _MISSES * len(pairs)
    for row, place in pairs:
        value = normal(cells[row])
        if value == expected[place]:
            hits += 1
            sure += bits[value]
        elif value not in _BLANK:
            misses += 1
            if misses > allowed:
                return 0
    return hits if sure >= ENOUGH_BITS else 0


def _is_table(content: Content) -> bool:
    """Tell tables from texts whose lines were taken for records of one value."""
    return any(len(part.table.columns) > 1 or part.table.kind != "txt" for part in content.parts)


def _in_table(answers: Answers, part: Part) -> Iterator[Match]:
    table = part.table
    pairs = places_in(answers, part)
    for name in table.columns:
        cells = table.column(name)
        for column in answers.columns:
            count = agreeing(answers, column, cells, pairs) or _in_order(answers, column, cells)
            if count:
                first = next((key for row, place in pairs[:1] for key in _keys_at(answers, place)), "")
                yield Match(count=count, column=name, place=first, part=part.name)


def _in_order(answers: Answers, column: str, cells: tuple[object, ...]) -> int:
    """Return how many answers a column gives away that has them, and nothing else, in the same order."""
    if len(cells) != len(answers.table.rows):
        return 0
    return agreeing(answers, column, cells, [(place, place) for place in range(len(cells))])


def _keys_at(answers: Answers, place: int) -> tuple[str, ...]:
    names = next(iter(answers.by_key), ())
    return tuple(str(answers.table.column(name)[place]) for name in names)


def _key_candidates(part: Part, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield columns that may hold keys: any, or for a key of several columns those of the same names."""
    columns = part.table.columns
    if len(names) == 1:
        first = [name for name in (*names, *part.keys) if name in columns]
        yield from ((name,) for name in dict.fromkeys((*first, *columns)))
    elif names and set(names) <= set(columns):
        yield names


def _probe(part: Part, names: tuple[str, ...]) -> Iterable[str]:
    """Return keys of records: all where the columns are ones of keys, else some, as they are spelt."""
    if len(names) > 1 or names[0] in part.keys:
        return _keys(part, names)
    cells = part.table.column(names[0])
    return [str(cell).casefold() for cell in cells[:: max(1, len(cells) // _PROBES)]]


def _keys(part: Part, names: tuple[str, ...]) -> list[str]:
    return part.identities[names] if names in part.identities else part.identify(names)


def _in_text(answers: Answers, text: str) -> Iterator[Match]:
    """Look for a key next to its answer, with nothing but punctuation between."""
    names = next((names for names in answers.by_key if len(names) == 1), None)
    text = text.casefold()
    if names is None or not any(key in text for key in _some(answers.by_key[names], text)):
        return
    tokens = TOKEN.findall(text)
    tokens = [token for token in tokens if token not in _FILLERS]
    for column in answers.columns:
        for step in (1, -1):
            hits = _neighbours(answers, names, column, tokens[::step])[::step]
            if hits:
                yield Match(count=len(hits), place=hits[0])


def _in_sequence(answers: Answers, text: str) -> Iterator[Match]:
    for column in answers.columns:
        if count := count_in_sequence(answers, column, text.casefold()):
            yield Match(count=count)


def _some(places: dict[str, int], text: str) -> Iterable[str]:
    """Return the keys to look for first: all of them, but in a large text some."""
    return places if len(text) < _MOST_WORDS else list(places)[:: max(1, len(places) // _PROBES)]


def _neighbours(answers: Answers, names: tuple[str, ...], column: str, tokens: list[str]) -> list[str]:
    """Return the keys after which their answers stand; none if that is an accident."""
    places, expected = answers.by_key[names], answers.normals[column]
    hits: dict[int, str] = {}
    misses: set[int] = set()
    for at, here in enumerate(tokens[:-1]):
        place = places.get(here)
        if place is None and here[-1].isdigit():
            place = places.get(normal(here))
        if place is None or place in hits or tokens[at + 1] in places:
            continue
        if _says(tokens[at + 1 : at + 1 + _MOST_SAID], expected[place]):
            hits[place] = here
        else:
            misses.add(place)
    sure = sum(answers.bits[column][expected[place]] for place in hits)
    enough = ENOUGH_BITS * (2 if _are_weak(places) else 1)
    allowed = _MISSES * len(hits.keys() | misses)
    return list(hits.values()) if sure >= enough and len(misses - hits.keys()) <= allowed else []


def _says(tokens: list[str], answer: str) -> bool:
    if normal(tokens[0]) == answer:
        return True
    said = TOKEN.findall(answer)
    return len(said) > 1 and tokens[: len(said)] == said


def _are_weak(keys: Iterable[str]) -> bool:
    """Tell keys that stand in any text, such as small numbers."""
    return all(key.isdigit() for key in keys)


def _long_ones(answers: Answers, content: Content) -> Iterator[Match]:
    """Look for answers that are too long to be there by accident."""
    wanted = _long_answers(answers)
    if not wanted:
        return
    here = _cells(content) if _is_table(content) else _runs(content, wanted)
    found = {key: place for key, place in here if key in wanted}
    if found:
        yield Match(count=len(found), place=next(iter(found.values())))


def _long_answers(answers: Answers) -> dict[tuple[str, ...], int]:
    """Return the words of long answers, except those given more than once."""
    counts: dict[tuple[str, ...], int] = {}
    for column in answers.columns if answers.sign != "none" else ():
        for cell in answers.table.column(column):
            if isinstance(cell, str) and cell.count(" ") >= LONG - 1:
                spoken = tuple(words(cell))
                counts[spoken] = counts.get(spoken, 0) + 1
    return {spoken: count for spoken, count in counts.items() if count == 1 and len(spoken) >= LONG}


def _cells(content: Content) -> Iterator[tuple[tuple[str, ...], str]]:
    for part in content.parts:
        for row in part.table.rows:
            for cell in row:
                if isinstance(cell, str) and cell.count(" ") >= LONG - 1:
                    yield tuple(words(cell)), cell


def _runs(content: Content, wanted: dict[tuple[str, ...], int]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the answers that a text holds as they are, whatever stands around them."""
    text = content.text or ""
    spoken, lines = placed_words(text[:_MOST_WORDS])
    begins: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for key in wanted:
        begins.setdefault(key[:LONG], []).append(key)
    for place in range(len(spoken) - LONG + 1):
        for key in begins.get(tuple(spoken[place : place + LONG]), ()):
            if tuple(spoken[place : place + len(key)]) == key:
                yield key, text.split("\n", lines[place])[lines[place] - 1]
