"""Searching and browsing, with a real server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest

from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.model import Observation
from pytest_innovatorbench.researchgym.parsing.parser import Parser
from pytest_innovatorbench.researchgym.web import fetching, keeping, searching
from pytest_innovatorbench.researchgym.web.backends import Search
from pytest_innovatorbench.researchgym.web.browser import Browser
from pytest_innovatorbench.researchgym.web.policy import Policy
from pytest_innovatorbench.researchgym.web.searching import BING, SERPER, Corpus, Engine, Result, SearchEngine
from pytest_innovatorbench.sandbox import open_sandbox

ARTICLE = (
    "<html><head><title>Losses</title><script>var x = 1;</script></head><body><nav><a href='/'>Home</a></nav>"
    "<article><h1>Losses</h1>"
    + "".join(
        f"<p>Paragraph {n} is about labels that are noisy and how to learn from them.</p>" for n in range(150)
    )
    + "<p>See <a href='other#part'>the other page</a> and <a href='javascript:alert(1)'>nothing</a>.</p>"
    "</article></body></html>"
)


class Site(BaseHTTPRequestHandler):
    """A site with a few pages, and a few traps."""

    hits = 0
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        type(self).hits += 1
        routes: dict[str, Callable[[], None]] = {
            "/article": lambda: self.answer(ARTICLE.encode()),
            "/text": lambda: self.answer(b"one\ntwo\n", "text/plain; charset=utf-8"),
            "/binary": lambda: self.answer(bytes(100), "application/octet-stream"),
            "/loop": lambda: self.redirect("/loop"),
            "/inward": lambda: self.redirect("http://127.0.0.2:9/secret"),
            "/moved": lambda: self.redirect("/text"),
            "/huge": lambda: self.answer(bytes(3_000_000), "text/plain"),
            "/slow": self.trickle,
        }
        where, _, query = self.path.partition("?")
        if where == "/search":
            asked = dict(parse_qsl(query))
            self.find("GET ocp-apim-subscription-key", asked["q"], int(asked["count"]))
            return
        routes.get(self.path, lambda: self.answer(b"gone", status=404))()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/slow":
            time.sleep(1)
        if self.path != "/search":
            self.answer(b"[]", status=200 if self.path == "/text" else 404)
            return
        self.find("POST x-api-key", asked["q"], asked["num"])

    def find(self, how: str, query: str, count: int) -> None:
        type(self).asked.append(f"{how} {self.headers[how.split()[1]]} {count}")
        found = [
            {"title": query, "link": "https://example.org/a", "snippet": "words"},
            {"title": "the paper", "link": "https://arxiv.org/abs/2007.00151", "snippet": "no"},
        ]
        pages = [{**hit, "name": hit["title"], "url": hit["link"]} for hit in found]
        both = {"organic": found, "webPages": {"value": pages}}
        self.answer(json.dumps(both).encode(), "application/json")

    def answer(self, content: bytes, kind: str = "text/html", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def redirect(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def trickle(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Desk:
    """What actions on the web use."""

    def __init__(
        self, policy: Policy, corpus: Corpus | None = None, engine: SearchEngine | None = None
    ) -> None:
        search = Search(engine=engine) if engine else None
        search = Search(engine=corpus, is_local=True) if corpus else search
        self.browser = Browser(policy, Parser(open_sandbox("bubblewrap")), corpus=corpus, search=search)

    def act(self, name: str, **given: Any) -> Observation:
        arguments = ACTIONS[name].arguments(given)
        assert isinstance(arguments, dict), arguments
        return ACTIONS[name].perform(self, arguments)  # type: ignore[arg-type]  # the rest is not for the web


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    Site.hits = 0
    Site.asked.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk() -> Desk:
    return Desk(Policy(mode="allow", allowed=("127.0.0.1",)))


def test_a_page_is_read_window_by_window(desk: Desk, site: str) -> None:
    first = desk.act("web_browse", url=f"{site}/article")
    assert first.message.startswith("[Losses: lines 1 to 100 of 1")
    assert "Paragraph 3 is about labels" in first.message
    assert "var x" not in first.message
    second = desk.act("web_page_scroll_down")
    assert second.data["start_line"] == 101
    assert desk.act("web_page_scroll_down").message == "this is the end of the page"
    assert desk.act("web_page_scroll_up").data["start_line"] == 1
    assert desk.act("web_page_scroll_up").message == "this is the beginning of the page"
    assert desk.act("web_page_goto_line", line_number=40).data["start_line"] == 40


def test_a_page_is_searched(desk: Desk, site: str) -> None:
    desk.act("web_browse", url=f"{site}/article")
    first = desk.act("web_page_search", keyword="paragraph 14", context_lines=1)
    assert first.message.startswith("['paragraph 14': 1 of 11 lines that hold it]\n")
    assert desk.act("web_page_search_next", search_index=10).message.startswith("['paragraph 14': 11 of 11")
    assert desk.act("web_page_search_next").message.startswith("['paragraph 14': 1 of 11")
    assert desk.act("web_page_search", keyword="absent").message == "'absent' is not in this page"


def test_links_are_listed_and_lead_somewhere(desk: Desk, site: str) -> None:
    desk.act("web_browse", url=f"{site}/article")
    seen = desk.act("web_page_get_links", page_size=1, page_number=2)
    assert seen.message == f"2 links, page 2 of 2\nthe other page: {site}/other"
    assert desk.act("web_page_get_links", page_number=2).message == "there are 1 pages of 10 links each"


def test_plain_text_is_shown_and_other_kinds_are_not(desk: Desk, site: str) -> None:
    assert (
        desk.act("web_browse", url=f"{site}/moved").message
        == "[text: lines 1 to 2 of 2]\n     1|one\n     2|two"
    )
    seen = desk.act("web_browse", url=f"{site}/binary")
    assert seen.message.endswith("it is of the kind application/octet-stream, which cannot be shown")
    gone = desk.act("web_browse", url=f"{site}/gone")
    assert gone.message.endswith("the server answered with status 404")


def test_a_page_is_kept_for_a_while(desk: Desk, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        assert desk.act("web_browse", url=f"{site}/text").success
    assert Site.hits == 1
    monkeypatch.setattr(keeping, "KEPT_SECONDS", 0.0)
    desk.act("web_browse", url=f"{site}/text")
    assert Site.hits == 2


def test_redirects_are_followed_only_where_one_may_go(desk: Desk, site: str) -> None:
    assert "127.0.0.2 is not among the sites" in desk.act("web_browse", url=f"{site}/inward").message
    looped = desk.act("web_browse", url=f"{site}/loop")
    assert looped.message == "the page leads from one address to the next without an end"


def test_size_and_time_of_a_page_are_bounded(desk: Desk, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST_PAGE", 1_000_000)
    assert desk.act("web_browse", url=f"{site}/huge").message == "the page has more than 1,000,000 bytes"
    desk.browser._fetcher._seconds = 0.3
    assert desk.act("web_browse", url=f"{site}/slow").message == "the page took too long"


def test_a_server_that_is_not_there_is_an_observation(desk: Desk) -> None:
    seen = desk.act("web_browse", url="http://127.0.0.1:9/")
    assert seen.message == "127.0.0.1 could not be read: NewConnectionError"


def test_nothing_is_done_before_a_page_is_open(desk: Desk) -> None:
    for name, given in (("web_page_scroll_down", {}), ("web_page_search", {"keyword": "x"}), ("web_page_search_next", {}), ("web_page_get_links", {})):  # fmt: skip
        assert desk.act(name, **given).message == "no page is open; open one with web_browse"


@pytest.mark.parametrize(
    ("engine", "request_"), [(SERPER, "POST x-api-key"), (BING, "GET ocp-apim-subscription-key")]
)
def test_an_engine_is_asked_and_shows_only_what_may_be_seen(
    site: str, monkeypatch: pytest.MonkeyPatch, engine: Engine, request_: str
) -> None:
    monkeypatch.delenv(engine.key, raising=False)
    desk = Desk(Policy(mode="open", blocked=("arxiv.org/abs/2007.00151",)), engine=engine)
    seen = desk.act("web_search", query="noisy labels")
    assert seen.message == f"no search engine is set up here; the harness needs {engine.key}"
    monkeypatch.setenv(engine.key, "secret")
    monkeypatch.setenv(f"IBENCH_{engine.name.upper()}_URL", f"{site}/search")
    seen = desk.act("web_search", query="noisy labels & more", top_k=3)
    assert seen.message == "1. noisy labels & more\n   https://example.org/a\n   words"
    assert Site.asked == [f"{request_} secret 3"]
    assert seen.data["from_cache"] is False
    assert desk.act("web_search", query="noisy labels & more", top_k=3).data["from_cache"] is True
    assert len(Site.asked) == 1
    monkeypatch.setattr(keeping, "KEPT_SECONDS", 0.0)
    assert desk.act("web_search", query="noisy labels & more", top_k=3).data["from_cache"] is False
    desk = Desk(Policy(), engine=engine)
    assert desk.act("web_search", query="x").message == "this task is worked on without the web"


def test_without_an_engine_a_search_is_refused() -> None:
    seen = Desk(Policy(mode="open")).act("web_search", query="x")
    assert seen.message == "no search engine is set up here; the harness needs SERPER_API_KEY"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nonsense", "the search engine refused with status 404"),
        ("text", "the search engine serper answered nonsense"),
        ("slow", "the search engine did not answer: ReadTimeoutError"),
    ],
)
def test_an_engine_that_fails_is_an_observation(
    site: str, monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    monkeypatch.setenv("SERPER_API_KEY", "secret")
    monkeypatch.setenv("IBENCH_SERPER_URL", f"{site}/{path}")
    monkeypatch.setattr(searching, "SECONDS", 0.2)
    seen = Desk(Policy(mode="open"), engine=SERPER).act("web_search", query="x")
    assert (seen.success, seen.message, "secret" in str(seen)) == (False, message, False)


class Odd:
    """An engine of a plug-in."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def search(self, query: str, count: int) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or [Result(title=query, url="https://example.org/", snippet="s")] * (count + 5)


