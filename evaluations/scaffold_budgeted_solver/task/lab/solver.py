"""A weak solver, simulated: it answers questions on a table that it half remembers. No model is behind it.

A question names a wine and a few properties, and asks where one arrives who goes to the wine with the next
higher value of the first property, from there to the one with the next higher value of the second, and so on.
After the highest value comes the lowest. The solver gets each step right with a probability of its own, and
goes on from wherever it is, so that the errors of long questions add up. Where it errs it often errs in the
same way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

SKILL = {
    "alcohol": 2.1,
    "malic acid": 0.6,
    "ash": -0.1,
    "alkalinity": 0.9,
    "magnesium": 1.7,
    "phenols": 0.3,
    "flavonoids": 1.2,
    "colour": 2.0,
    "hue": 1.0,
    "proline": 1.5,
}
"""Log odds of a right step by property."""

GAP, SPREAD, HASTE = 0.5, 1.2, 0.5
LURE_FROM, LURE_TO = 0.5, 1.0
SLIP = 6
SPLIT_ERROR = 0.03
ACCEPT_RIGHT, ACCEPT_LURE, ACCEPT_WRONG = 2.2, -1.4, -2.2
TIRE, VERIFIER_SPREAD = 0.45, 0.6

_OPENING, _THEN, _ENDING = ", go to the next higher ", ", then to the next higher ", ". Which wine is it?"
_QUESTION = re.compile(
    r"From the wine (\w{1,20}), go to the next higher ([a-z, ]{1,400})\. Which wine is it\?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a question asks: a wine to start at, and properties to climb by."""

    start: str
    steps: tuple[str, ...]

    def spell(self) -> str:
        """Return the text of the question."""
        return f"From the wine {self.start}{_OPENING}{_THEN.join(self.steps)}{_ENDING}"


def read_chain(text: str) -> Chain | None:
    """Return what a text asks, or None if it is no such question."""
    found = _QUESTION.fullmatch(text)
    if found is None:
        return None
    steps = tuple(found[2].split(_THEN))
    return Chain(start=found[1], steps=steps) if set(steps) <= set(SKILL) else None


class Table:
    """The wines in the order of each property."""

    def __init__(self, rows: Mapping[str, Mapping[str, float]]) -> None:
        self._orders = {
            step: sorted(rows, key=lambda name, step=step: rows[name][step])  # type: ignore[misc]
            for step in SKILL
        }
        self._places = {
            step: {name: place for place, name in enumerate(order)} for step, order in self._orders.items()
        }
        self._crowding = {step: _crowd([rows[name][step] for name in self._orders[step]]) for step in SKILL}

    def __contains__(self, name: str) -> bool:
        return name in self._places["hue"]

    def climb(self, name: str, step: str, by: int = 1) -> str:
        """Return the wine that is so many places above."""
        order = self._orders[step]
        return order[(self._places[step][name] + by) % len(order)]

    def isolation(self, name: str, step: str) -> float:
        """Return how far apart the wines above are, -2 to 2."""
        return self._crowding[step][self._places[step][name]]

    def walk(self, chain: Chain) -> str:
        """Return the right answer."""
        name = chain.start
        for step in chain.steps:
            name = self.climb(name, step)
        return name


def _crowd(values: Sequence[float]) -> list[float]:
    """Return the logarithm of the gap above the next value, over the usual gap."""
    count = len(values)
    gaps = [abs(values[(i + 2) % count] - values[(i + 1) % count]) for i in range(count)]
    usual = sorted(gaps)[count // 2] or 1.0
    return [max(-2.0, min(2.0, math.log(max(gap, 1e-9) / usual))) for gap in gaps]


class Solver:
    """The simulated solver and its verifier on one table, with chances that depend on the seed alone."""

    def __init__(self, table: Table, seed: str) -> None:
        self._table = table
        self._seed = seed

    def ask(self, text: str, chance: str) -> str | None:
        """Return an answer, or None to what is no question on the table."""
        chain = read_chain(text)
        if chain is None or chain.start not in self._table:
            return None
        name = chain.start
        haste = HASTE * (len(chain.steps) - 1)
        for number, step in enumerate(chain.steps):
            name = self._step(name, step, haste, f"ask|{text}|{number}|{chance}")
        return name

    def _step(self, name: str, step: str, haste: float, chance: str) -> str:
        habit = self._uniform(f"habit|{name}|{step}")
        ease = SKILL[step] + GAP * self._table.isolation(name, step) + SPREAD * _normal(habit)
        first, second, third, _ = self._uniform(chance)
        if first < _sigmoid(ease - haste):
            return self._table.climb(name, step)
        if second < LURE_FROM + (LURE_TO - LURE_FROM) * habit[0]:
            return self._table.climb(name, step, self._lure(name, step))
        slip = 1 + int(third * 2 * SLIP)
        return self._table.climb(name, step, slip + 2 if slip <= SLIP else SLIP - slip - 1)

    def _lure(self, name: str, step: str) -> int:
        """Return where the solver goes by habit when it errs: a place below, or two above."""
        return -1 if self._uniform(f"lure|{name}|{step}")[0] < 1 / 2 else 2

    def verify(self, text: str, answer: object, chance: str) -> bool | None:
        """Return whether the solver finds an answer right, or None to what is no question on the table."""
        chain = read_chain(text)
        if chain is None or chain.start not in self._table or not isinstance(answer, str):
            return None
        tired = TIRE * (len(chain.steps) - 1)
        if answer == self._table.walk(chain):
            leaning = ACCEPT_RIGHT - tired
        elif len(chain.steps) == 1 and self._is_lure(chain, answer):
            leaning = ACCEPT_LURE
        else:
            leaning = ACCEPT_WRONG + tired
        leaning += VERIFIER_SPREAD * _normal(self._uniform(f"view|{text}|{answer[:40]}"))
        return self._uniform(f"verify|{text}|{answer[:40]}|{chance}")[0] < _sigmoid(leaning)

    def _is_lure(self, chain: Chain, answer: str) -> bool:
        step = chain.steps[0]
        return answer == self._table.climb(chain.start, step, self._lure(chain.start, step))

    def split(self, text: str, chance: str) -> list[str] | None:
        """Return questions of one step each; #1 stands for the answer to the first, and so on."""
        chain = read_chain(text)
        if chain is None:
            return None
        parts = []
        for number, right in enumerate(chain.steps):
            first, second, *_ = self._uniform(f"split|{text}|{number}|{chance}")
            step = list(SKILL)[int(second * len(SKILL))] if first < SPLIT_ERROR else right
            parts.append(Chain(start=f"#{number}" if number else chain.start, steps=(step,)).spell())
        return parts

    def _uniform(self, text: str) -> tuple[float, float, float, float]:
        """Return four numbers from 0 to 1 that belong to a text."""
        digest = blake2b(f"{self._seed}|{text}".encode("utf-8", "replace"), digest_size=16).digest()
        first, second, third, fourth = (int.from_bytes(digest[i : i + 4]) / 2**32 for i in range(0, 16, 4))
        return first, second, third, fourth


def _normal(uniform: Sequence[float]) -> float:
    """Return a number that is roughly normal, of variance 1."""
    return (sum(uniform) - 2) * math.sqrt(3)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
