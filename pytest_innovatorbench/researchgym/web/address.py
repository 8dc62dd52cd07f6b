"""Addresses of pages in the one form in which they can be compared, however they are written."""

from __future__ import annotations

import ipaddress
import posixpath
import re
import socket
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_ROUNDS = 5  # of decoding what was encoded more than once
_MAPPED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind a translator


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address of a page.

    Attributes:
        scheme: ``http`` or ``https``.
        host: A name in ASCII and lower case, or an IP address in its usual form.
        port: The port.
        path: The path as it is written, with the query.
        paths: The path without the query, as it is written and as a server may read it, in lower case.
        query: Names and values of the query, in lower case.
        text: All of it, decoded and in lower case.
    """

    scheme: str
    host: str
    port: int
    path: str
    paths: frozenset[str]
    query: frozenset[tuple[str, str]]
    text: str


def parse_address(url: str) -> Address:
    """Take an address apart.

    Raises:
        ValueError: It is none of a page; the text says why.
    """
    try:
        parts = urlsplit(url.strip())
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"{url[:200]!r} is no address of a page") from None
    if parts.scheme not in _PORTS or not name:
        raise ValueError(f"{url[:200]!r} is no address of a page; it begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address may not hold a user name")
    path = parts.path or "/"
    return Address(
        scheme=parts.scheme,
        host=plain_host(name),
        port=port or _PORTS[parts.scheme],
        path=f"{path}?{parts.query}" if parts.query else path,
        paths=frozenset({path.lower(), plain_path(path)}),
        query=plain_query(parts.query),
        text=_decode(url).lower(),
    )


def plain_host(name: str) -> str:
    """Return a host's name in ASCII and lower case, or its IP address in its usual form.

    Raises:
        ValueError: It is none.
    """
    try:
        if ":" in name and "%" not in name:
            return str(ipaddress.IPv6Address(name.strip("[]")))
        plain = name.encode("idna").decode("ascii").rstrip(".").lower()
    except ValueError:
        plain = ""
    if not _NAME.fullmatch(plain):
        raise ValueError(f"{name[:200]!r} is no name of a host")
    if not _NUMBER.fullmatch(plain.rpartition(".")[2]):
        return plain
    try:  # one number, octal or hexadecimal ones: the system takes them all for an address
        return socket.inet_ntoa(socket.inet_aton(plain))
    except OSError:
        raise ValueError(f"{name[:200]!r} is no name of a host") from None


def plain_path(path: str) -> str:
    """Return a path decoded, without detours, in lower case."""
    return posixpath.normpath("/" + _decode(path).replace("\\", "/").lstrip("/")).lower()


def plain_query(query: str) -> frozenset[tuple[str, str]]:
    """Return names and values of a query, in lower case."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return frozenset()
    return frozenset((name.lower(), value.lower()) for name, value in pairs)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet."""
    parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        behind = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _MAPPED:
            behind = ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)
        if behind is not None:
            return is_public(str(behind))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _decode(text: str) -> str:
    for _ in range(_ROUNDS):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    return text
