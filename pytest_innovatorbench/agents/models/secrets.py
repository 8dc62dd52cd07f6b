"""Keeping keys out of what is written."""

from __future__ import annotations

import os
import re
from typing import Any

_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 8  # a shorter one could be any word
_HIDDEN = "[a key]"
_named: set[str] = set()


def name_key(variable: str) -> None:
    """Take note that an environment variable holds a key, whatever it is called."""
    _named.add(variable)


def redact(text: str) -> str:
    """Return a text without the values of environment variables that hold keys."""
    values = [
        value
        for name, value in os.environ.items()
        if (name in _named or _NAMES.search(name)) and len(value) >= _SHORTEST
    ]
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, _HIDDEN)
    return text


def redact_values(value: Any) -> Any:  # noqa: ANN401 - plain JSON values
    """Return plain JSON values with `redact` done to every text in them."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(str(key)): redact_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact_values(inner) for inner in value]
    return value
