"""Make the data of this task from the table of wines in the package scikit-learn.

Needs scikit-learn 1.9.1, unpacked or installed. Run it from the root of the repository:
``python evaluations/scaffold_budgeted_solver/data/make_data.py .../sklearn/datasets/data/wine_data.csv``.
The same seed gives the same files.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

SEED = 20240806
TASK = "scaffold_budgeted_solver"
COLUMNS = {
    "alcohol": 0,
    "malic acid": 1,
    "ash": 2,
    "alkalinity": 3,
    "magnesium": 4,
    "phenols": 5,
    "flavonoids": 6,
    "colour": 9,
    "hue": 10,
    "proline": 12,
}
DEV_WINES = 88
QUESTIONS = 400
LENGTHS = (1, 2, 2, 3, 3, 4)
JITTER = 0.01
OPENING, THEN = ", go to the next higher ", ", then to the next higher "

Wines = dict[str, dict[str, float]]
Question = tuple[str, str]
"""Text and answer."""


def read_rows(path: Path) -> list[list[float]]:
    """Return the measurements of the wines, without their classes."""
    return [[float(cell) for cell in line.split(",")[:-1]] for line in path.read_text().splitlines()[1:]]


def make_names(count: int, draw: random.Random) -> list[str]:
    """Return names that are those of no wine."""
    names: set[str] = set()
    while len(names) < count:
        names.add("".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(3)).title())
    return sorted(names, key=lambda _: draw.random())


def name_wines(rows: list[list[float]], names: list[str], draw: random.Random) -> Wines:
    """Return the wines by new names, with measurements moved a little, so that no two are the same."""
    return {
        name: {step: round(row[at] * draw.gauss(1, JITTER), 5) for step, at in COLUMNS.items()}
        for name, row in zip(names, rows, strict=True)
    }


def ask(wines: Wines, draw: random.Random) -> list[Question]:
    """Return different questions whose answer is not the wine they start at."""
    orders = {step: sorted(wines, key=lambda name, step=step: wines[name][step]) for step in COLUMNS}
    questions: dict[str, str] = {}
    while len(questions) < QUESTIONS:
        steps = draw.sample(list(COLUMNS), draw.choice(LENGTHS))
        start = name = draw.choice(list(wines))
        for step in steps:
            order = orders[step]
            name = order[(order.index(name) + 1) % len(order)]
        if name != start:
            text = f"From the wine {start}{OPENING}{THEN.join(steps)}. Which wine is it?"
            questions[text] = name
    return list(questions.items())


def write_table(path: Path, wines: Wines) -> None:
    """Write the wines with their measurements."""
    lines = [",".join(["wine", *COLUMNS])]
    lines += [",".join([name, *map(str, row.values())]) for name, row in wines.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_questions(path: Path, prefix: str, questions: list[Question]) -> None:
    """Write the questions with their answers."""
    lines = ["id\tquestion\tanswer"]
    lines += [f"{prefix}{i:03}\t{text}\t{answer}" for i, (text, answer) in enumerate(questions)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Write the development half and the hidden one."""
    draw = random.Random(SEED)  # noqa: S311 - data, not secrets
    rows = read_rows(Path(sys.argv[1]))
    draw.shuffle(rows)
    names = make_names(len(rows), draw)
    halves = {
        "dev": (Path("gym") / TASK / "data/datasets", slice(0, DEV_WINES)),
        "hidden": (Path("evaluations") / TASK / "data/references", slice(DEV_WINES, None)),
    }
    for half, (folder, part) in halves.items():
        folder.mkdir(parents=True, exist_ok=True)
        wines = name_wines(rows[part], names[part], draw)
        write_table(folder / f"{half}_wines.csv", wines)
        write_questions(folder / f"{half}_questions.tsv", half, ask(wines, draw))


if __name__ == "__main__":
    main()
