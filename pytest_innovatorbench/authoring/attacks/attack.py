"""Attacks as values: drafts of what to submit, and the folders they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from pytest_innovatorbench.authoring.tables import Table

# What a file is replaced by; nothing removes it.
Content: TypeAlias = bytes | Table | None
Base: TypeAlias = Literal["reference", "baseline", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A submission before it is written.

    Attributes:
        name: What it does, in a few words, as findings say it.
        files: Path below the outputs -> what is there instead.
        of: The file of the reference submission that it spoils; ``""`` for all of them.
        base: What it leaves as it is.
        share: How much of the reference submission's work is in it, 0-1.
        together: Drafts with the same text here count as one, which earned what the least of them did.
        token: What is printed where its code runs.
        finish: Adds to the folder what is no regular file.
    """

    name: str
    files: Mapping[str, Content] = field(default_factory=dict)
    of: str = ""
    base: Base = "reference"
    share: float = 0.0
    together: str = ""
    token: str = ""
    finish: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A submission that nobody should be paid for, ready to be evaluated.

    Attributes:
        code: The rule that it stands for, such as ``"IB601"``.
        name: What it does, in a few words.
        folder: Its outputs; ``None`` where it could not be made.
        reason: Why it could not.
        draft: What it was made from.
    """

    code: str
    name: str
    folder: Path | None
    reason: str | None = None
    draft: Draft | None = field(default=None, repr=False, compare=False)
