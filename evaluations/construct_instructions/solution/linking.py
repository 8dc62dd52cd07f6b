"""Which entries are about the same place."""

from __future__ import annotations

from collections import Counter, defaultdict

from reading import Question, fold

RARE, OFTEN = 5, 8

Place = tuple[str, str]
"""Folded name, and country."""


class Gazetteer:
    """The places of all questions; what is misspelt is found by its neighbours."""

    def __init__(self, questions: list[Question]) -> None:
        counts = Counter((fold(q.name), q.country) for q in questions if q.country)
        frequent = [place for place, count in counts.items() if count >= OFTEN]
        self.places = {place: find_neighbour(place, count, frequent) for place, count in counts.items()}
        self.countries: dict[str, set[Place]] = defaultdict(set)
        for (name, _), place in self.places.items():
            self.countries[name].add(place)
        self.names = count_names(questions, self)

    def find(self, question: Question) -> Place | None:
        """Return the place of a question; without a country, only if there is one of that name."""
        if question.country:
            return self.places.get((fold(question.name), question.country))
        places = self.countries.get(fold(question.name), set())
        return next(iter(places)) if len(places) == 1 else None

    def name(self, place: Place) -> str:
        """Return how a place is usually spelt."""
        return self.names[place].most_common(1)[0][0]


def count_names(questions: list[Question], gazetteer: Gazetteer) -> dict[Place, Counter[str]]:
    """Return how often each place is spelt how, in small and capital letters."""
    names: dict[Place, Counter[str]] = defaultdict(Counter)
    for question in questions:
        place = gazetteer.find(question)
        if place and not question.name.islower() and not question.name.isupper():
            names[place][question.name] += 1
        elif place:
            names[place][question.name] += 0
    return names


def find_neighbour(place: Place, count: int, frequent: list[Place]) -> Place:
    """Return the frequent place that a rare one is a misspelling of, or the place itself."""
    name, country = place
    if count > RARE:
        return place
    for other, there in frequent:
        if there == country and is_misspelt(name, other):
            return other, there
    return place


def is_misspelt(name: str, other: str) -> bool:
    """Say whether one letter is left out, added, replaced, or swapped with the next one."""
    if name == other or abs(len(name) - len(other)) > 1:
        return name == other
    start = next((i for i, (a, b) in enumerate(zip(name, other)) if a != b), min(len(name), len(other)))
    a, b = name[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
