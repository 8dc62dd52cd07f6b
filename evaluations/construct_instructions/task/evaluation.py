"""Count the right facts of a dataset, less its wrong, repeated and contaminated records.

Which fact a record is about is told by the entry that it names as its source, not by its text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.reading import RejectedError, read_lines
from evaluations.base.scoring import ScoreCurve

INSTRUCTIONS = {
    "population": "State the population of the place.",
    "latitude": "State the latitude of the place in degrees.",
    "longitude": "State the longitude of the place in degrees.",
}
FIELDS = ["source", "category", "instruction", "input", "output"]
MOST_RECORDS = 1200
MOST_CHARACTERS = 200
SHOWN = 40
COUNT = re.compile(r"[0-9]{1,9}")
DEGREES = re.compile(r"-?[0-9]{1,3}\.[0-9]{2}")
LIMITS = {"latitude": 90.0, "longitude": 180.0}
# Seconds of arc are whole, so the hundredths of degrees made of them are right to one.
TOLERANCE = {"population": 0.5, "latitude": 0.0101, "longitude": 0.0101}
COST_OF_CONTAMINATION = 3
# Entries without an answer are about no fact.
NO_FACT = ""

NET_COVERAGE = ScoreCurve(baseline=0.0, reference=0.75, ceiling=0.88)

Record = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is asked of a place, the right answer, and whether the benchmark asks for it, too."""

    input: str
    category: str
    output: float
    in_benchmark: bool


class TaskBenchmark(BaseBenchmark):
    """Right facts less bad records, as a share of the budget."""

    paper_name = "Integrating Conflicting Data: The Role of Source Dependence"
    task_name = "construct_instructions"

    def run_1(self) -> dict[str, Any]:
        """Return score, message and counts, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        facts = read_facts(references / "facts.tsv")
        sources = dict(read_references(references / "entries.tsv"))
        try:
            records = read_records(
                Path(self.config.workspace) / "data" / "outputs" / "dataset.jsonl", set(sources)
            )
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        return grade(judge(records, sources, facts))


def grade(kinds: list[str]) -> dict[str, Any]:
    """Return the result for valid records, given what is thought of each."""
    counts = Counter(kinds)
    right, wrong, repeated = counts["right"], counts["wrong"], counts["repeated"]
    gained = right - wrong - repeated - COST_OF_CONTAMINATION * counts["contaminated"]
    net = max(gained, 0) / MOST_RECORDS
    message = (
        f"Net coverage {net:.4f}: {right} right, {wrong} wrong, {repeated} repeated and "
        f"{counts['contaminated']} contaminated records."
    )
    return {
        "score": NET_COVERAGE(net),
        "error": None,
        "message": message,
        "net_coverage": net,
        "coverage": right / MOST_RECORDS,
        "correctness": right / max(right + wrong, 1),
        "duplication": repeated / len(kinds),
        "contamination": counts["contaminated"] / len(kinds),
    }


def judge(records: list[Record], sources: dict[str, str], facts: dict[str, Fact]) -> list[str]:
    """Return in any order what each record is: right, wrong, repeated or contaminated."""
    by_fact: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_fact[sources[record["source"]]].append(record)
    silent = by_fact.pop(NO_FACT, [])
    return ["wrong"] * len(silent) + [
        kind for name, same in by_fact.items() for kind in judge_fact(same, facts[name])
    ]


def judge_fact(records: list[Record], fact: Fact) -> list[str]:
    """Return what the records of one fact are: at most one is right, and that only if all are."""
    if fact.in_benchmark:
        return ["contaminated"] * len(records)
    first = "right" if all(is_right(record, fact) for record in records) else "wrong"
    return [first] + ["repeated"] * (len(records) - 1)


def is_right(record: Record, fact: Fact) -> bool:
    """Say whether category, place and value are those of the fact."""
    return (
        record["category"] == fact.category
        and fold(record["input"]) == fold(fact.input)
        and abs(float(record["output"]) - fact.output) <= TOLERANCE[fact.category]
    )


def fold(text: str) -> str:
    """Return a text without accents and capitals."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def read_references(path: Path) -> list[list[str]]:
    """Return the cells of each line of a table of ours."""
    return [line.split("\t") for line in path.read_text("utf-8").rstrip("\n").split("\n")[1:]]


def read_facts(path: Path) -> dict[str, Fact]:
    """Return the facts by their ids."""
    return {
        name: Fact(
            input=f"{place}, {country}",
            category=category,
            output=float(output),
            in_benchmark=benchmark == "1",
        )
        for name, place, country, category, output, benchmark in read_references(path)
    }


def read_records(path: Path, sources: set[str]) -> list[Record]:
    """Return the records of a dataset; all are of the schema, and no source is named twice."""
    lines = read_lines(path)
    if not 1 <= len(lines) <= MOST_RECORDS:
        raise RejectedError(f"{path.name} has {len(lines)} records; 1 to {MOST_RECORDS} are allowed")
    records: list[Record] = []
    left = set(sources)
    for number, line in enumerate(lines, start=1):
        place = f"{path.name}, line {number}"
        record = parse_record(line, place)
        if record["source"] not in left:
            reason = "appears twice" if record["source"] in sources else "is not the id of an entry"
            raise RejectedError(f"{place}: the source {record['source'][:SHOWN]!r} {reason}")
        left.discard(record["source"])
        records.append(record)
    return records


def parse_record(line: str, place: str) -> Record:
    """Return the record in a line."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise RejectedError(f"{place} is not JSON") from None
    if not isinstance(record, dict) or set(record) != set(FIELDS):
        raise RejectedError(f"{place} must be an object with {', '.join(FIELDS)} and nothing else")
    for field, value in record.items():
        if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
            raise RejectedError(f"{place}: {field} must be a text of at most {MOST_CHARACTERS} characters")
    check_record(record, place)
    return record


def check_record(record: Record, place: str) -> None:
    """See that category, instruction and output go together."""
    category, output = record["category"], record["output"]
    if category not in INSTRUCTIONS:
        raise RejectedError(
            f"{place}: the category {category[:SHOWN]!r} is none of {', '.join(INSTRUCTIONS)}"
        )
    if record["instruction"] != INSTRUCTIONS[category]:
        raise RejectedError(f"{place}: the instruction for {category} must be {INSTRUCTIONS[category]!r}")
    if category == "population":
        if not COUNT.fullmatch(output):
            raise RejectedError(f"{place}: {output[:SHOWN]!r} is not a whole number of at most 9 digits")
    elif not DEGREES.fullmatch(output) or abs(float(output)) > LIMITS[category]:
        raise RejectedError(
            f"{place}: {output[:SHOWN]!r} is not a {category} in degrees with two decimals, such as -7.05"
        )