def test_an_engine_of_a_plug_in_may_fail_in_any_way() -> None:
    seen = Desk(Policy(mode="open"), engine=Odd(KeyError("x"))).act("web_search", query="x")
    assert seen.message == "the search engine failed: KeyError"
    seen = Desk(Policy(mode="open"), engine=Odd([1])).act("web_search", query="x")
    assert seen.message == "the search engine answered nonsense"
    seen = Desk(Policy(mode="open"), engine=Odd(None)).act("web_search", query="x", top_k=4)
    assert seen.data["total_results"] == 4


def test_documents_of_the_task_are_searched_and_read(tmp_path: Path) -> None:
    (tmp_path / "corpus/deep").mkdir(parents=True)
    (tmp_path / "corpus/elr.md").write_text("# Early learning\n\nNetworks fit clean labels first.\n")
    (tmp_path / "corpus/deep/cooking.txt").write_text("How to boil an egg\n")
    (tmp_path / "secret.txt").write_text("clean labels are secret")
    (tmp_path / "corpus/out.txt").symlink_to(tmp_path / "secret.txt")
    desk = Desk(Policy(), Corpus(tmp_path / "corpus"))
    seen = desk.act("web_search", query='which "labels" come first? AND (')
    assert seen.data["search_results"][0] == {
        "title": "Early learning",
        "url": "corpus://elr.md",
        "snippet": "# Early learning\n\nNetworks fit clean labels first.\n",
    }
    assert len(seen.data["search_results"]) == 1
    assert "Networks fit clean labels first." in desk.act("web_browse", url="corpus://elr.md").message
    for url in ("corpus://../secret.txt", "corpus://out.txt", "corpus://gone"):
        assert desk.act("web_browse", url=url).message == f"there is no {url}; web_search lists what there is"
    assert (
        desk.act("web_browse", url="https://example.org/").message == "this task is worked on without the web"
    )
    assert desk.act("web_search", query="?!").message == "search for at least one word"
