"""Reading a web page, inside the sandbox of `program`, which imports this by its bare name."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

MOST_LINKS = 2_000
MOST_TEXT = 2_000_000
LONGEST = 160


def read_html(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the readable text of a page, its title and its links."""
    import trafilatura  # noqa: PLC0415 - each kind has its own library

    with open(path, "rb") as file:  # noqa: PTH123 - a string from the command line
        content = file.read()
    url = str(options.get("url", ""))
    text = trafilatura.extract(
        content, include_comments=False, include_tables=True, favor_recall=True, url=url or None
    )
    anchors = Anchors(url)
    anchors.feed(content.decode("utf-8", "replace"))
    shown = text or "\n".join(anchors.words)
    return {"text": shown[:MOST_TEXT], "pages": None, "title": anchors.title, "links": anchors.links}


class Anchors(HTMLParser):
    """Collects title, links and words of a page.

    Args:
        url: Where the page came from.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.title = ""
        self.links: list[dict[str, str]] = []
        self.words: list[str] = []
        self._url = url
        self._silent = 0
        self._in_title = False
        self._open: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a title, a link, or what is no text."""
        if tag in {"script", "style", "noscript"}:
            self._silent += 1
        elif tag == "title":
            self._in_title = True
        elif tag == "a" and (target := dict(attrs).get("href")):
            self._open = (absolute(self._url, target), [])

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        if tag in {"script", "style", "noscript"}:
            self._silent = max(0, self._silent - 1)
        elif tag == "title":
            self._in_title = False
        elif tag == "a" and self._open is not None:
            url, words = self._open
            self._open = None
            if url.startswith(("http://", "https://")) and len(self.links) < MOST_LINKS:
                self.links.append({"text": " ".join(words)[:LONGEST], "url": url})

    def handle_data(self, data: str) -> None:
        """Take words."""
        words = " ".join(data.split())
        if not words or self._silent:
            return
        if self._in_title:
            self.title = f"{self.title} {words}".strip()[:LONGEST]
            return
        self.words.append(words)
        if self._open is not None:
            self._open[1].append(words)


def absolute(page: str, target: str) -> str:
    """Return where a link leads, without the part that names a place in the page."""
    try:
        return urldefrag(urljoin(page, target)).url
    except ValueError:
        return ""
