"""Records of the dataset, and the file that is submitted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

OUTPUTS = Path("data/outputs")
MOST = 1200
INSTRUCTIONS = {
    "population": "State the population of the place.",
    "latitude": "State the latitude of the place in degrees.",
    "longitude": "State the longitude of the place in degrees.",
}


@dataclass(frozen=True)
class Record:
    """A fact to train on.

    Attributes:
        source: Id of an entry that asks for this fact.
        category: A key of INSTRUCTIONS.
        place: Name of the place.
        country: Name of its country, as in countries.tsv.
        output: The answer: a whole number, or degrees with two decimals, negative in the south and west.
    """

    source: str
    category: str
    place: str
    country: str
    output: str


def write_dataset(records: list[Record], folder: Path = OUTPUTS) -> None:
    """Write dataset.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for record in records:
        fields = asdict(record)
        place, country = fields.pop("place"), fields.pop("country")
        fields |= {"instruction": INSTRUCTIONS[record.category], "input": f"{place}, {country}"}
        lines.append(json.dumps(fields, ensure_ascii=False) + "\n")
    (folder / "dataset.jsonl").write_text("".join(lines), "utf-8")
