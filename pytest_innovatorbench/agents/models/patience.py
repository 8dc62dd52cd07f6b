"""Asking again where a provider fails for a while."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.models.base import ModelBusyError, ModelError

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.models.values import Reply

_LONGEST_WAIT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a failing provider is put up with.

    Attributes:
        seconds: From the first failure on, until the agent gives up.
        first_wait: Seconds before the second try; they double with each.
    """

    seconds: float = 3600.0
    first_wait: float = 1.0


def ask_patiently(
    ask: Callable[[], Reply],
    patience: Patience,
    *,
    said: Callable[[str, float], None],
    wait: Callable[[float], None] = time.sleep,
) -> Reply:
    """Return a model's answer, asking again while its provider fails.

    Args:
        ask: Asks it once.
        patience: For how long.
        said: Told of each failure: what it was, and the seconds until the next try.
        wait: Lets seconds pass; what it raises ends the asking.

    Raises:
        ModelError: The patience is at an end, or asking again would not help.
    """
    started, tries = time.monotonic(), 0
    while True:
        try:
            return ask()
        except ModelBusyError as error:
            pause = _pause(error, patience, tries)
            if time.monotonic() + pause - started > patience.seconds:
                raise ModelError(f"{error}; gave up after {tries + 1} tries") from error
            said(str(error), pause)
            wait(pause)
            tries += 1


def _pause(error: ModelBusyError, patience: Patience, tries: int) -> float:
    """Return seconds to wait: what the provider asks for, else longer each time, with chance in it.

    Without chance, attempts that were refused together would all come back together.
    """
    longest = min(_LONGEST_WAIT, patience.first_wait * 2 ** min(tries, 20))
    backoff = longest * random.uniform(0.5, 1.0)  # noqa: S311 - nobody is to be fooled by it
    return backoff if error.wait is None else max(error.wait, patience.first_wait * random.uniform(0, 0.5))  # noqa: S311 - as above
