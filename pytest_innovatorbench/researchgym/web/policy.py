"""Which pages an agent may see."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_innovatorbench.researchgym.web.address import (
    Address,
    is_public,
    parse_address,
    plain_host,
    plain_path,
    plain_query,
)

Mode: TypeAlias = Literal["none", "allow", "open"]
_IDENTIFIERS = (
    re.compile(r"\d{4}\.\d{4,5}"),  # a preprint on arXiv
    re.compile(r"[a-z-]+(?:\.[a-z]{2})?/\d{7}"),  # an old one
    re.compile(r"10\.\d{4,9}/[^\s?&]+"),  # a DOI
)
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


class RefusedError(Exception):
    """A page may not be seen; the text says why, for the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to connect to for a page: the IP address is the one that was checked.

    Attributes:
        page: The page.
        address: The IP address to connect to.
    """

    page: Address
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which pages an agent may see.

    An entry is a host, which stands for its subdomains too, or an IP address, or either with a path and
    a query: ``github.com/owner/name``, ``openreview.net/forum?id=x``.

    Attributes:
        mode: Nothing, what ``allowed`` names, or everything public but ``blocked``.
        allowed: Entries that may be seen. Only an IP address that is named here may be a private one.
        blocked: Entries that may not be seen, nor anything in whose address they are named.
    """

    mode: Mode = "none"
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def check(self, url: str) -> Target:
        """Return where to connect to for a page.

        Raises:
            RefusedError: It may not be seen, or there is no such host.
        """
        page = self._check_names(url)
        return Target(page=page, address=self._resolve(page.host, page.port))

    def permits(self, url: str) -> bool:
        """Tell whether a page may be seen, without asking for its host."""
        try:
            self._check_names(url)
        except RefusedError:
            return False
        return True

    def _check_names(self, url: str) -> Address:
        if self.mode == "none":
            raise RefusedError("this task is worked on without the web")
        try:
            page = parse_address(url)
        except ValueError as error:
            raise RefusedError(str(error)) from None
        if self.mode == "allow" and not any(_covers(entry, page, every=True) for entry in self.allowed):
            raise RefusedError(f"{page.host} is not among the sites of this task: {', '.join(self.allowed)}")
        if any(_is_about(entry, page) for entry in self.blocked):
            raise RefusedError(f"{url} is not to be seen in this task: it holds what is to be found out")
        return page

    def _resolve(self, host: str, port: int) -> str:
        """Return an address of a host, all of whose addresses must be public.

        The caller connects to this very address, so that a name that points elsewhere a moment later
        leads nowhere else. That a name is allowed does not make a private address so.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError):
            raise RefusedError(f"there is no host {host}") from None
        addresses = [str(entry[4][0]) for entry in found]
        private = [address for address in addresses if not is_public(address)]
        if not set(private) <= set(self.allowed):
            raise RefusedError(f"{host} is a private address, which agents may not reach")
        return addresses[0]


def as_entry(text: str) -> str:
    """Return an entry of a policy as it is compared, from one or from the address of a page."""
    return text.partition("://")[2].rstrip("/") if "://" in text else text.rstrip("/")


def _is_about(entry: str, page: Address) -> bool:
    """Tell whether a page is what a blocked entry names, or a copy whose address says so."""
    plain = entry.lower().removeprefix("www.")
    named = any(re.search(pattern, page.text) for pattern in _traces(plain))
    return named or _covers(plain, page, every=False)


def _traces(entry: str) -> list[str]:
    """What of an entry gives away its subject wherever it stands in an address."""
    numbers = {number.rstrip("/") for pattern in _IDENTIFIERS for number in pattern.findall(entry)}
    host, _, path = entry.partition("/")
    parts = [part for part in path.split("/") if part]
    names = {entry} if parts else set()
    if host in _FORGES and len(parts) > 1:
        names.add("/".join(parts[:2]).removesuffix(".git"))
    return [
        *(rf"(?<![\w.]){re.escape(number)}(?![0-9])" for number in numbers),
        *(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in names),
    ]


def _covers(entry: str, page: Address, *, every: bool) -> bool:
    """Tell whether a page is an entry's, in every reading of its path or in any."""
    where, _, below = entry.lower().partition("/")
    try:
        host = plain_host(where if where.count(":") > 1 else where.partition(":")[0])
    except ValueError:
        return False
    if page.host != host and not page.host.endswith(f".{host}"):
        return False
    path, _, query = below.partition("?")
    wanted = plain_path(path)
    fits = (_is_below(path, wanted) for path in page.paths)
    return (all(fits) if every else any(fits)) and plain_query(query) <= page.query


def _is_below(path: str, wanted: str) -> bool:
    return wanted in {"/", path} or path.startswith((f"{wanted}/", f"{wanted}."))
