"""Answers of the web that are kept for a while."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

KEPT_SECONDS = 86_400.0
MOST_KEPT = 256
MOST_BYTES = 128 << 20

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """Keeps answers for a day, the newest of them, as long as they are not too large together."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, int, Answer]] = {}
        self._books = threading.Lock()

    def get(self, key: Hashable) -> Answer | None:
        """Return an answer that is not too old, or ``None``."""
        with self._books:
            kept = self._answers.get(key)
        return None if kept is None or time.monotonic() - kept[0] >= KEPT_SECONDS else kept[2]

    def put(self, key: Hashable, answer: Answer, size: int = 0) -> None:
        """Keep an answer.

        Args:
            key: What it answers.
            answer: The answer.
            size: Its bytes.
        """
        with self._books:
            self._answers.pop(key, None)
            self._answers[key] = (time.monotonic(), size, answer)
            while (
                len(self._answers) > MOST_KEPT or sum(kept[1] for kept in self._answers.values()) > MOST_BYTES
            ):
                self._answers.pop(next(iter(self._answers)))
