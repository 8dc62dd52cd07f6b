"""What values a scaffold may have, and what may be done with them: functions and methods of bounded size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

LARGEST_INTEGER = 10**12
MOST_CHARACTERS = 2_000
MOST_ITEMS = 500
MOST_PLACES = 12

Value = Any
"""A number, text, True, False, None, or a list, tuple or dictionary of values."""


class ScaffoldError(ValueError):
    """A scaffold can't be read, or can't go on; the message says why, for its author."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line

    def __str__(self) -> str:
        return f"line {self.line}: {self.args[0]}" if self.line else str(self.args[0])


def is_number(value: Value) -> bool:
    """Say whether it is a number; True and False are."""
    return isinstance(value, int | float)


def is_scalar(value: Value) -> bool:
    """Say whether it has no items."""
    return value is None or isinstance(value, int | float | str)


def measure(value: Value) -> int:
    """Return what it costs to make a value, or raise if it is too large."""
    if isinstance(value, str):
        return _hold(len(value), MOST_CHARACTERS, "texts have at most {} characters") // 10
    if isinstance(value, list | tuple | dict):
        return _hold(len(value), MOST_ITEMS, "lists and dictionaries have at most {} items")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ScaffoldError("a number is not finite")
    elif value is not None and abs(value) > LARGEST_INTEGER:
        raise ScaffoldError("an integer is beyond 10**12")
    return 0


def _hold(size: int, limit: int, said: str) -> int:
    if size > limit:
        raise ScaffoldError(said.format(limit))
    return size


def items_of(value: Value) -> list[Value]:
    """Return what a loop goes through, as it is now."""
    if not isinstance(value, list | tuple | dict | str):
        raise ScaffoldError("only lists, tuples, dictionaries and texts have items")
    items = list(value)
    measure(items)
    return items


def repeat(value: Value, times: Value) -> Value:
    """Return a text, list or tuple several times, after a look at how long that will be."""
    if not isinstance(times, int):
        raise ScaffoldError("texts and lists are multiplied by integers")
    limit = MOST_CHARACTERS if isinstance(value, str) else MOST_ITEMS
    _hold(len(value) * max(0, times), limit, "the product has more than {} items or characters")
    return value * times


def look_up(value: Value, key: Value) -> Value:
    """Return an item."""
    if isinstance(value, dict):
        return value[_check_key(key)]
    if isinstance(value, list | tuple | str) and isinstance(key, int):
        return value[key]
    raise ScaffoldError("items are looked up by an integer, or in a dictionary by a key")


def store(value: Value, key: Value, item: Value) -> None:
    """Set an item."""
    if isinstance(value, dict):
        value[_check_key(key)] = item
    elif isinstance(value, list) and isinstance(key, int):
        value[key] = item
    else:
        raise ScaffoldError("only items of lists and dictionaries can be set")
    measure(value)


def _check_key(key: Value) -> Value:
    if not is_scalar(key):
        raise ScaffoldError("keys are numbers, texts, True, False or None")
    return key


def _numbers(value: Value) -> list[Value]:
    items = items_of(value)
    if not all(map(is_number, items)):
        raise ScaffoldError("these are not all numbers")
    return items


def _comparable(items: list[Value]) -> list[Value]:
    """See that items can be put in order: all numbers, all texts, or all tuples of such."""
    for item in items:
        parts = item if isinstance(item, tuple) else (item,)
        if not all(is_number(part) or isinstance(part, str) for part in parts):
            raise ScaffoldError("only numbers, texts and tuples of them have an order")
    return items


def _extreme(choose: Callable[..., Value]) -> Callable[..., Value]:
    return lambda *values: choose(_comparable(items_of(values[0]) if len(values) == 1 else list(values)))


def _sum(value: Value) -> Value:
    total = sum(_numbers(value))
    measure(total)
    return total


def _range(*bounds: Value) -> list[int]:
    if not all(isinstance(bound, int) for bound in bounds):
        raise ScaffoldError("range takes integers")
    numbers = range(*bounds)
    _hold(len(numbers), MOST_ITEMS, "range has at most {} items")
    return list(numbers)


def _round(value: Value, places: Value = 0) -> Value:
    if not is_number(value) or not isinstance(places, int) or abs(places) > MOST_PLACES:
        raise ScaffoldError("round takes a number and a few places")
    return round(float(value), places) if places else round(value)


