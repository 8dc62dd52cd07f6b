from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_innovatorbench.sandbox import Jail, Overlay, open_sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.sandbox import Sandbox

PATH = {"PATH": "/usr/bin:/bin"}


class Run(Protocol):
    def __call__(self, jail: Jail, *argv: str) -> tuple[int, str]: ...


class MakeOverlay(Protocol):
    def __call__(self, name: str = "o") -> Overlay: ...


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return open_sandbox("bubblewrap")


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """Run a program to its end: exit status and everything it printed."""

    def run(jail: Jail, *argv: str) -> tuple[int, str]:
        return finish(sandbox, jail, argv)

    return run


@pytest.fixture
def make_overlay(tmp_path: Path) -> MakeOverlay:
    def make(name: str = "o") -> Overlay:
        folders = [tmp_path / f"{name}-{part}" for part in ("lower", "upper", "work")]
        for folder in folders:
            folder.mkdir()
        lower, upper, work = folders
        return Overlay(lower=lower, upper=upper, work=work, dest="/workspace")

    return make


def finish(sandbox: Sandbox, jail: Jail, argv: Sequence[str]) -> tuple[int, str]:
    child = sandbox.spawn(jail, argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout is not None
    with child.stdout as stdout:
        output = stdout.read()
    return child.wait(30), output.decode(errors="surrogateescape")
