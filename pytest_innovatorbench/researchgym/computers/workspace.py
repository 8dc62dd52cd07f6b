"""The workspace of a local computer: layers where the machine allows it, a copy where not."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.sandbox.disk import usage
from pytest_innovatorbench.sandbox.merging import merge_into
from pytest_innovatorbench.sandbox.model import Bind, Overlay
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_innovatorbench.sandbox.model import Sandbox
    from pytest_innovatorbench.sandbox.trees import Entry

WORKSPACE = "/workspace"
ALWAYS_THERE = ("data/outputs", "data/checkpoints")
_COPY = ("cp", "-dR", "--preserve=mode,timestamps,links,xattr", "--reflink=auto")


class Workspace:
    """What an agent finds at ``/workspace`` and what it makes of it.

    Args:
        lower: What it starts from; never changed.
        folder: Private folder that keeps what is written, in ``upper`` or ``copy``.
        is_shared: Whether others than one sandbox have it, which no layer allows.
        copy: Where a copy lies, if not in the folder.

    Attributes:
        note: Why the workspace is a copy, once it is one.
    """

    def __init__(
        self, lower: Path, folder: Path, *, is_shared: bool = False, copy: Path | None = None
    ) -> None:
        self.note: str | None = None
        self.upper = folder / "upper"
        self._lower = lower
        self._work = folder / "work"
        self._copy = copy or folder / "copy"
        self._is_shared = is_shared
        self._mounting = threading.Lock()

    @property
    def writable(self) -> Path:
        """The folder that takes the writes."""
        return self._copy if self._is_shared or self._copy.exists() else self.upper

    def copied_bytes(self) -> int:
        """Return how much of what lies in ``writable`` is not of the agent's writing."""
        return usage(self._lower, sys.maxsize) if self._copy.exists() else 0

    def mount(self, sandbox: Sandbox) -> Overlay | Bind:
        """Return how to make it visible, after copying where it cannot be layered.

        Raises:
            MachineFaultError: It could not be copied.
        """
        with self._mounting:
            if not self._copy.exists():
                self.note = self._problem(sandbox)
                if self.note is None:
                    self._work.mkdir(exist_ok=True)
                    return Overlay(lower=self._lower, upper=self.upper, work=self._work, dest=WORKSPACE)
                self._make_copy()
            return Bind(source=self._copy, dest=WORKSPACE, writable=True)

    def tree(self) -> Path:
        """Return the folder that takes the writes, made where there is none yet."""
        with self._mounting:
            if self._is_shared and not self._copy.exists():
                copy_tree(self._lower, self._copy)
            self.writable.mkdir(exist_ok=True)
            return self.writable

    def _make_copy(self) -> None:
        """Copy what the agent would see: a layer from elsewhere may have been laid out here."""
        if not any(files for _, _, files in os.walk(self.upper)):
            copy_tree(self._lower, self._copy)
            return
        unfinished = self._copy.with_name("merged.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            merge_into([self.upper, self._lower], unfinished)
        except OSError as error:
            raise MachineFaultError("the workspace could not be copied", detail=str(error)) from None
        _complete(unfinished)
        unfinished.rename(self._copy)

    def _problem(self, sandbox: Sandbox) -> str | None:
        """Return why it cannot be layered, if it cannot."""
        if self._is_shared:
            if self.upper.exists():
                raise MachineFaultError("what one computer left as a layer cannot be shared by several")
            return "it is shared"
        _complete(self.upper)
        return sandbox.overlay_problem(self._lower, self.upper)

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of the workspace as the agent would see it."""
        layers = [self._copy] if self._copy.exists() else [self.upper, self._lower]
        return walk_layers(layers, below)

    def tidy(self) -> None:
        """Remove what the kernel needed, once nothing runs."""
        with contextlib.suppress(OSError):
            (self._work / "work").rmdir()
            self._work.rmdir()


def copy_tree(lower: Path, place: Path) -> None:
    """Copy a start state; a copy that was cut short is not taken for a whole one.

    Raises:
        MachineFaultError: It could not be copied.
    """
    unfinished = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    done = subprocess.run(
        [*_COPY, f"{lower}/.", str(unfinished)], capture_output=True, check=False, text=True
    )
    if done.returncode:
        raise MachineFaultError("the workspace could not be copied", detail=done.stderr.strip())
    _complete(unfinished)
    unfinished.rename(place)


def _complete(root: Path) -> None:
    for folder in ALWAYS_THERE:
        (root / folder).mkdir(parents=True, exist_ok=True)
