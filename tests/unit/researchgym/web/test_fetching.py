"""Fetching from real servers on loopback, with names that a test gives them."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.web import fetching, policy
from pytest_innovatorbench.researchgym.web.fetching import Fetcher
from pytest_innovatorbench.researchgym.web.policy import Policy, RefusedError

PUBLIC, INNER = "127.0.0.1", "127.0.0.2"


class Site(BaseHTTPRequestHandler):
    """A site that also does what hostile ones do; it remembers where it was reached and as whom."""

    reached: list[tuple[str, str]]
    elsewhere: str

    def do_GET(self) -> None:
        type(self).reached.append((self.connection.getsockname()[0], self.headers["Host"]))
        routes: dict[str, Callable[[], None]] = {
            "/inner": lambda: self.redirect(self.elsewhere),
            "/nowhere": lambda: self.redirect("http://[::1"),
            "/bomb": lambda: self.answer(gzip.compress(bytes(300 << 20)), "gzip"),
            "/bombs": lambda: self.answer(gzip.compress(gzip.compress(bytes(50 << 20))), "gzip, gzip"),
            "/drip": self.drip,
            "/dripping-head": self.drip_head,
            "/broken": self.babble,
            "/refused": lambda: self.answer(b"", status=503),
        }
        routes.get(self.path, lambda: self.answer(b"page"))()

    def answer(self, content: bytes, encoding: str = "", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(content)

    def redirect(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def babble(self) -> None:
        self.wfile.write(b"\0\0 no http\r\n\r\n")

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.drip_head()

    def drip_head(self) -> None:
        for _ in range(200):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Readers hang up on purpose."""


@pytest.fixture
def port() -> Iterator[int]:
    servers = [Quiet((PUBLIC, 0), Site)]
    servers.append(Quiet((INNER, servers[0].server_port), Site))
    Site.reached, Site.elsewhere = [], f"http://inner.test:{servers[0].server_port}/"
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers[0].server_port
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name server of the test's own: each look-up takes the next address, the last for ever."""
    table = {"site.test": [PUBLIC], "inner.test": [INNER]}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        addresses = table.get(host, [host])
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        if not address[0].isdigit() and ":" not in address:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    # One address of loopback plays the public internet, every other is as private as it is.
    monkeypatch.setattr(policy, "is_public", lambda address: address == PUBLIC)
    return table


def test_a_page_is_fetched_by_its_name(port: int, names: dict[str, list[str]]) -> None:
    fetched = Fetcher(Policy(mode="open")).fetch(f"http://SITE.test:{port}/a")
    assert (fetched.content, fetched.kind) == (b"page", "text/plain")
    assert Site.reached == [(PUBLIC, f"site.test:{port}")]
    assert names["site.test"] == [PUBLIC]


def test_a_name_that_points_inward_at_the_second_look_leads_nowhere(
    port: int, names: dict[str, list[str]]
) -> None:
    names["site.test"] = [PUBLIC, INNER]
    fetcher = Fetcher(Policy(mode="open"))
    assert fetcher.fetch(f"http://site.test:{port}/a").content == b"page"
    assert [place for place, _ in Site.reached] == [PUBLIC], "it connected to what it had checked"
    with pytest.raises(RefusedError, match=r"site\.test is a private address"):
        fetcher.fetch(f"http://site.test:{port}/b")
    assert [place for place, _ in Site.reached] == [PUBLIC]


@pytest.mark.parametrize("place", ["", INNER, "2130706434", "0x7f.2", "[::ffff:127.0.0.2]"])
def test_a_redirect_inward_is_refused(port: int, names: dict[str, list[str]], place: str) -> None:
    if place:
        Site.elsewhere = f"http://{place}:{port}/"
    with pytest.raises(RefusedError, match="is a private address, which agents may not reach"):
        Fetcher(Policy(mode="open")).fetch(f"http://site.test:{port}/inner")
    assert [reached for reached, _ in Site.reached] == [PUBLIC]
    assert names["inner.test"] == [INNER]


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://site.test/", "//user@site.test/"])
def test_a_redirect_out_of_the_web_is_refused(port: int, names: dict[str, list[str]], place: str) -> None:
    Site.elsewhere = place
    with pytest.raises(RefusedError, match=r"is no address of a page|may not hold a user name"):
        Fetcher(Policy(mode="open")).fetch(f"http://site.test:{port}/inner")
    assert names


def test_a_redirect_to_what_is_blocked_is_refused(port: int, names: dict[str, list[str]]) -> None:
    names["paper.test"] = [PUBLIC]
    Site.elsewhere = f"http://paper.test:{port}/abs/2007.00151v3"
    with pytest.raises(RefusedError, match="it holds what is to be found out"):
        Fetcher(Policy(mode="open", blocked=("arxiv.org/abs/2007.00151",))).fetch(
            f"http://site.test:{port}/inner"
        )
    assert len(Site.reached) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nowhere", "the page leads to 'http://[::1', which is no address"),
        ("/bomb", "the page has more than 20,971,520 bytes"),
        ("/bombs", "the page is compressed more than once"),
        ("/broken", "site.test could not be read: ProtocolError"),
    ],
)
def test_what_hostile_servers_send_is_an_observation(
    port: int, names: dict[str, list[str]], path: str, message: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        Fetcher(Policy(mode="open")).fetch(f"http://site.test:{port}{path}")
    assert str(refused.value) == message
    assert names


@pytest.mark.parametrize("path", ["/drip", "/dripping-head"])
def test_a_server_that_takes_its_time_is_hung_up_on(
    port: int, names: dict[str, list[str]], path: str
) -> None:
    started = time.monotonic()
    with pytest.raises(RefusedError, match="the page took too long"):
        Fetcher(Policy(mode="open"), seconds=0.5).fetch(f"http://site.test:{port}{path}")
    assert time.monotonic() - started < 2
    assert names


def test_errors_are_not_kept(port: int, names: dict[str, list[str]]) -> None:
    fetcher = Fetcher(Policy(mode="open"))
    for _ in range(2):
        assert fetcher.fetch(f"http://site.test:{port}/refused").status == 503
    assert len(Site.reached) == 2
    assert names


def test_what_is_kept_is_bounded(
    port: int, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_innovatorbench.researchgym.web.keeping.MOST_BYTES", 10)
    fetcher = Fetcher(Policy(mode="open"))
    for path in "abcb":
        fetcher.fetch(f"http://site.test:{port}/{path}")
    assert len(Site.reached) == 3, "of three pages of four bytes, two are kept"
    fetcher.fetch(f"http://site.test:{port}/a")
    assert len(Site.reached) == 4
    assert names
    assert fetching.LARGEST_PAGE > 10
