"""Text from strangers.

What agents and evaluators write may hold terminal escapes, text-direction marks or half a surrogate
pair. :func:`one_line` makes all of it visible and harmless.
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


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
