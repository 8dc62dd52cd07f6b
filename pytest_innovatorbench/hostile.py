"""Text from strangers.

What agents and evaluators write may hold terminal escapes, text-direction marks, half a surrogate pair or
commands to a CI service. :func:`one_line` makes all of it visible and harmless; :func:`printable` leaves out
what terminals would act upon.
"""

from __future__ import annotations

import re

_ELLIPSIS = "..."
# Services that show what a program prints obey a line that begins with ::error, or holds ##[error] anywhere.
_COMMAND = re.compile(r"^:(?=:)|#(?=#\w*\[)")


def one_line(text: str, limit: int = 500) -> str:
    """Return the text as one line that is safe to show anywhere.

    Args:
        text: Anything, from anyone.
        limit: Most characters to keep.
    """
    # Cutting before the work keeps a text of a gigabyte as cheap as one of a line.
    spaced = " ".join(text[: 4 * limit].split())
    visible = spaced if spaced.isprintable() else "".join(map(_visible, spaced))
    if "::" in visible or "##" in visible:
        visible = _COMMAND.sub(lambda sign: f"\\x{ord(sign[0]):02x}", visible)
    return visible if len(visible) <= limit else visible[: limit - len(_ELLIPSIS)] + _ELLIPSIS


def printable(text: str, longest: int) -> str:
    """Return text without control characters other than line ends and tabs, cut to a length."""
    kept = "".join(char for char in text[: 2 * longest] if char.isprintable() or char in "\n\t")
    return kept if len(kept) <= longest else kept[: longest - 3] + "..."


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
