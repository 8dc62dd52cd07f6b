"""Rules on waivers: a rule may be set aside, but never in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject


def _own_code(subject: Subject) -> Iterator[Finding]:
    waivers = subject.manifest.values.get("waive")
    for code in waivers if isinstance(waivers, dict) else ():
        if str(code).startswith("IB0"):
            yield Finding(
                message=f"{code} cannot be waived", file=subject.shown(subject.evaluations / "task.yaml")
            )


RULES = (
    Rule(
        code="IB001",
        name="waived-waiver",
        summary="The rules on waivers are not waived themselves.",
        why="A waiver is a reason that a reader can weigh. One that hides waivers is none.",
        remedy="remove it from waive in task.yaml",
        check=_own_code,
    ),
)
