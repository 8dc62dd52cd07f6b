"""Scaffolds as text: a small part of Python, read without running anything.

A scaffold becomes a syntax tree of a few allowed kinds of nodes, which ``interpreter`` walks. Python neither
compiles nor executes any of it.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .values import FUNCTIONS, LARGEST_INTEGER, METHODS, MOST_CHARACTERS, ScaffoldError

MOST_BYTES = 20_000
MOST_NODES = 4_000
MOST_DEPTH = 40
MOST_NAME = 40
TOOLS = ("ask", "verify", "split", "calls_left", "questions_left")

_STATEMENTS = (
    ast.Assign,
    ast.AugAssign,
    ast.If,
    ast.For,
    ast.While,
    ast.Return,
    ast.Break,
    ast.Continue,
    ast.Expr,
    ast.Pass,
)
_EXPRESSIONS = (
    ast.Constant,
    ast.Name,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Subscript,
    ast.Slice,
    ast.Call,
    ast.ListComp,
    ast.GeneratorExp,
)
_PARTS = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Not, ast.USub, ast.And, ast.Or),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
    *(ast.Load, ast.Store, ast.comprehension, ast.arguments, ast.arg, ast.FunctionDef, ast.Attribute),
)
_ALLOWED = (*_STATEMENTS, *_EXPRESSIONS, *_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """A scaffold that was read.

    Attributes:
        constants: What stands outside functions, in order.
        functions: Functions by name; ``solve`` is one of them.
    """

    constants: tuple[ast.Assign, ...]
    functions: dict[str, ast.FunctionDef]


def parse(text: str) -> Scaffold:
    """Return the scaffold that a text is.

    Raises:
        ScaffoldError: It is too long or too deep, or has something that is not in the language.
    """
    tree = _read(text)
    _measure(tree)
    functions: dict[str, ast.FunctionDef] = {}
    constants: list[ast.Assign] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            _check_function(statement, functions)
            functions[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            constants.append(statement)
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            raise ScaffoldError("only functions and constants may stand outside a function", _line(statement))
    for statement in tree.body:
        _check_inside(statement)
    solve = functions.get("solve")
    if solve is None or len(solve.args.args) != 1:
        raise ScaffoldError("there is no function solve(question)")
    return Scaffold(constants=tuple(constants), functions=functions)


def _read(text: str) -> ast.Module:
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise ScaffoldError(f"a scaffold has at most {MOST_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise ScaffoldError("this is no Python", error.lineno or 0) from None
    except (ValueError, RecursionError, MemoryError):
        raise ScaffoldError("this is no Python, or it is nested too deeply") from None


def _measure(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(MOST_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        count += len(level)
        if count > MOST_NODES:
            raise ScaffoldError(f"a scaffold has at most {MOST_NODES} parts")
    if level:
        raise ScaffoldError(f"it is nested deeper than {MOST_DEPTH} levels", _line(level[0]))


def _check_function(function: ast.FunctionDef, others: dict[str, ast.FunctionDef]) -> None:
    arguments = function.args
    plain = not (
        arguments.posonlyargs
        or arguments.kwonlyargs
        or arguments.vararg
        or arguments.kwarg
        or arguments.defaults
        or function.decorator_list
    )
    if not plain:
        raise ScaffoldError("functions have plain arguments and no decorators", _line(function))
    if function.name in others or function.name in FUNCTIONS or function.name in TOOLS:
        raise ScaffoldError(f"{function.name[:MOST_NAME]!r} is defined already", _line(function))


def _check_inside(statement: ast.stmt) -> None:
    """Check all nodes below a statement at the top."""
    called = {id(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    for node in ast.walk(statement):
        # Operators have no line of their own.
        for part in (node, getattr(node, "op", node)):
            if not isinstance(part, _ALLOWED) or (
                isinstance(part, ast.FunctionDef) and part is not statement
            ):
                raise ScaffoldError(f"{type(part).__name__} is not in the language", _line(node))
        for name in _names(node):
            if name.startswith("_") or len(name) > MOST_NAME:
                raise ScaffoldError(f"{name[:MOST_NAME]!r} is no name in the language", _line(node))
        if isinstance(node, ast.Attribute) and (id(node) not in called or node.attr not in METHODS):
            raise ScaffoldError(f"there is no method {node.attr[:MOST_NAME]!r}", _line(node))
        if type(node) in _CHECKS:
            _CHECKS[type(node)](node)


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef):
        yield node.name


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    fits = value is None or (
        len(value) <= MOST_CHARACTERS
        if isinstance(value, str)
        else isinstance(value, int | float) and math.isfinite(value) and abs(value) <= LARGEST_INTEGER
    )
    if not fits:
        raise ScaffoldError("constants are short texts, numbers up to 10**12, True, False, None", _line(node))


def _check_target(target: ast.expr, node: ast.AST) -> None:
    """Accept a name, an item, and names in a tuple."""
    if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
        return
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    if not names or not all(isinstance(name, ast.Name) for name in names):
        raise ScaffoldError("values are assigned to names and items", _line(node))


def _check_call(node: ast.Call) -> None:
    if node.keywords or not isinstance(node.func, ast.Name | ast.Attribute):
        raise ScaffoldError("calls name a function, and have no keywords", _line(node))


def _check_comprehension(node: ast.ListComp | ast.GeneratorExp) -> None:
    if len(node.generators) > 1 or node.generators[0].is_async:
        raise ScaffoldError("a comprehension has one for", _line(node))
    _check_target(node.generators[0].target, node)


def _check_for(node: ast.For) -> None:
    _check_loop(node)
    _check_target(node.target, node)


def _check_loop(node: ast.For | ast.While) -> None:
    if node.orelse:
        raise ScaffoldError("loops have no else", _line(node))


def _check_assignment(node: ast.Assign) -> None:
    if len(node.targets) > 1:
        raise ScaffoldError("an assignment has one target", _line(node))
    _check_target(node.targets[0], node)


def _check_slice(node: ast.Slice) -> None:
    if node.step is not None:
        raise ScaffoldError("slices have no step", _line(node))


def _check_tuple(node: ast.Tuple) -> None:
    if any(isinstance(item, ast.Slice) for item in node.elts):
        raise ScaffoldError("brackets hold one slice", _line(node))


def _check_dictionary(node: ast.Dict) -> None:
    if None in node.keys:
        raise ScaffoldError("dictionaries are not unpacked", _line(node))


_CHECKS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Constant: _check_constant,
    ast.Call: _check_call,
    ast.ListComp: _check_comprehension,
    ast.GeneratorExp: _check_comprehension,
    ast.For: _check_for,
    ast.While: _check_loop,
    ast.Assign: _check_assignment,
    ast.AugAssign: lambda node: _check_target(node.target, node),
    ast.Slice: _check_slice,
    ast.Tuple: _check_tuple,
    ast.Dict: _check_dictionary,
}


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)
