"""Asking again, for as long as it makes sense."""

from __future__ import annotations

import pytest

from pytest_innovatorbench.agents.models.base import ModelBusyError, ModelError
from pytest_innovatorbench.agents.models.patience import Patience, ask_patiently
from pytest_innovatorbench.agents.models.prices import Price, find_price, known_prices
from pytest_innovatorbench.agents.models.values import Message, Prompt, Reply, Usage

PROMPT = Prompt(system="", messages=())
REPLY = Reply(message=Message(role="assistant", text="yes"), stop="end")


class Moody:
    def __init__(self, *moods: Exception) -> None:
        self.moods = list(moods)

    def ask(self, _: Prompt) -> Reply:
        if self.moods:
            raise self.moods.pop(0)
        return REPLY


def ask(model: Moody, patience: Patience) -> tuple[Reply, list[float], list[float]]:
    told: list[float] = []
    waited: list[float] = []
    reply = ask_patiently(
        lambda: model.ask(PROMPT), patience, said=lambda _, pause: told.append(pause), wait=waited.append
    )
    return reply, told, waited


def test_waits_grow_and_vary() -> None:
    reply, told, waited = ask(Moody(*[ModelBusyError("no")] * 6), Patience(seconds=1000, first_wait=1.0))
    assert reply is REPLY
    assert told == waited
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waited))


def test_the_server_is_heard() -> None:
    _, told, _ = ask(Moody(ModelBusyError("no", wait=42.0)), Patience(seconds=1000))
    assert told == [42.0]


def test_patience_ends() -> None:
    with pytest.raises(ModelError, match=r"no; gave up after 1 tries"):
        ask(Moody(*[ModelBusyError("no")] * 99), Patience(seconds=0.0, first_wait=1.0))
    with pytest.raises(ModelError, match="gave up after 1 tries"):
        ask(Moody(ModelBusyError("no", wait=3600.0)), Patience(seconds=60.0))


def test_other_errors_pass() -> None:
    with pytest.raises(ModelError, match=r"^wrong key$"):
        ask(Moody(ModelError("wrong key")), Patience())


def test_prices_are_found_by_the_longest_pattern() -> None:
    own = {"m*": Price(input=1, output=1), "mine*": Price(input=2, output=8)}
    assert find_price("mine-7", own) == Price(input=2, output=8)
    assert find_price("nobody-knows", own) is None
    assert find_price("claude-haiku-4-5-20251001", {}) == known_prices()["claude-haiku-4-5*"]


def test_a_cache_has_prices_of_its_own() -> None:
    usage = Usage(input=1_000_000, output=1_000_000, cache_read=1_000_000, cache_write=1_000_000)
    assert Price(input=1, output=2).of(usage) == pytest.approx(5)
    assert Price(input=1, output=2, cache_read=0.1, cache_write=1.25).of(usage) == pytest.approx(4.35)
