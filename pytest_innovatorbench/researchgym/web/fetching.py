"""Fetching a page: over checked addresses only, with limits, and kept for a while."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from pytest_innovatorbench.researchgym.web.keeping import Kept
from pytest_innovatorbench.researchgym.web.policy import RefusedError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from pytest_innovatorbench.researchgym.web.address import Address
    from pytest_innovatorbench.researchgym.web.policy import Policy, Target

LARGEST_PAGE = 20 << 20
SECONDS = 30.0
MOST_REDIRECTS = 8
OK = 200
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; ResearchGym)",
    "Accept": "text/html,application/xhtml+xml,text/plain,application/pdf;q=0.8,*/*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a server sent.

    Attributes:
        url: Where it came from in the end.
        status: The server's status.
        kind: Its media type, without parameters.
        content: The bytes.
    """

    url: str
    status: int
    kind: str
    content: bytes


class Fetcher:
    """Fetches pages and keeps them for a day.

    Args:
        policy: Which pages may be seen.
        seconds: How long one page may take.
    """

    def __init__(self, policy: Policy, seconds: float = SECONDS) -> None:
        self._policy = policy
        self._seconds = seconds
        self._kept: Kept[Fetched] = Kept()

    def fetch(self, url: str) -> Fetched:
        """Fetch a page.

        Raises:
            RefusedError: It may not be seen, cannot be had, or is too large.
        """
        kept = self._kept.get(url)
        if kept is not None:
            return kept
        fetched = self._follow(url)
        if fetched.status == OK:
            self._kept.put(url, fetched, len(fetched.content))
        return fetched

    def _follow(self, url: str) -> Fetched:
        deadline = time.monotonic() + self._seconds
        for _ in range(MOST_REDIRECTS):
            response, content = _get(self._policy.check(url), deadline)
            place = response.headers.get("Location")
            if response.status not in _REDIRECTS or not place:
                kind = response.headers.get("Content-Type", "text/html").split(";")[0].strip().lower()
                return Fetched(url=url, status=response.status, kind=kind, content=content)
            try:
                url = urljoin(url, place)
            except ValueError:
                raise RefusedError(f"the page leads to {place[:200]!r}, which is no address") from None
        raise RefusedError("the page leads from one address to the next without an end")


def _get(target: Target, deadline: float) -> tuple[BaseHTTPResponse, bytes]:
    import urllib3  # noqa: PLC0415 - only agents that browse pay for it

    left = max(0.1, deadline - time.monotonic())
    sockets: list[socket.socket] = []
    overdue = threading.Timer(left, _hang_up, [sockets])
    overdue.start()
    try:
        with _pool(target, left, sockets) as pool:
            response = pool.request(
                "GET",
                target.page.path,
                headers={**_HEADERS, "Host": _named(target.page)},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            with contextlib.closing(response):
                return response, _read(response, deadline)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        if time.monotonic() >= deadline:
            raise RefusedError("the page took too long") from error
        raise RefusedError(f"{target.page.host} could not be read: {type(error).__name__}") from error
    finally:
        overdue.cancel()
        for watched in sockets:
            watched.close()


def _named(page: Address) -> str:
    host = f"[{page.host}]" if ":" in page.host else page.host
    return host if page.port == _PORTS[page.scheme] else f"{host}:{page.port}"


def _pool(target: Target, seconds: float, sockets: list[socket.socket]) -> HTTPConnectionPool:
    """Return connections to the address that was checked, whatever its name means by now."""
    import urllib3  # noqa: PLC0415 - see _get

    timeout = urllib3.Timeout(connect=min(10.0, seconds), read=seconds)
    if target.page.scheme == "http":
        pool = urllib3.HTTPConnectionPool(target.address, target.page.port, timeout=timeout)
    else:
        pool = urllib3.HTTPSConnectionPool(
            target.address,
            target.page.port,
            timeout=timeout,
            ssl_context=ssl.create_default_context(),
            server_hostname=target.page.host,
            assert_hostname=target.page.host,
        )
    pool.ConnectionCls = _watched(pool.ConnectionCls, sockets)
    return pool


def _watched(kind: Any, sockets: list[socket.socket]) -> Any:  # noqa: ANN401 - a class made of one of the library's
    """Return a kind of connection whose sockets can be shut while it waits on them."""

    class Watched(kind):  # type: ignore[misc]  # see above
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            sockets.append(connected.dup())
            return connected

    return Watched


def _hang_up(sockets: list[socket.socket]) -> None:
    """End what a server draws out: no single wait of a slow answer ever takes too long."""
    for watched in list(sockets):
        with contextlib.suppress(OSError):
            watched.shutdown(socket.SHUT_RDWR)


def _read(response: BaseHTTPResponse, deadline: float) -> bytes:
    if "," in response.headers.get("Content-Encoding", ""):
        raise RefusedError("the page is compressed more than once")
    parts, size = [], 0
    for part in response.stream(1 << 16, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > LARGEST_PAGE:
            raise RefusedError(f"the page has more than {LARGEST_PAGE:,} bytes")
        if time.monotonic() > deadline:
            raise RefusedError("the page took too long")
    return b"".join(parts)
