"""What programs print, as far as a record takes it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.clients import hearing
from pytest_innovatorbench.agents.clients.hearing import listen

if TYPE_CHECKING:
    import pytest


class Gym:
    """Takes what is noted."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, kind: str, /, *, said: str) -> None:
        assert kind == "client"
        self.said.append(said)


def hear(data: bytes) -> tuple[list[Any], list[str], str]:
    gym, heard = Gym(), list[Any]()
    last = listen(io.BytesIO(data), gym, heard.append)  # type: ignore[arg-type]  # all that it is asked for
    return heard, gym.said, last


def test_objects_are_heard_and_other_lines_noted() -> None:
    heard, said, last = hear(b'{"a": 1}\n\nwords \xff\n[1]\n{"b": NaN}\n{"c": 2}')
    assert heard == [{"a": 1}, {"c": 2}]
    assert said == ["words \ufffd", "[1]", '{"b": NaN}']
    assert last == '{"c": 2}'


def test_keys_are_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-secret-0123456789")
    assert hear(b"it is sk-secret-0123456789\n")[1] == ["it is [a key]"]


def test_of_a_line_that_is_too_long_the_beginning_is_noted() -> None:
    heard, said, _ = hear(b"x" * 3_000_000 + b'\n{"a": 1}\n')
    assert heard == [{"a": 1}]
    assert said == ["x" * 200_000]


def test_deep_nesting_is_text() -> None:
    heard, said, _ = hear(b'{"a":' * 100_000 + b"\n")
    assert (heard, len(said)) == ([], 1)


def test_who_says_too_much_is_heard_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "_MOST", 20)
    heard, said, last = hear(b'{"a": 1}\n{"a": 2}\n{"a": 3}\n{"a": 4}\n')
    assert heard == [{"a": 1}, {"a": 2}]
    assert said == ["It said more than 20 bytes; the rest is left out."]
    assert last == '{"a": 4}'
