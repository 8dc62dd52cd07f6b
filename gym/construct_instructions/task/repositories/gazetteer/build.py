"""Make a dataset of what is easily understood. Run it from the workspace.

The first entry about anything is believed, and filed as its source files it.
"""

from __future__ import annotations

import argparse
import os
import random
import re

from records import MOST, Record, write_dataset
from sources import Entry, read_benchmark, read_countries, read_entries

QUESTION = re.compile(r"(?:What is the \w+|Number of inhabitants|How many people live) (?:of|in) (.+?)\??")
PLACE = re.compile(r"(.+?)(?:, | in | \()([^()]+)\)?")
NUMBER = re.compile(r"-?\d[\d,.]*\d")
LIMITS = {"latitude": 90, "longitude": 180}


def understand(entry: Entry, countries: dict[str, str]) -> Record | None:
    """Return the record of an entry, if it can be read."""
    question = QUESTION.fullmatch(entry.question)
    place = PLACE.fullmatch(question[1]) if question else None
    number = NUMBER.search(entry.answer)
    country = countries.get(place[2], place[2]) if place else ""
    output = write_number(entry.tag, number[0]) if number else None
    if not place or country not in countries.values() or output is None:
        return None
    return Record(entry.id, entry.tag, place[1], country, output)


def write_number(category: str, text: str) -> str | None:
    """Return a number in the form of the schema, if it has one."""
    try:
        if category == "population":
            return str(abs(int(text.replace(",", "").replace(".", ""))))
        degrees = float(text)
    except ValueError:
        return None
    return f"{degrees:.2f}" if abs(degrees) <= LIMITS.get(category, 0) else None


def build(seed: int) -> list[Record]:
    """Return at most MOST records."""
    entries, countries, benchmark = read_entries(), read_countries(), set(read_benchmark())
    random.Random(seed).shuffle(entries)
    records: dict[tuple[str, str, str], Record] = {}
    for entry in entries:
        record = understand(entry, countries)
        if record and entry.question not in benchmark:
            records.setdefault((record.category, record.place, record.country), record)
    return list(records.values())[:MOST]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("IBENCH_SEED", "0")))
    records = build(parser.parse_args().seed)
    write_dataset(records)
    print(f"{len(records)} records written to data/outputs/dataset.jsonl")


if __name__ == "__main__":
    main()
