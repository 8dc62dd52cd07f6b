"""What a sentence says of GPUs: how many, and how much memory each has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_innovatorbench.tasks.figures import COUNT, DIGITS, Figure, find_sizes, read_number, read_size

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODEL = (
    r"(?:A100|A800|A6000|A40|A30|A10G?|B200|B100|GB200|H100|H200|H800|H20|L40S?|L4|T4|V100|P100"
    r"|MI\d{3}X?|RTX[\s-]?\w+)"
)
_DEVICE = rf"(?:GPUs?|{_MODEL}s?|graphics\s+cards?)"
_GB = r"(?:[MGT]i?B|G)(?![A-Za-z_/])"
_TIMES = r"\s*[x\u00d7*]\s*"
# 8 x 80 GB, 8x A100-80GB, 8 * (NVIDIA H100 80GB)
_PRODUCT = re.compile(
    rf"(?<![\w.])(?P<count>{COUNT})(?:{_TIMES}|\s+)\(?\s*(?:(?:NVIDIA|AMD|{_DEVICE})[\s(,@-]*){{0,3}}"
    rf"(?P<size>{DIGITS})\s*-?\s*(?P<unit>{_GB})(?P<after>[\s-]*(?:of\s+)?(?:[A-Za-z]+\s+)?\w*)",
    re.IGNORECASE,
)
_TURNED = re.compile(
    rf"(?<![\w.])(?P<size>{DIGITS})\s*(?P<unit>{_GB}){_TIMES}(?P<count>{DIGITS})(?![\w.])", re.IGNORECASE
)
_LABEL = re.compile(
    r"\bGPUs?(?:\s+(?:count|number|limit))?(?:\s*\([^)]*\))?[*_`]*\s*(?:[:=|\u2013\u2014-]|\bis\b|\bare\b)[\s*_`:]*"
    rf"(?:(?:at\s+most|up\s+to|exactly|maximum|max\.?|<=|\u2264)\s*)?(?P<count>{COUNT}|none)\b"
    rf"(?!\.\d|\s*(?:{_GB}|[x\u00d7*]|[ap]\.?m\b|hours?|h\b))",
    re.IGNORECASE,
)
_UNITS = r"(?:GB|GiB|MB|MiB|TB|G|hours?|h|minutes?|min|seconds?|s|days?|of|per|for|each|on|in|and|or|CPUs?)\b"
_NUMBERED = re.compile(
    rf"(?<![\w.,])(?P<count>{COUNT})(?:{_TIMES}|[\s-]+)(?:(?!{_UNITS})[\w-]+\s+){{0,3}}?{_DEVICE}\b",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"\b{_DEVICE}(?:[\s-]*{DIGITS}\s*GB)?{_TIMES}(?P<count>{DIGITS})(?![\w.])", re.IGNORECASE
)
_NONE = re.compile(
    r"\b(?:no|zero)\s+GPUs?\b|\bwithout\s+(?:an?\s+|any\s+)?GPUs?\b|\bCPUs?[\s-]only\b|\bonly\s+(?:on\s+)?(?:a\s+|the\s+)?CPUs?\b"
    r"|\bCPUs?\s+alone\b|\bGPUs?\b[\s:*_`(|\u2013\u2014-]+(?:none|no\b|n/a|not\s+(?:needed|used|required|available))"
    r"|\bGPUs?\s+(?:is|are)\s+not\b|\bGPU-free\b",
    re.IGNORECASE,
)
_ONE = re.compile(rf"(?<!of )(?<!per )\ban?\s+(?:(?!{_UNITS})[\w-]+\s+){{0,2}}?{_DEVICE}\b", re.IGNORECASE)
_OF_GPU = re.compile(
    rf"\b(?:{_DEVICE}|VRAM|HBM\w*|devices?|cards?|memory\s+(?:of\s+|for\s+)?each)\b", re.IGNORECASE
)
_OF_HOST = re.compile(
    r"\b(?:CPUs?|RAM|DRAM|main|system|host|machine|disk|storage|server|node|file|download|data(?:set)?)\b",
    re.IGNORECASE,
)
_NEXT_HOST = re.compile(
    r"[\s)-]*(?:of\s+)?(?:CPU|RAM|DRAM|main|system|host|(?:local\s+|free\s+)?disk|storage)\b", re.IGNORECASE
)
_NEXT_GPU = re.compile(
    rf"[\s)-]*(?:of\s+)?(?:memory\s+)?(?:VRAM|HBM|{_DEVICE}|each\b|(?:per|on\s+each|for\s+each)\s+(?:{_DEVICE}|device|card))",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """A figure on GPUs in a sentence.

    Attributes:
        value: Number of GPUs, or GB of each.
        start: Where it begins.
        rank: How surely it is one; the least is the surest.
    """

    value: float
    start: int
    rank: int


def find_counts(text: str) -> Iterator[Found]:
    """Yield what could be the number of GPUs."""
    for match in _LABEL.finditer(text):
        count = match["count"].lower()
        yield Found(0.0 if count == "none" else read_number(count), match.start(), 0)
    for match in (*_products(text), *_TURNED.finditer(text)):
        yield Found(read_number(match["count"]), match.start(), 1)
    for pattern in (_NUMBERED, _BEHIND):
        for match in pattern.finditer(text):
            yield Found(read_number(match["count"]), match.start(), 2)
    yield from (Found(0.0, match.start(), 3) for match in _NONE.finditer(text))
    yield from (Found(1.0, match.start(), 4) for match in _ONE.finditer(text))


def find_memories(text: str) -> Iterator[Found]:
    """Yield what could be the memory of each GPU."""
    products = [*_products(text), *_TURNED.finditer(text)]
    for match in products:
        yield Found(read_size(match["size"], match["unit"]), match.start(), 0)
    for size in find_sizes(text):
        inside = any(match.start() <= size.start < match.end() for match in products)
        if not inside and _is_of_gpu(text, size):
            yield Found(size.value, size.start, 1)


def _products(text: str) -> Iterator[re.Match[str]]:
    """Yield ``8 x 80 GB``, and ``one 24 GB GPU`` where the GPU is named."""
    for match in _PRODUCT.finditer(text):
        is_times = re.match(_TIMES, text[match.end("count") :]) is not None
        names_host = _NEXT_HOST.match(text, match.end("unit")) is not None
        names_gpu = re.search(rf"{_DEVICE}", match[0], re.IGNORECASE) is not None
        if not names_host and (is_times or names_gpu):
            yield match


def _is_of_gpu(text: str, size: Figure) -> bool:
    """Tell the memory of a GPU from that of a machine: by what follows, else by the last word before."""
    if _NEXT_HOST.match(text, size.end):
        return False
    if _NEXT_GPU.match(text, size.end):
        return True
    before = [(match.start(), True) for match in _OF_GPU.finditer(text, 0, size.start)]
    before += [(match.start(), False) for match in _OF_HOST.finditer(text, 0, size.start)]
    before += [(match.end(), False) for match in _NONE.finditer(text, 0, size.start)]
    if before:
        return max(before)[1]
    after = _NONE.sub("", text[size.end :])
    return bool(_OF_GPU.search(after)) and not _OF_HOST.search(after)