def _int(value: Value) -> int:
    if isinstance(value, str) and not (value.isascii() and len(value) <= MOST_PLACES):
        raise ScaffoldError("this text is no integer")
    if not isinstance(value, int | float | str):
        raise ScaffoldError("only numbers and texts become integers")
    return int(value)


def _str(value: Value) -> str:
    if not is_scalar(value):
        raise ScaffoldError("only numbers, texts, True, False and None become texts")
    return str(value)


def _len(value: Value) -> int:
    return len(items_of(value))


def _math(function: Callable[[float], float]) -> Callable[[Value], float]:
    def apply(value: Value) -> float:
        if not is_number(value):
            raise ScaffoldError("this function takes a number")
        return function(value)

    return apply


def _counts(value: Value) -> list[Value]:
    """Return pairs of item and number, the most frequent first, equally frequent ones as they came."""
    numbers: dict[Value, int] = {}
    for item in items_of(value):
        key = _check_key(item)
        numbers[key] = numbers.get(key, 0) + 1
    return sorted(numbers.items(), key=lambda pair: -pair[1])


FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "abs": (_math(abs), 1, 1),
    "all": (lambda value: all(items_of(value)), 1, 1),
    "any": (lambda value: any(items_of(value)), 1, 1),
    "bool": (bool, 1, 1),
    "counts": (_counts, 1, 1),
    "enumerate": (lambda value: list(enumerate(items_of(value))), 1, 1),
    "exp": (_math(math.exp), 1, 1),
    "int": (_int, 1, 1),
    "len": (_len, 1, 1),
    "list": (items_of, 1, 1),
    "log": (_math(math.log), 1, 1),
    "max": (_extreme(max), 1, 9),
    "min": (_extreme(min), 1, 9),
    "range": (_range, 1, 2),
    "reversed": (lambda value: items_of(value)[::-1], 1, 1),
    "round": (_round, 1, 2),
    "sorted": (lambda value: sorted(_comparable(items_of(value))), 1, 1),
    "sqrt": (_math(math.sqrt), 1, 1),
    "str": (_str, 1, 1),
    "sum": (_sum, 1, 1),
    "zip": (lambda one, other: list(zip(items_of(one), items_of(other), strict=False)), 2, 2),
}
"""Function, fewest and most arguments."""


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ScaffoldError("this method is one of texts, and takes texts")
    return value


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise ScaffoldError("this method is one of lists")
    return value


def _dict(value: Value) -> dict[Value, Value]:
    if not isinstance(value, dict):
        raise ScaffoldError("this method is one of dictionaries")
    return value


def _append(value: Value, item: Value) -> None:
    _list(value).append(item)
    measure(value)


def _replace(value: Value, old: Value, new: Value) -> str:
    if not _text(old):
        raise ScaffoldError("what is replaced is not empty")
    growth = _text(value).count(old) * len(_text(new))
    _hold(len(value) + growth, MOST_CHARACTERS, "texts have at most {} characters")
    return str(value.replace(old, new))


def _join(value: Value, parts: Value) -> str:
    texts = [_text(part) for part in items_of(parts)]
    size = sum(map(len, texts)) + len(_text(value)) * len(texts)
    _hold(size, MOST_CHARACTERS, "texts have at most {} characters")
    return str(value.join(texts))


def _count(value: Value, item: Value) -> int:
    if isinstance(value, str):
        return value.count(_text(item))
    return items_of(value).count(_check_key(item))


METHODS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "append": (_append, 1, 1),
    "count": (_count, 1, 1),
    "endswith": (lambda value, end: _text(value).endswith(_text(end)), 1, 1),
    "get": (lambda value, key, other=None: _dict(value).get(_check_key(key), other), 1, 2),
    "items": (lambda value: list(_dict(value).items()), 0, 0),
    "join": (_join, 1, 1),
    "keys": (lambda value: list(_dict(value)), 0, 0),
    "lower": (lambda value: _text(value).lower(), 0, 0),
    "pop": (lambda value: _list(value).pop(), 0, 0),
    "replace": (_replace, 2, 2),
    "split": (lambda value, mark: _text(value).split(_text(mark)), 1, 1),
    "startswith": (lambda value, start: _text(value).startswith(_text(start)), 1, 1),
    "strip": (lambda value: _text(value).strip(), 0, 0),
    "values": (lambda value: list(_dict(value).values()), 0, 0),
}
"""Function, fewest and most arguments besides the value."""
