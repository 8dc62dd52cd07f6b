"""The names by which users ask for models, and what stands behind them."""

from __future__ import annotations

import pytest

from pytest_innovatorbench.agents.models.prices import find_price
from pytest_innovatorbench.agents.react.kinds import SHORTHANDS


@pytest.mark.parametrize("name", SHORTHANDS)
def test_the_price_of_every_default_is_known(name: str) -> None:
    price = find_price(SHORTHANDS[name].model, {})
    assert price is not None
    assert 0 < price.input < price.output
    assert price.cache_read is not None
    assert price.cache_read < price.input
