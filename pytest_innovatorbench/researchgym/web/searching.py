"""Searching: by an engine of the web, or in documents of the task's own."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pytest_innovatorbench.researchgym.web.policy import RefusedError

MOST_RESULTS = 100
MOST_WORDS = 64
SECONDS = 30.0
LARGEST_DOCUMENT = 5 << 20
CORPUS = "corpus://"
_ENDINGS = {".txt", ".md", ".rst", ".tex", ".html", ".htm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A page that was found.

    Attributes:
        title: Its title.
        url: Its address.
        snippet: A few words of it.
    """

    title: str
    url: str
    snippet: str


class SearchEngine(Protocol):
    """Finds pages."""

    def search(self, query: str, count: int) -> Sequence[Result]:
        """Return the best pages, best first.

        Raises:
            RefusedError: There is no answer; the text says why, for the agent.
        """


class Corpus:
    """Documents in a folder, searched by words with SQLite's index.

    Args:
        folder: The folder. Its documents are read when the first search comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index: sqlite3.Connection | None = None

    def search(self, query: str, count: int) -> Sequence[Result]:
        """Return the documents that have most to do with the words of a query."""
        words = "".join(c if c.isalnum() else " " for c in query).split()[:MOST_WORDS]
        if not words:
            raise RefusedError("search for at least one word")
        rows = self._open().execute(
            "SELECT path, title, snippet(pages, 2, '', '', ' ... ', 30) FROM pages WHERE pages MATCH ? "
            "ORDER BY rank LIMIT ?",
            (" OR ".join(f'"{word}"' for word in words), count),
        )
        return [Result(title=title, url=f"{CORPUS}{path}", snippet=snippet) for path, title, snippet in rows]

    def read(self, url: str) -> tuple[str, bytes]:
        """Return the name and content of a document.

        Raises:
            RefusedError: There is none of that address.
        """
        root = self._folder.resolve()
        try:
            file = (root / url.removeprefix(CORPUS)).resolve()
            if file.is_relative_to(root) and file.is_file():
                return file.name, file.read_bytes()[:LARGEST_DOCUMENT]
        except (OSError, ValueError):
            pass  # no name of a file, or too long for one
        raise RefusedError(f"there is no {url[:200]}; web_search lists what there is")

    def _open(self) -> sqlite3.Connection:
        if self._index is None:
            self._index = sqlite3.connect(":memory:", check_same_thread=False)
            self._index.execute("CREATE VIRTUAL TABLE pages USING fts5(path UNINDEXED, title, text)")
            self._index.executemany("INSERT INTO pages VALUES (?, ?, ?)", self._documents())
        return self._index

    def _documents(self) -> list[tuple[str, str, str]]:
        root = self._folder.resolve()
        files = sorted(file for file in root.rglob("*") if file.suffix.lower() in _ENDINGS and file.is_file())
        return [_document(root, file) for file in files if file.resolve().is_relative_to(root)]


def _document(root: Path, file: Path) -> tuple[str, str, str]:
    text = file.read_bytes()[:LARGEST_DOCUMENT].decode("utf-8", "replace")
    title = next((line.strip("# ").strip() for line in text.splitlines() if line.strip()), file.name)
    return file.relative_to(root).as_posix(), title[:200], text


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine of the web that answers with JSON.

    Attributes:
        name: Its name.
        key: The environment variable of the harness that holds its key.
        address: Where it is asked; ``IBENCH_<NAME>_URL`` replaces it.
        ask: Makes method, address, headers and body of a request.
        read: Takes results out of an answer.
    """

    name: str
    key: str
    address: str
    ask: Callable[[str, str, int, str], tuple[str, str, Mapping[str, str], bytes | None]]
    read: Callable[[Any], list[Result]]

    def search(self, query: str, count: int) -> Sequence[Result]:
        """Return what the engine finds."""
        key = os.environ.get(self.key)
        if not key:
            raise RefusedError(f"no search engine is set up here; the harness needs {self.key}")
        address = os.environ.get(f"IBENCH_{self.name.upper()}_URL", self.address)
        method, url, headers, body = self.ask(address, query, count, key)
        try:
            return self.read(json.loads(_request(method, url, headers, body)))[:count]
        except (ValueError, LookupError, TypeError, AttributeError):
            raise RefusedError(f"the search engine {self.name} answered nonsense") from None


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    import urllib3  # noqa: PLC0415 - only agents that search pay for it

    try:
        with urllib3.PoolManager(timeout=urllib3.Timeout(SECONDS), retries=False) as pool:
            response = pool.request(method, url, headers=dict(headers), body=body)
    except urllib3.exceptions.HTTPError as error:
        raise RefusedError(f"the search engine did not answer: {type(error).__name__}") from None
    if response.status != 200:  # noqa: PLR2004 - the status of success
        raise RefusedError(f"the search engine refused with status {response.status}")
    return response.data


def _ask_serper(
    address: str, query: str, count: int, key: str
) -> tuple[str, str, Mapping[str, str], bytes | None]:
    headers = {"X-API-KEY": key, "Content-Type": "application/json"}
    return "POST", address, headers, json.dumps({"q": query, "num": count}).encode()


def _read_serper(answer: Any) -> list[Result]:  # noqa: ANN401 - JSON of an engine
    return [
        Result(title=str(hit["title"]), url=str(hit["link"]), snippet=str(hit.get("snippet", "")))
        for hit in answer.get("organic", [])
    ]


def _ask_bing(
    address: str, query: str, count: int, key: str
) -> tuple[str, str, Mapping[str, str], bytes | None]:
    from urllib.parse import urlencode  # noqa: PLC0415 - see _request

    return (
        "GET",
        f"{address}?{urlencode({'q': query, 'count': count})}",
        {"Ocp-Apim-Subscription-Key": key},
        None,
    )


def _read_bing(answer: Any) -> list[Result]:  # noqa: ANN401 - JSON of an engine
    return [
        Result(title=str(hit["name"]), url=str(hit["url"]), snippet=str(hit.get("snippet", "")))
        for hit in answer.get("webPages", {}).get("value", [])
    ]


SERPER = Engine(
    name="serper",
    key="SERPER_API_KEY",
    address="https://google.serper.dev/search",
    ask=_ask_serper,
    read=_read_serper,
)
BING = Engine(
    name="bing",
    key="BING_API_KEY",
    address="https://api.bing.microsoft.com/v7.0/search",
    ask=_ask_bing,
    read=_read_bing,
)
