"""Reading what an agent wrote, which may be anything."""

from __future__ import annotations

import math
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1_000_000
MOST_DIGITS = 40


class RejectedError(ValueError):
    """The submission can't be scored; the message is for the agent."""


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file in ``data/outputs``.

    Args:
        path: The file.
        most_bytes: The largest size that is read.

    Raises:
        RejectedError: It is missing, no plain file, too large or no UTF-8.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise RejectedError(f"{path.name} is not a regular file")
        if status.st_size > most_bytes:
            raise RejectedError(f"{path.name} has {status.st_size} bytes; at most {most_bytes} are read")
        return path.read_bytes().decode("utf-8")
    except OSError:
        raise RejectedError(f"data/outputs/{path.name} is missing or can't be read") from None
    except UnicodeDecodeError:
        raise RejectedError(f"{path.name} is not UTF-8 text") from None


def read_lines(path: Path, header: str | None = None, most_bytes: int = MOST_BYTES) -> list[str]:
    """Return the lines of a file in ``data/outputs``, below its header if it has one.

    Args:
        path: The file.
        header: What its first line must be.
        most_bytes: The largest size that is read.

    Raises:
        RejectedError: See `read_text`; or the header is another.
    """
    lines = read_text(path, most_bytes).replace("\r\n", "\n").rstrip("\n").split("\n")
    if header is None:
        return lines if any(map(str.strip, lines)) else []
    if lines[0] != header:
        raise RejectedError(f"the first line of {path.name} must be {header!r}")
    return lines[1:]


def parse_number(text: str, place: str, largest: float = math.inf) -> float:
    """Return a finite number.

    Args:
        text: What stands there, of at most 40 characters.
        place: Where it stands, for the message.
        largest: Its largest size.

    Raises:
        RejectedError: It is none, or too large.
    """
    try:
        number = float(text) if len(text) <= MOST_DIGITS else math.nan
    except ValueError:
        number = math.nan
    if math.isfinite(number) and abs(number) <= largest:
        return number
    wanted = "finite number" if largest == math.inf else f"number from {-largest:g} to {largest:g}"
    raise RejectedError(f"{place}: {text[:MOST_DIGITS]!r} is not a {wanted}")
