"""HTML and SVG elements in which text is always escaped."""

from __future__ import annotations

import html
from typing import TypeAlias

from pytest_innovatorbench.hostile import one_line


class Markup(str):
    """Text that is HTML already; every other string is escaped where it enters an element."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | None"
Attribute: TypeAlias = "str | float | None"

_VOID = frozenset({"meta", "rect", "line", "circle", "polyline", "path"})


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element.

    Args:
        name: Its tag, written by us.
        children: Markup or text, in order; ``None`` leaves one out.
        attributes: By name, ``class_`` for ``class`` and ``_`` for ``-``; ``None`` leaves one out.
    """
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID and not children:
        return Markup(opening[:-1] + "/>")
    return Markup(f"{opening}{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Return the children one after the other, text escaped."""
    return Markup("".join(escaped(child) for child in children if child is not None))


def escaped(text: str) -> Markup:
    """Return text as markup that shows it; markup stays as it is."""
    return text if isinstance(text, Markup) else Markup(html.escape(one_line(text, 5000)))


def _attribute(key: str, value: Attribute) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f' {key.rstrip("_").replace("_", "-")}="{html.escape(one_line(text, 5000))}"'
