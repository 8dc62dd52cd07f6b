"""One way to break a good task, and the code that sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pytest_innovatorbench.authoring.findings import Options
from tests.unit.authoring.good import Good


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One way to break a good task.

    Attributes:
        code: Code of the rule that it breaks.
        change: Breaks the task.
        said: How the message of the rule's first finding begins.
        options: How thoroughly to check, for the rule to see it.
        companions: Other codes with errors that cannot be avoided, and why.
    """

    code: str
    change: Callable[[Good], None]
    said: str
    options: Options = field(default_factory=Options)
    companions: Mapping[str, str] = field(default_factory=dict)
