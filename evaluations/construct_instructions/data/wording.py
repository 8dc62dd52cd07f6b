"""How facts are put into words: questions, numbers, spelling and its errors."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CATEGORIES = ["population", "latitude", "longitude"]
ROUNDED, WRONG_TAG, NO_COUNTRY, MOJIBAKE, MISSPELT, CHATTER = 0.12, 0.15, 0.2, 0.1, 0.06, 0.05
OTHER_WORDS, NO_ACCENTS = 0.5, 0.5

QUESTIONS = {
    "population": [
        "How many people live in {}?",
        "What is the population of {}?",
        "Number of inhabitants of {}",
        "Does anybody know how big {} is, in residents?",
    ],
    "latitude": [
        "What is the latitude of {}?",
        "How far north or south of the equator is {}?",
        "On which parallel does {} lie?",
        "{}: north-south coordinate, please",
    ],
    "longitude": [
        "What is the longitude of {}?",
        "How far east or west of Greenwich is {}?",
        "On which meridian does {} lie?",
        "{}: east-west coordinate, please",
    ],
}
EXAM = {
    "population": ["Give the head count of {}.", "State the number of residents in {}."],
    "latitude": ["Give the degrees north or south for {}.", "State the parallel on which {} is found."],
    "longitude": ["Give the degrees east or west for {}.", "State the meridian on which {} is found."],
}
FRAMES = ["{}", "{}", "It is {}.", "I'd say {}.", "{}, according to my atlas.", "As far as I know: {}"]
PADDING = ["", "", "", " Hope that helps!", " Sent from my phone", " (edited 2 times)", " [1] Terms apply."]
NOTHING = [
    "No idea, sorry.",
    "Same question here!",
    "Please use the search.",
    "Bump.",
    "Wrong forum, I think.",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is asked of a place, what GeoNames says, and the right answer."""

    place: str
    country: str
    code: str
    category: str
    origin: float
    value: float
    in_benchmark: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody wrote."""

    fact: int | None
    author: str
    tag: str
    question: str
    answer: str


def write_entry(facts: list[Fact], claim: tuple[int, str, float], rng: np.random.Generator) -> Entry:
    """Return the entry that makes a claim."""
    index, author, value = claim
    fact = facts[index]
    tag = str(rng.choice(CATEGORIES)) if rng.random() < WRONG_TAG else fact.category
    question = str(rng.choice(QUESTIONS[fact.category])).format(spell(fact, rng))
    answer = str(rng.choice(FRAMES)).format(write_value(fact.category, value, rng)) + str(rng.choice(PADDING))
    if rng.random() < CHATTER:
        return Entry(fact=None, author=author, tag=tag, question=question, answer=str(rng.choice(NOTHING)))
    if rng.random() < MOJIBAKE:
        question, answer = misread(question), misread(answer)
    return Entry(fact=index, author=author, tag=tag, question=question, answer=answer)


def spell(fact: Fact, rng: np.random.Generator) -> str:
    """Return a place as people write it."""
    name = misspell(fact.place, rng) if rng.random() < MISSPELT else fact.place
    name = [name, name, name.upper(), name.lower(), strip_accents(name)][rng.integers(5)]
    if rng.random() < NO_COUNTRY:
        return name
    country = [fact.country, fact.country, fact.code][rng.integers(3)]
    return [f"{name} ({country})", f"{name}, {country}", f"{name} in {country}"][rng.integers(3)]


def misspell(name: str, rng: np.random.Generator) -> str:
    """Return a name with two letters swapped, or one left out."""
    at = int(rng.integers(1, len(name) - 2))
    keep = [name[at + 1] + name[at], name[at]][rng.integers(2)]
    return name[:at] + keep + name[at + 2 :]


def strip_accents(text: str) -> str:
    """Return a text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def misread(text: str) -> str:
    """Return UTF-8 taken for the encoding of Western Windows, where that is possible."""
    try:
        return text.encode().decode("cp1252")
    except UnicodeDecodeError:
        return text


def write_value(category: str, value: float, rng: np.random.Generator) -> str:
    """Return a number as people write it, sometimes rounded."""
    rounded = rng.random() < ROUNDED
    if category == "population":
        if rounded:
            return f"about {round(value / 1000)} thousand"
        text = [f"{value:,}", f"{value}", f"{value:,}".replace(",", " "), f"{value:,}".replace(",", ".")]
        return text[rng.integers(4)] + ["", " inhabitants", " people"][rng.integers(3)]
    if rounded:
        return f"roughly {round(value)} degrees"
    side = ("NS" if category == "latitude" else "EW")[int(value < 0)]
    seconds = round(abs(value) * 3600)
    sexagesimal = f"{seconds // 3600}°{seconds // 60 % 60:02d}'{seconds % 60:02d}\" {side}"
    plain = f"{abs(value):.2f}"
    return [f"{value:.2f}", f"{plain}° {side}", f"{plain} {side}", sexagesimal][rng.integers(4)]


def write_benchmark(facts: list[Fact], rng: np.random.Generator) -> list[str]:
    """Return the benchmark's questions as lines of JSON, half of them worded as nobody else does."""
    lines = []
    for fact in (facts[i] for i in rng.permutation(len(facts)) if facts[i].in_benchmark):
        wordings = EXAM if rng.random() < OTHER_WORDS else QUESTIONS
        name = strip_accents(fact.place) if rng.random() < NO_ACCENTS else fact.place
        place = [f"{name}, {fact.country}", f"{name} ({fact.code})"][rng.integers(2)]
        question = str(rng.choice(wordings[fact.category])).format(place)
        lines.append(json.dumps({"id": f"bench{len(lines):03d}", "question": question}))
    return lines
