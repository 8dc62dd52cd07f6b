# TEMPLATE: make your own data, or remove this file
"""Make the data of this task again: python evaluations/{{ cookiecutter.task_name }}/data/make_data.py"""

from __future__ import annotations

import math
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HIDDEN = ROOT / "evaluations" / {{ "%r" | format(cookiecutter.task_name) }} / "data" / "references"
SHOWN = ROOT / "gym" / {{ "%r" | format(cookiecutter.task_name) }} / "data" / "datasets"

NOISE = 0.3


def truth(x: float) -> float:
    return math.sin(2 * math.pi * x) + math.cos(5 * math.pi * x) / 2


def write(file: Path, header: str, rows: list[str]) -> None:
    file.write_text("\n".join([header, *rows]) + "\n")


def main() -> None:
    chance = random.Random(0)
    train = [round(chance.random(), 4) for _ in range(100)]
    test = [round(chance.random(), 4) for _ in range(50)]
    noisy = [f"{x},{truth(x) + chance.gauss(0, NOISE):.4f}" for x in train]
    write(SHOWN / "train.csv", "x,y", noisy)
    write(SHOWN / "test.csv", "id,x", [f"t{number:02},{x}" for number, x in enumerate(test)])
    write(HIDDEN / "truth.csv", "id,y", [f"t{number:02},{truth(x):.4f}" for number, x in enumerate(test)])


if __name__ == "__main__":
    main()
