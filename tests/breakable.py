"""A way to a computer that a test can cut."""

from __future__ import annotations

from typing import Any

from pytest_innovatorbench.researchgym.computers.transport import (
    Finished,
    ProcessTransport,
    Stream,
    UnreachableError,
)


class Breakable(ProcessTransport):
    """Can be cut: then nothing connects, and what was connected ends."""

    def __init__(self) -> None:
        super().__init__("the test host")
        self.is_cut = False
        self.streams: list[Stream] = []

    def connect(self, argv: Any) -> Stream:
        if self.is_cut:
            raise UnreachableError("the test host is cut off")
        self.streams.append(super().connect(argv))
        return self.streams[-1]

    def run(self, argv: Any, *, timeout: float, data: bytes = b"") -> Finished:
        if self.is_cut:
            raise UnreachableError("the test host is cut off")
        return super().run(argv, timeout=timeout, data=data)

    def cut(self) -> None:
        self.is_cut = True
        for stream in self.streams:
            stream.close()
