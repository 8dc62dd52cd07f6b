"""The reference: clean, link, decontaminate, then believe authors by how reliable and independent they are.

1. Texts are mended, and questions, places and numbers brought into one form; what is asked in the benchmark, in
   whatever words and spelling, is left out (Lee et al. 2022; Brown et al. 2020 for the decontamination).
2. Authors who say the same too often copy from each other, and count once (Dong et al. 2009).
3. Claims about the same fact are weighed by the accuracy of those who make them, and accuracy is what share of
   an author's claims is believed, in turns (ACCU, ibidem; after TruthFinder, Yin et al. 2008).
4. The facts of which one is surest are kept.

Nothing in it is random.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from itertools import combinations

sys.path.insert(0, "task/repositories/gazetteer")

from linking import Gazetteer, Place
from reading import Question, read_answer, read_question
from records import MOST, Record, write_dataset
from sources import Entry, read_benchmark, read_countries, read_entries

ROUNDS = 20
FALSE_VALUES = 10
START, LEAST, MOST_ACCURATE = 0.6, 0.05, 0.95
SUREST = 0.5
FEWEST_SHARED, ALIKE = 12, 0.88

Fact = tuple[Place, str]
Claims = dict[Fact, dict[str, dict[str, str]]]
"""By fact and value, the id of the entry in which each author claims it."""


def collect(entries: list[Entry], questions: list[Question | None], gazetteer: Gazetteer) -> Claims:
    """Return who claims what."""
    claims: Claims = defaultdict(lambda: defaultdict(dict))
    for entry, question in zip(entries, questions, strict=True):
        place = gazetteer.find(question) if question else None
        value = read_answer(question.category, entry.answer) if question else None
        if question and place and value is not None:
            claims[place, question.category][value][entry.author] = entry.id
    return claims


def find_copies(claims: Claims) -> dict[str, str]:
    """Return for each author the one that stands for all who say the same as the author."""
    shared: Counter[tuple[str, str]] = Counter()
    alike: Counter[tuple[str, str]] = Counter()
    for values in claims.values():
        said = sorted((author, value) for value, named in values.items() for author in named)
        for (author, value), (other, another) in combinations(said, 2):
            shared[author, other] += 1
            alike[author, other] += value == another
    stands = {author: author for values in claims.values() for named in values.values() for author in named}
    for (author, other), count in sorted(shared.items()):
        if count >= FEWEST_SHARED and alike[author, other] > ALIKE * count:
            old, new = stands[other], stands[author]
            stands = {name: new if head == old else head for name, head in stands.items()}
    return stands


def merge_copies(claims: Claims) -> Claims:
    """Return who claims what, with the claims of authors who copy made by one."""
    stands = find_copies(claims)
    return {
        fact: {
            value: {stands[author]: source for author, source in sorted(named.items())}
            for value, named in values.items()
        }
        for fact, values in claims.items()
    }


def believe(claims: Claims) -> dict[Fact, dict[str, float]]:
    """Return how probable each value of each fact is."""
    authors = {author for values in claims.values() for named in values.values() for author in named}
    accuracy = dict.fromkeys(authors, START)
    beliefs: dict[Fact, dict[str, float]] = {}
    for _ in range(ROUNDS):
        beliefs = {fact: weigh(values, accuracy) for fact, values in claims.items()}
        accuracy = rate_authors(claims, beliefs)
    return beliefs


def weigh(values: dict[str, dict[str, str]], accuracy: dict[str, float]) -> dict[str, float]:
    """Return how probable each value is, with authors that err independently; it may also be none of them."""
    votes = {
        value: sum(math.log(FALSE_VALUES * accuracy[a] / (1 - accuracy[a])) for a in named)
        for value, named in values.items()
    }
    unclaimed = max(FALSE_VALUES + 1 - len(votes), 1)
    top = max(0.0, *votes.values())
    total = sum(math.exp(vote - top) for vote in votes.values()) + unclaimed * math.exp(-top)
    return {value: math.exp(vote - top) / total for value, vote in votes.items()}


def rate_authors(claims: Claims, beliefs: dict[Fact, dict[str, float]]) -> dict[str, float]:
    """Return the mean probability of what each author claims."""
    believed = defaultdict(list)
    for fact, values in claims.items():
        for value, named in values.items():
            for author in named:
                believed[author].append(beliefs[fact][value])
    shares = {author: sum(values) / len(values) for author, values in believed.items()}
    return {author: min(max(share, LEAST), MOST_ACCURATE) for author, share in shares.items()}


def select(claims: Claims, gazetteer: Gazetteer, excluded: set[Fact]) -> list[Record]:
    """Return records of the facts that are surest."""
    best = []
    for fact, values in believe(claims).items():
        value = max(values, key=values.__getitem__)
        if fact not in excluded and values[value] > SUREST:
            best.append((values[value], fact, value))
    best.sort(key=lambda item: -item[0])
    return [
        Record(min(claims[fact][value].values()), fact[1], gazetteer.name(fact[0]), fact[0][1], value)
        for _, fact, value in best[:MOST]
    ]


def main() -> None:
    entries, countries = read_entries(), read_countries()
    questions = [read_question(entry.question, countries) for entry in entries]
    gazetteer = Gazetteer([question for question in questions if question])
    exam = [read_question(text, countries) for text in read_benchmark()]
    excluded = {(place, q.category) for q in exam if q and (place := gazetteer.find(q))}
    claims = merge_copies(collect(entries, questions, gazetteer))
    write_dataset(select(claims, gazetteer, excluded))


if __name__ == "__main__":
    main()
