"""Pages reduced to what one reads: text by lines, and links."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.parsing.parser import Parser
    from pytest_innovatorbench.researchgym.web.fetching import Fetched

WIDTH = 160
_TEXT = ("text/", "application/json", "application/xml", "application/javascript")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of a page.

    Attributes:
        text: What it says.
        url: Where it leads.
    """

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as an agent reads it.

    Attributes:
        url: Where it came from.
        title: Its title.
        lines: Its text, in lines of readable length.
        links: Its links, in their order.
    """

    url: str
    title: str
    lines: tuple[str, ...]
    links: tuple[Link, ...] = ()


def make_page(fetched: Fetched, parser: Parser) -> Page | str:
    """Reduce what a server sent to what one reads.

    Args:
        fetched: What it sent.
        parser: Reads documents, in a sandbox.

    Returns:
        The page, or why there is none, in one line.
    """
    if fetched.kind in {"text/html", "application/xhtml+xml"}:
        return _from_html(fetched, parser)
    if fetched.kind == "application/pdf":
        found = parser.parse("pdf", fetched.content)
        return found if isinstance(found, str) else _from_text(fetched.url, found.text)
    if fetched.kind.startswith(_TEXT):
        return _from_text(fetched.url, fetched.content.decode("utf-8", "replace"))
    return f"it is of the kind {fetched.kind}, which cannot be shown"


def _from_text(url: str, text: str) -> Page:
    return Page(url=url, title=url.rstrip("/").rsplit("/", 1)[-1], lines=_wrap(text))


def _from_html(fetched: Fetched, parser: Parser) -> Page | str:
    found = parser.parse("html", fetched.content, {"url": fetched.url})
    if isinstance(found, str):
        return found
    links = tuple(Link(text=text, url=url) for text, url in found.links)
    return Page(url=fetched.url, title=found.title, lines=_wrap(found.text), links=links)


def _wrap(text: str) -> tuple[str, ...]:
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, WIDTH) or [""]
    return tuple(lines)
