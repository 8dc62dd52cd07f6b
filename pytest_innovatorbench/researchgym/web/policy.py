"""Which pages an agent may see."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

Mode: TypeAlias = Literal["none", "allow", "open"]
_PORTS = {"http": 80, "https": 443}
_ARXIV = re.compile(r"(\d{4}\.\d{4,5})")


class RefusedError(Exception):
    """A page may not be seen; the text says why, for the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to connect to for a page: the address is the one that was checked.

    Attributes:
        url: The page.
        host: Its host, as the server and its certificate know it.
        address: The address to connect to.
        port: The port.
    """

    url: SplitResult
    host: str
    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which pages an agent may see.

    An entry is a host, which stands for its subdomains too, or an address such as ``127.0.0.1``, or
    either with a path: ``github.com/owner/name``.

    Attributes:
        mode: Nothing, what ``allowed`` names, or everything public but ``blocked``.
        allowed: Entries that may be seen. Only an address that is named here may be a private one.
        blocked: Entries that may not be seen.
    """

    mode: Mode = "none"
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def check(self, url: str) -> Target:
        """Return where to connect to for a page.

        Raises:
            RefusedError: It may not be seen, or there is no such host.
        """
        parts, host, port = self._check_names(url)
        return Target(url=parts, host=host, address=self._resolve(host, port), port=port)

    def permits(self, url: str) -> bool:
        """Tell whether a page may be seen, without asking for its host."""
        try:
            self._check_names(url)
        except RefusedError:
            return False
        return True

    def _check_names(self, url: str) -> tuple[SplitResult, str, int]:
        parts, host, port = _split(url)
        if self.mode == "none":
            raise RefusedError("this task is worked on without the web")
        if self.mode == "allow" and not any(_covers(entry, host, parts.path) for entry in self.allowed):
            raise RefusedError(f"{host} is not among the sites of this task: {', '.join(self.allowed)}")
        covered = any(_covers(entry, host, parts.path) for entry in self.blocked)
        if covered or _names_blocked_paper(url, self.blocked):
            raise RefusedError(f"{url} is not to be seen in this task: it holds what is to be found out")
        return parts, host, port

    def _resolve(self, host: str, port: int) -> str:
        """Return an address of a host, all of whose addresses must be public.

        The caller connects to this very address, so that a name that points elsewhere a moment later
        leads nowhere else.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise RefusedError(f"there is no host {host}") from None
        addresses = [str(entry[4][0]) for entry in found]
        private = [address for address in addresses if not is_public(address)]
        if private and host not in self.allowed:
            raise RefusedError(f"{host} is a private address, which agents may not reach")
        return addresses[0]


def as_entry(text: str) -> str:
    """Return an entry of a policy as it is compared, from one or from the address of a page."""
    return text.partition("://")[2].rstrip("/") if "://" in text else text.rstrip("/")


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet."""
    parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (mapped is None or is_public(str(mapped)))


def _split(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise RefusedError(f"{url!r} is no address of a page") from None
    if parts.scheme not in _PORTS or not host:
        raise RefusedError(f"{url!r} is no address of a page; it begins with https:// or http://")
    if parts.username is not None:
        raise RefusedError("an address may not hold a user name")
    return parts, host, port or _PORTS[parts.scheme]


def _covers(entry: str, host: str, path: str) -> bool:
    where, _, below = entry.lower().partition("/")
    if host.lower() != where and not host.lower().endswith(f".{where}"):
        return False
    wanted = f"/{below}".rstrip("/")
    return not below or path.lower() == wanted or path.lower().startswith((f"{wanted}/", f"{wanted}."))


def _names_blocked_paper(url: str, blocked: tuple[str, ...]) -> bool:
    """Tell whether an address anywhere holds the number of a preprint that is blocked."""
    numbers = {number for entry in blocked for number in _ARXIV.findall(entry)}
    return any(number in url for number in numbers)
