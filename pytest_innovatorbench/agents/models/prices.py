"""What answers cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.models.values import Usage

_PER = 1e6  # tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model's tokens cost, in US dollars a million.

    Attributes:
        input: Read.
        output: Written.
        cache_read: Read from a cache; like ``input`` if left out.
        cache_write: Put into a cache; like ``input`` if left out.
    """

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None

    def of(self, usage: Usage) -> float:
        """Return what tokens cost, in US dollars."""
        read = self.input if self.cache_read is None else self.cache_read
        written = self.input if self.cache_write is None else self.cache_write
        return (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * read
            + usage.cache_write * written
        ) / _PER


def find_price(model: str, own: Mapping[str, Price]) -> Price | None:
    """Return a model's price: the user's, else the table's; the longest pattern that fits counts.

    Args:
        model: Name of the model.
        own: Prices by model or pattern.
    """
    for table in (own, known_prices()):
        fitting = [pattern for pattern in table if fnmatchcase(model, pattern)]
        if fitting:
            return table[max(fitting, key=len)]
    return None


@cache
def known_prices() -> Mapping[str, Price]:
    """Return the prices that come with the package, by pattern."""
    import yaml  # noqa: PLC0415 - not needed to import the plugin

    text = files(__package__).joinpath("prices.yaml").read_text("utf-8")
    return {pattern: Price(**price) for pattern, price in yaml.safe_load(text).items()}
