"""Make the intermediate: entries cleaned and linked as in the solution, and the majority believed.

Run it in a workspace, with task/repositories/gazetteer and this task's solution/ in PYTHONPATH. Nothing in it
is random.
"""

from __future__ import annotations

from linking import Gazetteer
from reading import read_question
from records import MOST, Record, write_dataset
from solve import Claims, collect
from sources import read_benchmark, read_countries, read_entries


def rank(claims: Claims) -> list[tuple[float, Record]]:
    """Return, best first, the record of each fact with the value that most authors claim."""
    ranked = []
    for (place, category), values in claims.items():
        value = max(values, key=lambda value: len(values[value]))
        votes, all_votes = len(values[value]), sum(map(len, values.values()))
        record = Record(min(values[value].values()), category, *place, value)
        ranked.append((votes * votes / all_votes, record))
    return sorted(ranked, key=lambda item: -item[0])


def main() -> None:
    """Write dataset.jsonl."""
    entries, countries = read_entries(), read_countries()
    questions = [read_question(entry.question, countries) for entry in entries]
    gazetteer = Gazetteer([question for question in questions if question])
    exam = [read_question(text, countries) for text in read_benchmark()]
    excluded = {(place, q.category) for q in exam if q and (place := gazetteer.find(q))}
    claims = collect(entries, questions, gazetteer)
    left = {fact: values for fact, values in claims.items() if fact not in excluded}
    write_dataset([record for _, record in rank(left)[:MOST]])


if __name__ == "__main__":
    main()
