"""What answers of a model took, read as they pass by."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from pytest_innovatorbench.agents.models.values import Usage

_LONGEST = 64 << 20


class Meter:
    """Reads one answer, a stream of events or a whole one, in Anthropic's Messages or OpenAI's Responses.

    Args:
        is_stream: Whether it comes as events.

    Attributes:
        model: The model that says it answered.
        stop: Why it stopped, in its provider's words.
    """

    def __init__(self, *, is_stream: bool) -> None:
        self.model: str | None = None
        self.stop: str | None = None
        self._is_stream = is_stream
        self._counted: dict[str, Any] = {}
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._rest += data
        if self._is_stream and b"\n" in data:
            *lines, self._rest = self._rest.split(b"\n")
            for line in lines:
                self._take(line.partition(b"data:")[2])
        if len(self._rest) > _LONGEST:
            self._rest = b""

    def usage(self) -> Usage | None:
        """Return what the answer took, or ``None`` if it does not say."""
        self._take(self._rest.partition(b"data:")[2] if self._is_stream else self._rest)
        self._rest = b""
        if not self._counted:
            return None
        details = self._counted.get("input_tokens_details")
        cached = _count(details, "cached_tokens")
        return Usage(
            input=max(0, _count(self._counted, "input_tokens") - cached),
            output=_count(self._counted, "output_tokens"),
            cache_read=cached + _count(self._counted, "cache_read_input_tokens"),
            cache_write=_count(self._counted, "cache_creation_input_tokens"),
        )

    def _take(self, text: bytes) -> None:
        if b'"usage"' not in text:
            return
        with suppress(ValueError, RecursionError):
            event = json.loads(text)
            whole = next((event[name] for name in ("message", "response") if event.get(name)), event)
            for part in (whole, whole.get("delta") or {}):
                self._read(part)

    def _read(self, part: dict[str, Any]) -> None:
        """Take figures; later ones of the same name count, since they are of more of the answer."""
        usage = part.get("usage")
        if isinstance(usage, dict):
            self._counted |= {name: value for name, value in usage.items() if value is not None}
        self.model = part.get("model") or self.model
        self.stop = part.get("stop_reason") or part.get("status") or self.stop


def _count(values: object, name: str) -> int:
    value = values.get(name) if isinstance(values, dict) else 0
    return value if isinstance(value, int) and value > 0 else 0
