"""What an entry says: broken text mended, questions and numbers understood."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

QUESTIONS = {
    "population": [
        "How many people live in {}?",
        "What is the population of {}?",
        "Number of inhabitants of {}",
        "Does anybody know how big {} is, in residents?",
        "Give the head count of {}.",
        "State the number of residents in {}.",
    ],
    "latitude": [
        "What is the latitude of {}?",
        "How far north or south of the equator is {}?",
        "On which parallel does {} lie?",
        "{}: north-south coordinate, please",
        "Give the degrees north or south for {}.",
        "State the parallel on which {} is found.",
    ],
    "longitude": [
        "What is the longitude of {}?",
        "How far east or west of Greenwich is {}?",
        "On which meridian does {} lie?",
        "{}: east-west coordinate, please",
        "Give the degrees east or west for {}.",
        "State the meridian on which {} is found.",
    ],
}
PATTERNS = [
    (category, re.compile(re.escape(wording).replace(r"\{\}", "(.+)")))
    for category, wordings in QUESTIONS.items()
    for wording in wordings
]
PEOPLE = re.compile(r"\d{1,3}(?:[,.\s]\d{3})+|\d+")
SEXAGESIMAL = re.compile(r"(\d+)°(\d\d)'(\d\d)\" ([NSEW])")
DECIMAL = re.compile(r"(-?\d+\.\d\d)(?:°? ([NSEW])\b)?")


@dataclass(frozen=True)
class Question:
    """What is asked of which place; the country is empty where none is named."""

    category: str
    name: str
    country: str


def mend(text: str) -> str:
    """Return a text whose UTF-8 was taken for the encoding of Western Windows as it was."""
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def fold(name: str) -> str:
    """Return a name without accents and capitals."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def read_question(text: str, countries: dict[str, str]) -> Question | None:
    """Return what a question asks, if it is of a known wording."""
    for category, pattern in PATTERNS:
        if found := pattern.fullmatch(mend(text)):
            return Question(category, *read_place(found[1], countries))
    return None


def read_place(text: str, countries: dict[str, str]) -> tuple[str, str]:
    """Return name and country of a place."""
    for found in re.finditer(r", | in | \(", text):
        country = text[found.end() :].rstrip(")")
        country = countries.get(country, country)
        if country in countries.values():
            return text[: found.start()], country
    return text, ""


def read_answer(category: str, text: str) -> str | None:
    """Return an exact answer in the form of the schema; those that are rounded count as none."""
    text = mend(text).split(" [")[0].split(" (")[0]
    if category == "population":
        found = PEOPLE.search(text)
        return re.sub(r"\D", "", found[0]) if found and "thousand" not in text else None
    return read_degrees(text)


def read_degrees(text: str) -> str | None:
    """Return degrees with two decimals, negative in the south and west."""
    if found := SEXAGESIMAL.search(text):
        degrees, minutes, seconds = (int(part) for part in found.groups()[:3])
        value, side = degrees + minutes / 60 + seconds / 3600, found[4]
    elif found := DECIMAL.search(text):
        value, side = float(found[1]), found[2]
    else:
        return None
    return f"{-value if side in ('S', 'W') else value:.2f}"
