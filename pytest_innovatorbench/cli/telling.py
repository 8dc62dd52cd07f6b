"""``ibench tell``: a word to an agent at work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def tell_agent(
    attempt: Annotated[Path, typer.Argument(help="RUN/attempts/ATTEMPT, which goes on.")],
    text: Annotated[str, typer.Argument(help="What the agent is to know or to do.")],
) -> None:
    """Say something to the agent of an attempt, which reads it before its next step; a sleep ends for it."""
    from pytest_innovatorbench.runs.ear import tell  # noqa: PLC0415

    tell(attempt, text)
    typer.echo("told: the event heard in events.jsonl will say that the agent was given it")
