"""Confinement of processes: what they may see and use, and how they are ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import UnknownNameError
from pytest_innovatorbench.sandbox.model import Bind, Child, Jail, Limits, Overlay, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "SANDBOXES",
    "Bind",
    "Child",
    "Jail",
    "Limits",
    "Overlay",
    "Sandbox",
    "known_sandbox",
    "open_sandbox",
]


def _bubblewrap() -> Sandbox:
    from pytest_innovatorbench.sandbox.bubblewrap import open_bubblewrap  # noqa: PLC0415 - only if used

    return open_bubblewrap()


def _none() -> Sandbox:
    from pytest_innovatorbench.sandbox.none import open_none  # noqa: PLC0415 - only if used

    return open_none()


SANDBOXES: dict[str, Callable[[], Sandbox]] = {"bubblewrap": _bubblewrap, "none": _none}


def known_sandbox(name: str) -> str:
    """Return the name of a sandbox, whether it works here or not.

    Raises:
        UnknownNameError: There is no such sandbox.
    """
    if name not in SANDBOXES:
        raise UnknownNameError("sandbox", name, SANDBOXES)
    return name


def open_sandbox(name: str) -> Sandbox:
    """Return the sandbox of that name, ready for use.

    Args:
        name: ``"bubblewrap"`` or ``"none"``.

    Raises:
        UnknownNameError: There is no such sandbox.
        SandboxUnavailableError: It does not work on this machine.
    """
    return SANDBOXES[known_sandbox(name)]()
