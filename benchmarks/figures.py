"""What a measurement yields, and how much of it is made."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = "same run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A value to compare a figure with.

    Attributes:
        label: What it is.
        value: In the unit of the figure; the upper end where a range was published.
        source: ``"same run"``, or where it was measured.
    """

    label: str
    value: float
    source: str = HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure.

    Attributes:
        name: Its name.
        what: What was measured, in a line.
        unit: Unit of all its values.
        samples: Every repeat.
        limit: What it must not exceed; ``None`` for one that is there for comparison.
        beside: What to compare it with.
        others: Share of the cores that other work took meanwhile, 0-1.
    """

    name: str
    what: str
    unit: str
    samples: tuple[float, ...]
    limit: float | None = None
    beside: tuple[Beside, ...] = ()
    others: float = 0.0

    @property
    def value(self) -> float:
        """The median of the repeats."""
        return median(self.samples)

    @property
    def is_met(self) -> bool | None:
        """Whether the limit holds, ``None`` where there is none."""
        return None if self.limit is None else self.value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured.

    Attributes:
        pairs: Interleaved pairs of runs where small differences are looked for.
        repeats: Repeats of everything else.
        attempts: Attempts of one run.
        steps: Actions of one attempt.
        tasks: Tasks to collect.
        seeds: Seeds of each.
        sleepers: Attempts that sleep at once.
        sleep: Seconds for which they sleep.
        talkers: Attempts that wait for a model at once, which takes as long to answer.
        dataset: Bytes of the large dataset.
        small_files: Small files of a workspace.
        large_files: Bytes of its large ones.
        sessions: Sessions that are busy at once.
        printed: Bytes that a command prints.
        kept: Bytes that a session has printed when it is read.
        sent: Bytes that are sent to another computer.
        files: Small files that are.
    """

    pairs: int = 48
    repeats: int = 5
    attempts: int = 200
    steps: int = 5000
    tasks: int = 100
    seeds: int = 100
    sleepers: int = 200
    sleep: float = 2.0
    talkers: int = 100
    dataset: int = 5 * 10**9
    small_files: int = 20_000
    large_files: int = 1 << 30
    sessions: int = 100
    printed: int = 50 * 10**6
    kept: int = 10**9
    sent: int = 500 * 10**6
    files: int = 5000


def middle(samples: Sequence[float], label: str) -> Beside:
    """Return the median of samples of the same run, to stand beside a figure."""
    return Beside(label=label, value=median(samples))
