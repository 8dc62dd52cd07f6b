"""Rules on the figures of Constraint: they are given, and are those of task.yaml."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.answers import MOST_HOURS
from pytest_innovatorbench.authoring.checks.description_sections import finding, section_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.manifest_lines import line_of_key
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.tasks.limits import find_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.tasks.description import Section
    from pytest_innovatorbench.tasks.limits import Stated

_HOUR, _MINUTE = 3600.0, 60.0
_CLOSE = 0.005  # of the value: people round


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """A figure of Constraint.

    Attributes:
        name: What it is called.
        kind: Its name among limits.
        key: Where it stands in task.yaml.
        unit: Of how many of its units task.yaml counts.
        example: How to write it.
        default: What task.yaml means where it says nothing; ``None`` for what the description says.
    """

    name: str
    kind: str
    key: str
    unit: float = 1.0
    example: str = ""
    default: float | None = None

    def stated(self, subject: Subject) -> float | None:
        """Return what task.yaml says, if that is a number."""
        value: object = subject.manifest.values
        for part in self.key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value * self.unit
        return self.default

    def text(self, value: float) -> str:
        """Return a value of it as people write it."""
        if self.kind == "gpus":
            return "no GPU" if not value else f"{value:g} GPU{'' if value == 1 else 's'}"
        return f"{value:g} GB" if self.kind == "gpu_memory_gb" else _duration(value)


_TRAINING = _Figure(
    name="training-time limit",
    kind="training_seconds",
    key="limits.training_hours",
    unit=_HOUR,
    example="Training-time limit: 8 hours",
)
_EVALUATION = _Figure(
    name="evaluation-time limit",
    kind="evaluation_seconds",
    key="limits.evaluation_seconds",
    example="Evaluation-time limit: 10 minutes",
)
_WANTED = (
    _TRAINING,
    _EVALUATION,
    _Figure(
        name="number of GPUs", kind="gpus", key="resources.gpus", example="Number of GPUs: 8", default=0.0
    ),
    _Figure(
        name="memory of each GPU",
        kind="gpu_memory_gb",
        key="resources.gpu_memory_gb",
        example="Memory of each GPU: 80 GB",
        default=0.0,
    ),
)
_WORKING = _Figure(name="working-time limit", kind="working_seconds", key="limits.working_hours", unit=_HOUR)


@lru_cache(maxsize=8)
def _limits(section: Section) -> dict[str, Stated]:
    return find_limits(section.numbered)


def _given(subject: Subject) -> Iterator[Finding]:
    section = section_of(subject, "constraint")
    limits = _limits(section)
    for figure in _WANTED:
        if figure.kind not in limits:
            remedy = f"write it with its unit, such as '{figure.example}'"
            yield finding(subject, section.line, f"Constraint gives no {figure.name}", remedy)


def _equal(subject: Subject) -> Iterator[Finding]:
    limits = _limits(section_of(subject, "constraint"))
    if not subject.manifest.values:
        raise NotCheckedError("there is no task.yaml that can be used")
    for figure in (*_WANTED, _WORKING):
        there, here = limits.get(figure.kind), figure.stated(subject)
        if there is None or here is None or _is_moot(figure, limits):
            continue
        if not math.isclose(there.value, here, rel_tol=_CLOSE, abs_tol=1e-9):
            message = (
                f"the {figure.name} is {figure.text(there.value)} here and {figure.text(here)} in task.yaml "
                f"({figure.key})"
            )
            yield finding(subject, there.line, message)


def _is_moot(figure: _Figure, limits: dict[str, Stated]) -> bool:
    """Whether a figure is about GPUs that there are not, as the description says."""
    if figure.kind != "gpu_memory_gb" or "gpus" not in limits:
        return False
    return not limits["gpus"].value and not limits["gpu_memory_gb"].value


def _full_run(subject: Subject) -> Iterator[Finding]:
    limits = _limits(section_of(subject, "constraint"))
    known = [_seconds(subject, figure, limits) for figure in (_TRAINING, _EVALUATION)]
    total = sum(seconds for seconds in known if seconds is not None)
    if known == [None, None]:
        raise NotCheckedError("neither training nor evaluation time is given")
    if total > MOST_HOURS * _HOUR * (1 + 1e-9):
        message = f"training and evaluation take {_duration(total)} together, more than {MOST_HOURS}"
        if _TRAINING.kind in limits:
            yield finding(subject, limits[_TRAINING.kind].line, message)
            return
        file = subject.evaluations / "task.yaml"
        line = line_of_key(subject.read_text(file) or "", _TRAINING.key)
        yield Finding(message=message, file=subject.shown(file), line=line)


def _seconds(subject: Subject, figure: _Figure, limits: dict[str, Stated]) -> float | None:
    there, here = limits.get(figure.kind), figure.stated(subject)
    return here if here is not None else there and there.value


def _duration(seconds: float) -> str:
    if math.isinf(seconds):
        return "unlimited"
    unit, name = next(
        ((unit, name) for unit, name in ((_HOUR, "hour"), (_MINUTE, "minute")) if seconds >= unit),
        (1.0, "second"),
    )
    number = f"{round(seconds / unit, 3):g}"
    return f"{number} {name}{'' if number == '1' else 's'}"


RULES = (
    Rule(
        code="IB203",
        name="limits-given",
        summary="Constraint gives training-time and evaluation-time limit, number and memory of GPUs.",
        why="What is possible depends on these four. They may stand in sentences, lists and tables.",
        remedy="write the figure with its unit",
        check=_given,
    ),
    Rule(
        code="IB204",
        name="limits-agree",
        summary="The figures in Constraint are those of task.yaml.",
        why="Agents plan by the description, and the harness acts by task.yaml.",
        remedy="make the two the same",
        check=_equal,
    ),
    Rule(
        code="IB205",
        name="full-run",
        summary=f"Training and evaluation take at most {MOST_HOURS} hours together.",
        why="An agent should see the outcome of more than one idea within the time that it has.",
        remedy="lower the limits, and make the task smaller until it fits",
        check=_full_run,
    ),
)
