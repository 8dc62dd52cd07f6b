"""Fetching a page: over checked addresses only, with limits, and kept for a while."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlunsplit

from pytest_innovatorbench.researchgym.web.keeping import Kept
from pytest_innovatorbench.researchgym.web.policy import RefusedError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from pytest_innovatorbench.researchgym.web.policy import Policy, Target

LARGEST_PAGE = 20 << 20
SECONDS = 30.0
MOST_REDIRECTS = 8
OK = 200
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
            target = self._policy.check(url)
            response, content = _get(target, deadline)
            place = response.headers.get("Location")
            if response.status not in _REDIRECTS or not place:
                kind = response.headers.get("Content-Type", "text/html").split(";")[0].strip().lower()
                return Fetched(url=url, status=response.status, kind=kind, content=content)
            url = urljoin(url, place)
        raise RefusedError("the page leads from one address to the next without an end")


def _get(target: Target, deadline: float) -> tuple[BaseHTTPResponse, bytes]:
    import urllib3  # noqa: PLC0415 - only agents that browse pay for it

    path = urlunsplit(("", "", target.url.path or "/", target.url.query, ""))
    left = max(0.1, deadline - time.monotonic())
    default = {"http": 80, "https": 443}[target.url.scheme]
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = host if target.port == default else f"{host}:{target.port}"
    try:
        with _pool(target, left) as pool:
            response = pool.request(
                "GET",
                path,
                headers={**_HEADERS, "Host": named},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            return response, _read(response, deadline)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise RefusedError(f"{target.host} could not be read: {type(error).__name__}") from error


def _pool(target: Target, seconds: float) -> HTTPConnectionPool:
    import urllib3  # noqa: PLC0415 - see _get

    timeout = urllib3.Timeout(connect=min(10.0, seconds), read=seconds)
    if target.url.scheme == "http":
        return urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        target.address,
        target.port,
        timeout=timeout,
        ssl_context=ssl.create_default_context(),
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _read(response: BaseHTTPResponse, deadline: float) -> bytes:
    parts, size = [], 0
    for part in response.stream(1 << 16, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > LARGEST_PAGE:
            raise RefusedError(f"the page has more than {LARGEST_PAGE:,} bytes")
        if time.monotonic() > deadline:
            raise RefusedError("the page took too long")
    return b"".join(parts)
