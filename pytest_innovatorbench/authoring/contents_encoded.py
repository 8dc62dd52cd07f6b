"""What texts hold in base64 or as hexadecimal digits, which hides it from who only looks for words."""

from __future__ import annotations

import binascii
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from pytest_innovatorbench.authoring.contents_files import MOST_WHOLE, sniff

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FOUND = 100  # in one text
_LEAST = 64  # characters that are worth a look
_RECORDS = 8
_PIECE = re.compile(rb"(?<![A-Za-z0-9+/_-])(?=[+/_-]*+[A-Za-z0-9])[A-Za-z0-9+/_-]{8,}={0,2}")
_END = re.compile(rb"[A-Za-z0-9+/_-]{2,7}={0,2}(?![A-Za-z0-9])")
# Line ends, indents, and what joins a string to the next one.
_GAP = re.compile(rb"(?:[^A-Za-z0-9+/_-]|(?<=\s)[+/_-]{1,3}(?=[\s=])){1,40}(?:b[\"'])?")
_PAIRS = re.compile(rb"(?<![0-9A-Fa-f])(?:(?:\\x|0x)?[0-9A-Fa-f]{2}[\s,:]{0,3}){32,}")
_PREFIX = re.compile(rb"\\x|0x|[\s,:]")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ZLIB = b"\x78"


class Encoded(NamedTuple):
    """What a part of a text stands for.

    Attributes:
        how: ``"base64"`` or ``"hex"``.
        line: Where it begins, from 1.
        data: What it stands for: text, or a file of a known format.
    """

    how: str
    line: int
    data: bytes


def find_encoded(data: bytes, most: int = MOST_FOUND) -> Iterator[Encoded]:
    """Yield what parts of a text stand for, up to so many, where that is text or of a known format."""
    data = data.replace(b"\\n", b"  ")  # line ends within a string of JSON or Python
    found = (one for runs in (_in_hex(data), _in_base64(data)) for one in runs)
    for count, (place, how, meant) in enumerate(found, start=1):
        yield Encoded(how=how, line=data.count(b"\n", 0, place) + 1, data=meant)
        if count == most:
            return


def _in_hex(data: bytes) -> Iterator[tuple[int, str, bytes]]:
    for match in _PAIRS.finditer(data):
        meant = _meant(binascii.unhexlify(_PREFIX.sub(b"", match[0])))
        if meant:
            yield match.start(), "hex", meant


def _in_base64(data: bytes) -> Iterator[tuple[int, str, bytes]]:
    for pieces in _runs(data):
        texts = [(block[0].start(), _decoded(_join(block))) for block in _blocks(pieces)]
        each = (pieces[0].start(), _decoded_each(pieces))
        place, meant = max((*texts, each), key=_fullness)
        if meant:
            yield place, "base64", meant


def _fullness(found: tuple[int, bytes | None]) -> int:
    """Count what was found, without the line ends that are put between records."""
    return len(found[1].replace(b"\n", b"")) if found[1] else 0


def _runs(data: bytes) -> Iterator[list[re.Match[bytes]]]:
    """Yield pieces that could be lines or strings of one text."""
    place = 0
    while first := _PIECE.search(data, place):
        pieces, place = [first], first.end()
        while gap := _GAP.match(data, place):
            following = _PIECE.match(data, gap.end()) or _END.match(data, gap.end())
            if not following:
                break
            pieces.append(following)
            place = following.end()
        if sum(len(piece[0]) for piece in pieces) >= _LEAST:
            yield pieces


def _blocks(pieces: list[re.Match[bytes]]) -> Iterator[list[re.Match[bytes]]]:
    """Yield the longest pieces, which are lines of one text, with what may be the rest of it."""
    longest = max(len(piece[0]) for piece in pieces)
    lines = [piece for piece in pieces if len(piece[0]) == longest]
    behind = pieces[pieces.index(lines[-1]) + 1 :]
    yield from ([*lines, rest] for rest in behind[:2])  # the first may be a name that comes in between
    yield lines


def _join(pieces: list[re.Match[bytes]]) -> bytes:
    return b"".join(piece[0] for piece in pieces)


def _decoded_each(pieces: list[re.Match[bytes]]) -> bytes | None:
    """Return what was encoded record by record, one below the other."""
    texts = [text for piece in pieces if (text := _decoded(piece[0]))]
    return b"\n".join(texts) if len(texts) >= _RECORDS else None


def _decoded(piece: bytes) -> bytes | None:
    digits = piece.translate(_URL_SAFE).rstrip(b"=")
    if b"=" in digits:
        return None
    whole = digits[: len(digits) - (len(digits) % 4 == 1)]
    return _meant(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))


def _meant(data: bytes) -> bytes | None:
    """Return text or a file of a known format, inflated if need be; ``None`` for chance bytes."""
    if data.startswith(_ZLIB):
        try:
            data = zlib.decompressobj().decompress(data, MOST_WHOLE)
        except zlib.error:
            return None
    if sniff("", data) not in {"text", "opaque"}:
        return data
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return data if text and "".join(text.split()).isprintable() else None
