"""What checks find, and how thoroughly they look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]

NOT_LOADED = "the task cannot be loaded"  # why a rule says nothing of a task that the harness would refuse


class NotCheckedError(Exception):
    """A rule says nothing of a task; the text says why.

    Raised where something that the rule needs is broken, which another rule reports, or not installed.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where a task breaks a rule.

    Attributes:
        message: What is wrong there, in one line.
        file: Path below the benchmark's root, with ``/``; ``""`` for the task as a whole.
        line: Line in the file, from 1, where there is one.
        remedy: What to do about it, where the rule's own advice is too general.
        severity: How bad it is, where it differs from the rule's.
    """

    message: str
    file: str = ""
    line: int | None = None
    remedy: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How thoroughly to check.

    Attributes:
        attack: Whether to try submissions that nobody should be paid for.
        environment: Whether to install what tasks require and run their tests.
        repeat: How often oracle, baseline and nop are run; 0 leaves them out.
        sandbox: Name of the sandbox for evaluators and agents.
    """

    attack: bool = False
    environment: bool = True
    repeat: int = 0
    sandbox: str = "bubblewrap"
