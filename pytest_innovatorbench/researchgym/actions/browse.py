"""Actions on the web: searching it and reading its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.model import Observation
from pytest_innovatorbench.researchgym.web.policy import RefusedError
from pytest_innovatorbench.researchgym.web.searching import MOST_RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_innovatorbench.researchgym.web.page import Page

SEARCH, READ = "web_search", "web_browse_read"
FIND, LINKS = "web_browse_search", "web_browse_links"
WINDOW = 100
MOST_LINKS = 100
_OPEN_FIRST = "no page is open; open one with web_browse"


def _web_search(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    count = min(arguments["top_k"], MOST_RESULTS)
    found, was_kept = desk.browser.search(arguments["query"], count)
    rows = [
        f"{number}. {hit.title}\n   {hit.url}\n   {hit.snippet}" for number, hit in enumerate(found, start=1)
    ]
    data = {
        "query": arguments["query"],
        "requested_top_k": arguments["top_k"],
        "total_results": len(found),
        "search_results": [{"title": hit.title, "url": hit.url, "snippet": hit.snippet} for hit in found],
        "from_cache": was_kept,
    }
    text = "\n".join(rows) or "nothing was found"
    return Observation(success=True, message=text, kind=SEARCH, data=data)


def _web_browse(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    return _show(desk, desk.browser.open(arguments["url"]), arguments["line_number"])


def _goto_line(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    return _show(desk, _page(desk), arguments["line_number"])


def _scroll(windows: int) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def scroll(desk: Desk, _: Mapping[str, Any]) -> Observation:
        page, line = _page(desk), desk.browser.line + windows * WINDOW
        if line > len(page.lines) or (windows < 0 and desk.browser.line == 1):
            return refuse(READ, f"this is the {'end' if windows > 0 else 'beginning'} of the page")
        return _show(desk, page, line)

    return scroll


def _search_page(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    desk.browser.keyword, desk.browser.hit = arguments["keyword"], 0
    return _show_hit(desk, arguments["context_lines"])


def _search_next(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    _page(desk)
    if not desk.browser.keyword:
        return refuse(FIND, "nothing was searched for in this page; use web_page_search")
    index = arguments["search_index"]
    desk.browser.hit = desk.browser.hit + 1 if index is None else index
    return _show_hit(desk, arguments["context_lines"])


def _get_links(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    page, number = _page(desk), arguments["page_number"]
    size = min(arguments["page_size"], MOST_LINKS)
    pages = max(1, -(-len(page.links) // size))
    if number > pages:
        return refuse(LINKS, f"there are {pages} pages of {size} links each")
    chosen = page.links[(number - 1) * size : number * size]
    rows = [f"{link.text or '(no text)'}: {link.url}" for link in chosen]
    head = f"{len(page.links)} links, page {number} of {pages}"
    data = {
        "links": [{"text": link.text, "url": link.url} for link in chosen],
        "total_links": len(page.links),
        "page_number": number,
        "total_pages": pages,
        "page_size": size,
    }
    return Observation(success=True, message="\n".join([head, *rows]), kind=LINKS, data=data)


def _show_hit(desk: Desk, around: int) -> Observation:
    page, keyword = _page(desk), desk.browser.keyword
    hits = desk.browser.find(keyword)
    if not hits:
        return refuse(FIND, f"{keyword!r} is not in this page")
    desk.browser.hit %= len(hits)
    line, around = hits[desk.browser.hit], min(around, WINDOW // 2)
    first, last = max(1, line - around), min(len(page.lines), line + around)
    desk.browser.line = first
    head = f"[{keyword!r}: {desk.browser.hit + 1} of {len(hits)} lines that hold it]"
    data = {
        "url": page.url,
        "keyword": keyword,
        "search_matches": len(hits),
        "current_match": desk.browser.hit + 1,
        "current_line": line,
        "context": list(page.lines[first - 1 : last]),
    }
    return Observation(success=True, message=_window(head, page, first, last), kind=FIND, data=data)


def _show(desk: Desk, page: Page, line: int) -> Observation:
    total = len(page.lines)
    first = max(1, min(line, total))
    last = min(total, first + WINDOW - 1)
    desk.browser.line = first
    head = (
        f"[{page.title or page.url}: lines {first} to {last} of {total}]"
        if total
        else f"[{page.url}: no text]"
    )
    data = {
        "url": page.url,
        "header": page.title,
        "current_line": first,
        "start_line": first,
        "end_line": last,
        "total_lines": total,
    }
    return Observation(success=True, message=_window(head, page, first, last), kind=READ, data=data)


def _window(head: str, page: Page, first: int, last: int) -> str:
    numbered = (f"{number:6}|{page.lines[number - 1]}" for number in range(first, last + 1))
    return "\n".join([head, *numbered])


def _page(desk: Desk) -> Page:
    if desk.browser.page is None:
        raise RefusedError(_OPEN_FIRST)
    return desk.browser.page


def _action(
    name: str,
    kind: str,
    meaning: str,
    perform: Callable[[Desk, Mapping[str, Any]], Observation],
    *parameters: Parameter,
) -> ActionKind:
    def guarded(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
        try:
            return perform(desk, arguments)
        except RefusedError as reason:
            return refuse(kind, str(reason))

    family = "search" if kind == SEARCH else "browse"
    return ActionKind(name=name, family=family, meaning=meaning, parameters=parameters, perform=guarded)


def _number(
    name: str, meaning: str, default: int | None, *, minimum: int = 1, required: bool = False
) -> Parameter:
    return Parameter(
        name=name, kind="integer", meaning=meaning, default=default, minimum=minimum, required=required
    )


_CONTEXT = _number("context_lines", "lines to show on either side, 50 at most", 5, minimum=0)
BROWSE_ACTIONS = (
    _action(
        "web_search",
        SEARCH,
        "Search the web, or the documents of the task.",
        _web_search,
        Parameter(name="query", kind="string", meaning="what to look for", required=True),
        _number("top_k", "how many results, 100 at most", 10),
    ),
    _action(
        "web_browse",
        READ,
        "Open a page and show its text.",
        _web_browse,
        Parameter(name="url", kind="string", meaning="the address", required=True),
        _number("line_number", "line to begin with, from 1", 1),
    ),
    _action(
        "web_page_goto_line",
        READ,
        "Show the open page from a line on.",
        _goto_line,
        _number("line_number", "the line, from 1", None, required=True),
    ),
    _action("web_page_scroll_down", READ, "Show the next lines of the open page.", _scroll(1)),
    _action("web_page_scroll_up", READ, "Show the lines before these of the open page.", _scroll(-1)),
    _action(
        "web_page_search",
        FIND,
        "Find the first line of the open page that holds a text.",
        _search_page,
        Parameter(name="keyword", kind="string", meaning="the text", required=True),
        _CONTEXT,
    ),
    _action(
        "web_page_search_next",
        FIND,
        "Find the next line that holds the text, the first again after the last.",
        _search_next,
        _CONTEXT,
        _number("search_index", "the n-th of them instead, from 0", None, minimum=0),
    ),
    _action(
        "web_page_get_links",
        LINKS,
        "List the links of the open page.",
        _get_links,
        _number("page_size", "links at once, 100 at most", 10),
        _number("page_number", "which lot of them, from 1", 1),
    ),
)
