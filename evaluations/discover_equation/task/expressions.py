"""Equations as text: a small language of arithmetic, read without running anything.

An equation becomes a syntax tree of a few allowed kinds of nodes, and the tree becomes numbers: the values of
each of its terms at given points. Python neither compiles nor evaluates any of it.
"""

from __future__ import annotations

import ast
import math
from operator import mul, truediv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_CHARACTERS = 400
MOST_PARTS = 150
MOST_DEPTH = 25
MOST_TERMS = 100
MOST_POWER = 6
LARGEST_NUMBER = 1e6
LARGEST_VALUE = 1e9
_SHOWN = 40

Vector = list[float]


class ExpressionError(ValueError):
    """The text is no equation; the message says why, for the agent."""


class UndefinedError(ArithmeticError):
    """The equation has no finite value at some point."""


def _sign(value: float) -> float:
    return float((value > 0) - (value < 0))


VARIABLES = ("x", "v", "t")
FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "sign": _sign,
}


def parse(text: str) -> ast.expr:
    """Return the tree of the right-hand side of an equation.

    Raises:
        ExpressionError: It is too long or too deep, or has something that is not in the language.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"the equation has {len(text)} characters; at most {MOST_CHARACTERS} are read")
    if not (text.isascii() and text.isprintable()):
        raise ExpressionError("the equation has other characters than letters, digits and signs of ASCII")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text[:_SHOWN]!r} is not an expression") from None
    _check_size(tree)
    _check(tree)
    return tree


def expand(tree: ast.expr, points: Sequence[Mapping[str, float]]) -> list[Vector]:
    """Multiply an equation out and return the values of each of its terms at the points.

    Raises:
        UndefinedError: A value is not finite.
        ExpressionError: There are too many terms.
    """
    try:
        terms = _expand(tree, points)
    except ExpressionError:
        raise
    except (ArithmeticError, ValueError):
        raise UndefinedError from None
    if not all(abs(value) <= LARGEST_VALUE for term in terms for value in term):
        raise UndefinedError
    return terms


def _check_size(tree: ast.expr) -> None:
    """Bound a tree before anything recurses into it."""
    level: list[ast.AST] = [tree]
    parts = depth = 0
    while level:
        parts, depth = parts + len(level), depth + 1
        level = [child for node in level for child in _parts_of(node)]
    if parts > MOST_PARTS:
        raise ExpressionError(f"the equation has {parts} parts; at most {MOST_PARTS} are allowed")
    if depth > MOST_DEPTH:
        raise ExpressionError(f"the equation is nested {depth} deep; at most {MOST_DEPTH} are allowed")


def _parts_of(node: ast.AST) -> list[ast.AST]:
    """Return what a part is made of; a function and its name are one part."""
    name = node.func if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
    inside = [child for child in ast.iter_child_nodes(node) if child is not name]
    return [child for child in inside if isinstance(child, ast.expr)]


def _check(node: ast.expr) -> None:
    """See that a tree is one of the language."""
    match node:
        case ast.Constant(value=value):
            if _as_number(node) is None:
                raise ExpressionError(f"{str(value)[:_SHOWN]!r} is not a number from -1000000 to 1000000")
        case ast.Name(id=name):
            if name not in (*VARIABLES, "pi"):
                raise ExpressionError(f"{name[:_SHOWN]!r} is none of x, v, t and pi")
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            _check(operand)
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
            _check(base)
            _as_power(exponent)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            _check(left)
            _check(right)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            _check(argument)
        case _:
            raise ExpressionError(f"{ast.unparse(node)[:_SHOWN]!r} is not in the language of equations")


def _as_number(node: ast.expr) -> float | None:
    """Return a number of bounded size, ``None`` for anything else; True and 1j are none."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST_NUMBER else None


def _as_power(node: ast.expr) -> float:
    """Return an exponent, which is a number with or without a minus."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    number = _as_number(node)
    if number is None or number > MOST_POWER:
        raise ExpressionError(f"an exponent is not a number from -{MOST_POWER} to {MOST_POWER}")
    return sign * number


def _expand(node: ast.expr, points: Sequence[Mapping[str, float]]) -> list[Vector]:
    match node:
        case ast.Constant():
            return [[_as_number(node) or 0.0] * len(points)]
        case ast.Name(id=name):
            return [[math.pi if name == "pi" else point[name] for point in points]]
        case ast.UnaryOp(op=op, operand=operand):
            terms = _expand(operand, points)
            return _negate(terms) if isinstance(op, ast.USub) else terms
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return [[FUNCTIONS[name](value) for value in total(_expand(argument, points))]]
        case ast.BinOp():
            return _expand_operation(node, points)
    raise ExpressionError(f"{ast.unparse(node)[:_SHOWN]!r} is not in the language of equations")


def _expand_operation(node: ast.BinOp, points: Sequence[Mapping[str, float]]) -> list[Vector]:
    left = _expand(node.left, points)
    if isinstance(node.op, ast.Pow):
        return _raise(left, _as_power(node.right))
    right = _expand(node.right, points)
    match node.op:
        case ast.Add():
            return _limited([*left, *right])
        case ast.Sub():
            return _limited([*left, *_negate(right)])
        case ast.Mult():
            return _multiply(left, right)
    divisor = total(right)
    return [list(map(truediv, term, divisor)) for term in left]


def _negate(terms: Sequence[Vector]) -> list[Vector]:
    return [[-value for value in term] for term in terms]


def _multiply(left: Sequence[Vector], right: Sequence[Vector]) -> list[Vector]:
    _check_count(len(left) * len(right))
    return [list(map(mul, one, other)) for one in left for other in right]


def _raise(terms: list[Vector], power: float) -> list[Vector]:
    """Multiply a sum out where the exponent is a whole number; any other power of a sum is one term."""
    if power < 1 or power != int(power):
        return [[math.pow(value, power) for value in total(terms)]]
    product = terms
    for _ in range(int(power) - 1):
        product = _multiply(product, terms)
    return product


def _limited(terms: list[Vector]) -> list[Vector]:
    _check_count(len(terms))
    return terms


def _check_count(count: int) -> None:
    if count > MOST_TERMS:
        raise ExpressionError(f"the equation has more than {MOST_TERMS} terms when it is multiplied out")


def total(terms: Sequence[Vector]) -> Vector:
    """Return the sum of the terms at each point; there is at least one term."""
    return list(map(math.fsum, zip(*terms, strict=True)))
