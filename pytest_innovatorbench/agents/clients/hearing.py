"""What a vendor's program prints, line by line, as far as a record can take it."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from pytest_innovatorbench.agents.models.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_innovatorbench.researchgym.gym import ResearchGym

    Heard = Callable[[dict[str, Any]], None]

_LONGEST_LINE = 1_000_000
_LONGEST_TEXT = 200_000
_MOST = 500_000_000  # bytes of one attempt; a program that says more is not doing research


def listen(stream: IO[bytes], gym: ResearchGym, heard: Heard) -> str:
    """Take note of each line until the program closes its end, and return the last one.

    Args:
        stream: What it prints.
        gym: The environment, whose record takes what is no JSON.
        heard: Takes each line that is a JSON object.
    """
    last, left = "", _MOST
    for line in _lines(stream):
        left -= len(line)
        text = line.decode(errors="replace").strip()
        last = text or last
        if left > 0:
            _note(line, text, gym, heard)
    if left <= 0:
        gym.note("client", said=f"It said more than {_MOST:,} bytes; the rest is left out.")
    return last


def _note(line: bytes, text: str, gym: ResearchGym, heard: Heard) -> None:
    try:
        event = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, dict):
        heard(event)
    elif text:
        gym.note("client", said=redact(text)[:_LONGEST_TEXT])


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines, of those that are too long the beginning."""
    while line := stream.readline(_LONGEST_LINE):
        yield line
        while line and not line.endswith(b"\n"):
            line = stream.readline(_LONGEST_LINE)
