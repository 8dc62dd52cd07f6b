"""What an attempt starts from. Fresh, branched and resumed attempts differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pytest_innovatorbench.researchgym.ledger import Ledger

Kind: TypeAlias = Literal["fresh", "snapshot", "resumed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A snapshot from which a workspace is restored.

    Attributes:
        store: Folder of the store.
        snapshot: Its name.
        layer: Folder of the workspace that it was taken of, ``upper`` or ``copy``.
    """

    store: Path
    snapshot: str
    layer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A computer that an attempt had before.

    Attributes:
        name: What it is called.
        gpus: The GPUs of it that the attempt had, by number.
        is_used: Whether the agent worked on it.
    """

    name: str
    gpus: tuple[int, ...] = ()
    is_used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What an attempt starts from.

    Attributes:
        kind: Whether it starts afresh, from a snapshot, or where it left off.
        folder: The record that it goes on in, ``None`` for one of its own.
        ledger: What was spent before.
        seconds: Working time that was used up before.
        files: What its workspace is restored from; where it goes on, only if nothing lies there.
        state: What its agent goes on from, where the agent can.
        agent: The agent whose state that is.
        parent: The snapshot that it comes from.
        computers: What it had before where it goes on, in the order of what it needs.
    """

    kind: Kind = "fresh"
    folder: Path | None = None
    ledger: Ledger = field(default_factory=Ledger)
    seconds: float = 0.0
    files: Files | None = None
    state: Mapping[str, Any] | None = None
    agent: str | None = None
    parent: str | None = None
    computers: tuple[Former, ...] = ()

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on in its own record."""
        return self.kind == "resumed"


FRESH = Beginning()
