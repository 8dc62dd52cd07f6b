"""Read the development questions and the wines that they are about."""

from pathlib import Path

from lab.solver import Table

DATASETS = Path("data/datasets")
OUTPUT = Path("data/outputs/scaffold.txt")


def read_wines():
    """Return the table that the solver half remembers."""
    header, *rows = [line.split(",") for line in (DATASETS / "dev_wines.csv").read_text().splitlines()]
    return Table({name: dict(zip(header[1:], map(float, values))) for name, *values in rows})


def read_questions():
    """Return the texts of the questions by id, and their right answers by id."""
    rows = [line.split("\t") for line in (DATASETS / "dev_questions.tsv").read_text().splitlines()[1:]]
    return {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}
