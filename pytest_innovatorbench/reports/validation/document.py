"""What all formats are made from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import NOT_LOADED
from pytest_innovatorbench.reports.text import count_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.model import Checked, Rule
    from pytest_innovatorbench.authoring.validation import Examined


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What came of validating some tasks.

    Attributes:
        rules: The rules that were to be checked.
        tasks: The tasks, in order.
        seconds: How long it took.
        harness: Version of this package.
        folder: Where the benchmark lies in the repository that annotations are shown on, with ``/`` at
            the end; ``""`` if it is its root.
    """

    rules: Sequence[Rule]
    tasks: Sequence[Examined]
    seconds: float
    harness: str
    folder: str = ""

    @cached_property
    def counts(self) -> Counter[str]:
        """How many findings of each severity count, how many are waived, and how many rules were skipped."""
        counts: Counter[str] = Counter()
        for checked in self.checked:
            counts["skipped"] += checked.skipped is not None
            for finding in checked.findings:
                counts["waived" if checked.waived else finding.severity or "error"] += 1
        return counts

    @property
    def checked(self) -> Iterator[Checked]:
        """What came of every rule and task."""
        for task in self.tasks:
            yield from task.checked

    @property
    def found(self) -> Iterator[tuple[Checked, Finding]]:
        """Every finding, waived ones too, with what it belongs to."""
        for checked in self.checked:
            for finding in checked.findings:
                yield checked, finding

    @property
    def has_errors(self) -> bool:
        """Whether a finding counts as an error."""
        return bool(self.counts["error"])

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The tasks of which no rule says anything, or that cannot be loaded though no error says so."""
        return tuple(task.task_id for task in self.tasks if task.checked and _is_unchecked(task.checked))


def _is_unchecked(checked: Sequence[Checked]) -> bool:
    if any(one.errors for one in checked):
        return False
    reasons = [one.skipped for one in checked]
    return NOT_LOADED in reasons or None not in reasons


def summary_text(validation: Validation) -> str:
    """Return what was found, in one line."""
    if not validation.tasks:
        return "no task to validate"
    counts = validation.counts
    found = [count_text(counts[kind], kind) for kind in ("error", "warning", "note") if counts[kind]]
    parts = [", ".join(found) or "nothing found"]
    if counts["waived"]:
        parts.append(f"{counts['waived']} waived")
    if counts["skipped"]:
        parts.append(f"{count_text(counts['skipped'], 'rule')} not checked")
    if validation.unchecked:
        parts.append(f"{count_text(len(validation.unchecked), 'task')} not validated")
    return f"{count_text(len(validation.tasks), 'task')}: {'; '.join(parts)}"


def skipped_reasons(checked: Sequence[Checked]) -> dict[str, list[Rule]]:
    """Return the rules that were not checked, by the reason."""
    reasons: dict[str, list[Rule]] = {}
    for one in checked:
        if one.skipped is not None:
            reasons.setdefault(one.skipped, []).append(one.rule)
    return reasons
