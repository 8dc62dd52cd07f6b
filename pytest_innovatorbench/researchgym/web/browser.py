"""What an agent has open, and how it searches and reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.web.fetching import Fetched, Fetcher
from pytest_innovatorbench.researchgym.web.keeping import Kept
from pytest_innovatorbench.researchgym.web.page import Page, make_page
from pytest_innovatorbench.researchgym.web.policy import Policy, RefusedError
from pytest_innovatorbench.researchgym.web.searching import CORPUS, Corpus, Result, SearchEngine

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.parsing.parser import Parser
    from pytest_innovatorbench.researchgym.web.backends import Search

_ERROR = 400


class Browser:
    """One page at a time.

    Args:
        policy: Which pages may be seen.
        parser: Reads pages, in a sandbox.
        corpus: Documents of the task's own, which can be opened like pages.
        search: What searches.

    Attributes:
        page: The page that is open.
        line: Where the agent is in it, from 1.
        hit: Where the last search in it stands, as an index of lines.
        keyword: What was searched for in it.
    """

    def __init__(
        self,
        policy: Policy,
        parser: Parser,
        *,
        corpus: Corpus | None = None,
        search: Search | None = None,
    ) -> None:
        self.page: Page | None = None
        self.line = 1
        self.hit = -1
        self.keyword = ""
        self._policy = policy
        self._parser = parser
        self._corpus = corpus
        self._search = search
        self._fetcher = Fetcher(policy)
        self._searches: Kept[Sequence[Result]] = Kept()

    def search(self, query: str, count: int) -> tuple[Sequence[Result], bool]:
        """Search the task's documents, or the web, of which only what may be seen is shown.

        Returns:
            What was found, and whether that was known from an earlier search.

        Raises:
            RefusedError: There is no answer.
        """
        is_local = self._search is not None and self._search.is_local
        if self._policy.mode == "none" and not is_local:
            raise RefusedError("this task is worked on without the web")
        if self._search is None:
            raise RefusedError("no search engine is set up here; the harness needs SERPER_API_KEY")
        kept = self._searches.get((query, count))
        if kept is not None:
            return kept, True
        found = _ask(self._search.engine, query, count)
        shown = [result for result in found if is_local or self._policy.permits(result.url)]
        self._searches.put((query, count), shown)
        return shown, False

    def open(self, url: str) -> Page:
        """Open a page.

        Raises:
            RefusedError: It may not be seen, or cannot be had or shown.
        """
        page = make_page(self._fetch(url), self._parser)
        if isinstance(page, str):
            raise RefusedError(f"{url}: {page}")
        self.page, self.line, self.hit, self.keyword = page, 1, -1, ""
        return page

    def find(self, keyword: str) -> list[int]:
        """Return the lines of the page, from 1, that hold a text, upper and lower case alike."""
        lines = self.page.lines if self.page else ()
        return [number for number, line in enumerate(lines, start=1) if keyword.lower() in line.lower()]

    def _fetch(self, url: str) -> Fetched:
        if url.startswith(CORPUS):
            if self._corpus is None:
                raise RefusedError(f"there is no {url}")
            name, content = self._corpus.read(url)
            kind = "text/html" if name.endswith((".html", ".htm")) else "text/plain"
            return Fetched(url=url, status=200, kind=kind, content=content)
        fetched = self._fetcher.fetch(url)
        if fetched.status >= _ERROR:
            raise RefusedError(f"{url}: the server answered with status {fetched.status}")
        return fetched


def _ask(engine: SearchEngine, query: str, count: int) -> Sequence[Result]:
    try:
        found = list(engine.search(query, count))[:count]
    except RefusedError:
        raise
    except Exception as error:  # an engine of a plug-in may fail in any way
        raise RefusedError(f"the search engine failed: {type(error).__name__}") from error
    if not all(isinstance(result, Result) for result in found):
        raise RefusedError("the search engine answered nonsense")
    return found
