"""Tune a scaffold on the development questions: least-to-most, with votes and checks until one answer leads.

A question is split into its steps (least-to-most, Zhou et al. 2022). Each is asked again and again, and what leads
is checked, until it leads by enough (adaptive-consistency, Aggarwal et al. 2023). How much is enough, what a check
counts beside a vote, and how long a question may be to be worth splitting depends on the budget (Snell et al. 2024)
and is searched for at random.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

sys.path.insert(0, "task/repositories/scaffold_lab")

from dev import BUDGETS, rate
from lab.language import parse
from tables import OUTPUT, read_questions

TRIALS = 16
LUCKS = 2
Plan = dict[str, float]


def draw_plan(draw: random.Random) -> Plan:
    """Return settings for one budget."""
    return {
        "yes": round(draw.uniform(1.8, 2.8), 1),
        "no": -round(draw.uniform(1.5, 2.8), 1),
        "enough": round(draw.uniform(1.8, 5.0), 1),
        "checks": draw.choice([2, 3]),
        "stretch": round(draw.uniform(1.6, 3.6), 1),
        "longest": draw.choice([2, 3, 4]),
    }


def spell(lean: Plan, rich: Plan) -> str:
    """Return the scaffold with two plans."""
    template = Path(__file__).with_name("scaffold.txt").read_text("utf-8")
    return f"LEAN = {lean}\nRICH = {rich}\n\n\n{template}"


def tune(calls: int, seed: int) -> Plan:
    """Return the best of random plans for a budget."""
    questions, answers = read_questions()
    draw = random.Random(1000 * seed + calls)

    def accuracy(plan: Plan) -> int:
        scaffold = parse(spell(plan, plan))
        lucks = (f"tune{seed}-{luck}" for luck in range(LUCKS))
        return sum(sum(rate(scaffold, luck, calls, questions, answers)[1]) for luck in lucks)

    return max((draw_plan(draw) for _ in range(TRIALS)), key=accuracy)


def main() -> None:
    """Write the submission."""
    seed = int(os.environ.get("IBENCH_SEED", "0"))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(spell(*(tune(calls, seed) for calls in BUDGETS)), "utf-8")


if __name__ == "__main__":
    main()
