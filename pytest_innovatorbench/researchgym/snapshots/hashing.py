"""The algorithms by which content is named and made smaller, as far as they are installed."""

from __future__ import annotations

import hashlib
import importlib
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from pytest_innovatorbench.errors import SnapshotError

Hash: TypeAlias = Callable[[bytes], str]

RAW, ZLIB, ZSTD = 0, 1, 2
_SMALLEST = 64  # bytes below which nothing is gained
_SAMPLE = 1 << 16
_LARGE = 1 << 20  # bytes from which zlib takes longer than a disk
_WORTH = 0.9
_EXTRA = "pip install 'pytest-innovatorbench[snapshots]'"


def best_hash() -> str:
    """Return the name of the fastest algorithm that is installed, for a store that is new."""
    return "sha256" if _load("blake3") is None else "blake3"


def find_hash(name: str) -> Hash:
    """Return the algorithm by which a store names content: bytes to 64 hexadecimal digits.

    Raises:
        SnapshotError: It is not installed, or not known.
    """
    if name == "sha256":
        return lambda data: hashlib.sha256(data).hexdigest()
    module = _load("blake3")
    if name != "blake3":
        raise SnapshotError(
            f"the store names content by {name!r}", remedy="use a newer version of this package"
        )
    if module is None:
        raise SnapshotError("the store names content by BLAKE3, which is not installed", remedy=_EXTRA)
    blake3 = module.blake3
    return lambda data: str(blake3(data).hexdigest())


class Codec:
    """Makes content smaller where that pays; for one thread."""

    def __init__(self) -> None:
        self._zstd = _zstd()

    def pack(self, data: bytes) -> tuple[int, bytes]:
        """Return how content is kept and the bytes that are kept."""
        if len(data) < _SMALLEST:
            return RAW, data
        if self._zstd is None and len(data) >= _LARGE:
            return RAW, data
        if len(data) > 2 * _SAMPLE and not self._pays(data[:_SAMPLE]):
            return RAW, data
        packed = self._compress(data)
        if len(packed) > _WORTH * len(data):
            return RAW, data
        return (ZLIB if self._zstd is None else ZSTD), packed

    def unpack(self, codec: int, data: bytes, size: int) -> bytes | None:
        """Return the content, ``None`` if it is not what was packed.

        Args:
            codec: How it is kept.
            data: The bytes that are kept.
            size: Bytes of the content; never more are made.

        Raises:
            SnapshotError: What it takes is not installed.
        """
        if codec == RAW:
            return data
        if codec == ZLIB:
            try:
                return zlib.decompressobj().decompress(data, size + 1)
            except zlib.error:
                return None
        if self._zstd is None:
            raise SnapshotError("the store holds Zstandard, which is not installed", remedy=_EXTRA)
        return self._zstd.decompress(data, size)

    def _pays(self, sample: bytes) -> bool:
        return len(self._compress(sample)) <= _WORTH * len(sample)

    def _compress(self, data: bytes) -> bytes:
        return zlib.compress(data, 1) if self._zstd is None else self._zstd.compress(data)


class _Standard:
    """Zstandard as it comes with Python 3.14.

    Args:
        module: ``compression.zstd``.
    """

    def __init__(self, module: Any) -> None:  # noqa: ANN401 - a module that may not be there
        self._module = module

    def compress(self, data: bytes) -> bytes:
        return bytes(self._module.compress(data, level=1))

    def decompress(self, data: bytes, size: int) -> bytes | None:
        try:
            return bytes(self._module.ZstdDecompressor().decompress(data, max_length=size + 1))
        except (self._module.ZstdError, EOFError):
            return None


class _Installed:
    """Zstandard as the package of that name has it.

    Args:
        module: ``zstandard``.
    """

    def __init__(self, module: Any) -> None:  # noqa: ANN401 - a module that may not be there
        self._module = module
        self._compressor = module.ZstdCompressor(level=1)
        self._decompressor = module.ZstdDecompressor()

    def compress(self, data: bytes) -> bytes:
        return bytes(self._compressor.compress(data))

    def decompress(self, data: bytes, size: int) -> bytes | None:
        try:
            if self._module.frame_content_size(data) != size:
                return None
            return bytes(self._decompressor.decompress(data))
        except self._module.ZstdError:
            return None


def _zstd() -> _Standard | _Installed | None:
    if (standard := _load("compression.zstd")) is not None:
        return _Standard(standard)
    return None if (installed := _load("zstandard")) is None else _Installed(installed)


@cache
def _load(name: str) -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
