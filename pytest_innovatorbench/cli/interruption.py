"""Ending a command in order when it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

_SIGNALLED = 128


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Let what runs clear up after Ctrl-C, SIGTERM or SIGHUP, and end with 128 and the signal's number."""
    from pytest_innovatorbench.authoring.interrupts import Interrupted, interruptible  # noqa: PLC0415

    try:
        with interruptible():
            yield
    except Interrupted as stop:
        typer.echo("ibench: interrupted", err=True)
        raise typer.Exit(_SIGNALLED + stop.number) from None
