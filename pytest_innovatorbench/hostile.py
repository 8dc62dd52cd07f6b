"""Text from strangers.

What agents and evaluators write may hold terminal escapes, text-direction marks or half a surrogate
pair. :func:`one_line` makes all of it visible and harmless, :func:`printable` leaves it out.
"""

from __future__ import annotations

_ELLIPSIS = "..."


def one_line(text: str, limit: int = 500) -> str:
    """Return the text as one line that is safe to show anywhere.

    Args:
        text: Anything, from anyone.
        limit: Most characters to keep.
    """
    # Cutting before the work keeps a text of a gigabyte as cheap as one of a line.
    spaced = " ".join(text[: 4 * limit].split())
    visible = spaced if spaced.isprintable() else "".join(map(_visible, spaced))
    return visible if len(visible) <= limit else visible[: limit - len(_ELLIPSIS)] + _ELLIPSIS


def printable(text: str, longest: int) -> str:
    """Return text without control characters other than line ends and tabs, cut to a length."""
    kept = "".join(char for char in text[: 2 * longest] if char.isprintable() or char in "\n\t")
    return kept if len(kept) <= longest else kept[: longest - 3] + "..."


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
