"""Walk the syntax tree of a scaffold, with a bound on steps, sizes and depth.

Nothing of Python is reachable from a scaffold: names are looked up in its own variables, its own functions,
the tables of ``values`` and the tools; attributes of objects are never touched.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from .language import Scaffold
from .values import (
    FUNCTIONS,
    METHODS,
    ScaffoldError,
    Value,
    is_number,
    is_scalar,
    items_of,
    look_up,
    measure,
    repeat,
    store,
)

MOST_STEPS = 20_000
MOST_CALLS = 6
SEARCHED_PER_STEP = 1_000

_ARITHMETIC: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_ORDER: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SAMENESS = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
_MAKING = (ast.Call, ast.BinOp, ast.Subscript, ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp)
_QUICK = ("append", "get", "pop")
_SEARCHING = ("count", "replace", "split")
_ORDERING = ("max", "min", "sorted")
_FAULTS = (ArithmeticError, IndexError, KeyError, TypeError, ValueError, RecursionError)

Scope = dict[str, Value]


class _Return:
    def __init__(self, value: Value) -> None:
        self.value = value


class _Jump:
    pass


_BREAK, _CONTINUE = _Jump(), _Jump()
_Signal = _Return | _Jump | None


def solve(scaffold: Scaffold, question: str, tools: Mapping[str, Callable[..., Value]]) -> Value:
    """Return what the scaffold answers. Nothing remains from one question to the next.

    Raises:
        ScaffoldError: It went wrong, or took too many steps.
    """
    return Walk(scaffold, tools).solve(question)


class Walk:
    """One question: what was defined, and how many steps were taken.

    Attributes:
        steps: How many there were so far, at most those that were left.
    """

    def __init__(
        self, scaffold: Scaffold, tools: Mapping[str, Callable[..., Value]], left: int = MOST_STEPS
    ) -> None:
        self.steps = 0
        self._left = left
        self._scaffold = scaffold
        self._tools = tools
        self._constants: Scope = {}
        self._depth = 0
        self._line = 0

    def solve(self, question: str) -> Value:
        """Return the answer to a question."""
        try:
            for statement in self._scaffold.constants:
                self._execute(statement, self._constants)
            return self._call_own(self._scaffold.functions["solve"], [question])
        except ScaffoldError as error:
            raise ScaffoldError(str(error.args[0]), error.line or self._line) from None
        except _FAULTS as error:
            raise ScaffoldError(_explain(error), self._line) from None

    def _spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self._left:
            self.steps = self._left
            if self._left < MOST_STEPS:
                raise ScaffoldError("the steps of all questions together are spent")
            raise ScaffoldError(f"a question takes at most {MOST_STEPS} steps")

    def _spend_on_search(self, owner: Value, sought: Value) -> None:
        """Looking for a text may compare all of it at each place."""
        if isinstance(sought, str) and isinstance(owner, str | list | tuple | dict):
            self._spend(len(owner) * len(sought) // SEARCHED_PER_STEP)

    def _spend_on_order(self, name: str, values: Sequence[Value]) -> None:
        """Tuples and texts are compared part by part, in sorting again and again."""
        items = items_of(values[0]) if len(values) == 1 else values
        cost = sum(map(measure, items))
        # What tuples hold is looked at only after their sizes were spent.
        self._spend(cost)
        inner = sum(measure(part) for item in items if isinstance(item, tuple) for part in item)
        self._spend(inner)
        if name == "sorted":
            self._spend((cost + inner) * len(items).bit_length())

    def _call_own(self, function: ast.FunctionDef, values: Sequence[Value]) -> Value:
        names = [argument.arg for argument in function.args.args]
        if len(values) != len(names):
            raise ScaffoldError(f"{function.name} takes {len(names)} arguments")
        if self._depth == MOST_CALLS:
            raise ScaffoldError(f"calls are nested deeper than {MOST_CALLS}")
        self._depth += 1
        signal = self._run(function.body, dict(zip(names, values, strict=True)))
        self._depth -= 1
        return signal.value if isinstance(signal, _Return) else None

    def _run(self, statements: Sequence[ast.stmt], scope: Scope) -> _Signal:
        for statement in statements:
            signal = self._execute(statement, scope)
            if signal is not None:
                return signal
        return None

    def _execute(self, node: ast.stmt, scope: Scope) -> _Signal:
        self._line = node.lineno
        self._spend(1)
        match node:
            case ast.Assign():
                self._assign(node.targets[0], self._value(node.value, scope), scope)
            case ast.AugAssign():
                # The target is read first, as in Python.
                old = self._value(node.target, scope)
                new = self._made(self._operate(type(node.op), old, self._value(node.value, scope)))
                self._assign(node.target, new, scope)
            case ast.If():
                return self._run(node.body if self._value(node.test, scope) else node.orelse, scope)
            case ast.For() | ast.While():
                return self._loop(node, scope)
            case ast.Return():
                return _Return(None if node.value is None else self._value(node.value, scope))
            case ast.Break():
                return _BREAK
            case ast.Continue():
                return _CONTINUE
            case ast.Expr():
                self._value(node.value, scope)
        return None

    def _loop(self, node: ast.For | ast.While, scope: Scope) -> _Signal:
        for _ in self._rounds(node, scope):
            self._spend(1)
            signal = self._run(node.body, scope)
            if isinstance(signal, _Return):
                return signal
            if signal is _BREAK:
                return None
        return None

    def _rounds(self, node: ast.For | ast.While, scope: Scope) -> Iterator[None]:
        if isinstance(node, ast.While):
            while self._value(node.test, scope):
                yield
            return
        for item in self._items(node.iter, scope):
            self._assign(node.target, item, scope)
            yield

    def _items(self, node: ast.expr, scope: Scope) -> list[Value]:
        items = items_of(self._value(node, scope))
        self._spend(len(items))
        return items

    def _assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope[target.id] = value
        elif isinstance(target, ast.Subscript):
            store(self._value(target.value, scope), self._value(target.slice, scope), value)
        elif isinstance(target, ast.Tuple):
            self._spend(len(target.elts))
            for name, item in zip(target.elts, items_of(value), strict=True):
                self._assign(name, item, scope)

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        self._spend(1)
        kind = type(node)
        value = self._VALUES[kind](self, node, scope)
        return self._made(value) if kind in _MAKING else value

    def _made(self, value: Value) -> Value:
        cost = measure(value)
        if cost:
            self._spend(cost)
        return value

    def _constant(self, node: ast.Constant, _: Scope) -> Value:
        return node.value

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        for names in (scope, self._constants):
            if node.id in names:
                return names[node.id]
        raise ScaffoldError(f"the name {node.id!r} has no value")

    def _binary(self, node: ast.BinOp, scope: Scope) -> Value:
        left, right = self._value(node.left, scope), self._value(node.right, scope)
        return self._operate(type(node.op), left, right)

    def _choose(self, node: ast.IfExp, scope: Scope) -> Value:
        return self._value(node.body if self._value(node.test, scope) else node.orelse, scope)

    def _operate(self, kind: type[ast.operator], left: Value, right: Value) -> Value:
        if is_number(left) and is_number(right):
            return _ARITHMETIC[kind](left, right)
        if kind is ast.Add and type(left) is type(right) and isinstance(left, str | list | tuple):
            return left + right
        if kind is ast.Mult and isinstance(left, str | list | tuple):
            return repeat(left, right)
        raise ScaffoldError("numbers are calculated with; texts, lists and tuples are added and repeated")

    def _negate(self, node: ast.UnaryOp, scope: Scope) -> Value:
        value = self._value(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return not value
        if not is_number(value):
            raise ScaffoldError("only numbers have a minus")
        return -value

    def _decide(self, node: ast.BoolOp, scope: Scope) -> Value:
        value: Value = None
        for part in node.values:
            value = self._value(part, scope)
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def _compare(self, node: ast.Compare, scope: Scope) -> bool:
        left = self._value(node.left, scope)
        for kind, part in zip(node.ops, node.comparators, strict=True):
            right = self._value(part, scope)
            if not self._holds(type(kind), left, right):
                return False
            left = right
        return True

    def _holds(self, kind: type[ast.cmpop], left: Value, right: Value) -> bool:
        if not is_scalar(left) and not (kind in _SAMENESS and is_scalar(right)):
            raise ScaffoldError("only numbers, texts, True, False and None are compared")
        if isinstance(left, str) and isinstance(right, str):
            self._spend(min(len(left), len(right)) // 10)
        if kind in _ORDER:
            return _ORDER[kind](left, right)
        if kind in _SAMENESS:
            return (left == right) is (kind in (ast.Eq, ast.Is))
        self._spend(len(items_of(right)))
        self._spend_on_search(right, left)
        return (left in right) is (kind is ast.In)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        value = self._value(node.value, scope)
        if not isinstance(node.slice, ast.Slice):
            return look_up(value, self._value(node.slice, scope))
        if not isinstance(value, str | list | tuple):
            raise ScaffoldError("only texts, lists and tuples have slices")
        bounds = (node.slice.lower, node.slice.upper)
        lower, upper = (None if part is None else self._value(part, scope) for part in bounds)
        return value[lower:upper]

    def _list(self, node: ast.List, scope: Scope) -> list[Value]:
        return [self._value(item, scope) for item in node.elts]

    def _tuple(self, node: ast.Tuple, scope: Scope) -> tuple[Value, ...]:
        return tuple(self._value(item, scope) for item in node.elts)

    def _dictionary(self, node: ast.Dict, scope: Scope) -> dict[Value, Value]:
        made: dict[Value, Value] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            if key is not None:
                store(made, self._value(key, scope), self._value(item, scope))
        return made

    def _comprehend(self, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> list[Value]:
        generator = node.generators[0]
        inner = dict(scope)
        self._spend(len(inner))
        made = []
        for item in self._items(generator.iter, scope):
            self._assign(generator.target, item, inner)
            if all(self._value(test, inner) for test in generator.ifs):
                made.append(self._value(node.elt, inner))
        return made

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        if isinstance(node.func, ast.Attribute):
            owner = self._value(node.func.value, scope)
            function, fewest, most = METHODS[node.func.attr]
            values = [owner, *self._arguments(node, scope)]
            if node.func.attr not in _QUICK:
                # Looking through something costs as much as making it.
                self._spend(sum(map(measure, values)))
            if node.func.attr in _SEARCHING and len(values) > 1:
                self._spend_on_search(owner, values[1])
            return self._apply(function, (fewest + 1, most + 1), values)
        if not isinstance(node.func, ast.Name):
            raise ScaffoldError("calls name a function")
        name, values = node.func.id, self._arguments(node, scope)
        if name in self._scaffold.functions:
            return self._call_own(self._scaffold.functions[name], values)
        if name in self._tools:
            return self._tools[name](*values)
        if name not in FUNCTIONS:
            raise ScaffoldError(f"there is no function {name!r}")
        function, fewest, most = FUNCTIONS[name]
        self._spend(sum(map(measure, values)))
        if name in _ORDERING and values:
            self._spend_on_order(name, values)
        return self._apply(function, (fewest, most), values)

    def _arguments(self, node: ast.Call, scope: Scope) -> list[Value]:
        return [self._value(argument, scope) for argument in node.args]

    def _apply(self, function: Callable[..., Value], bounds: tuple[int, int], values: list[Value]) -> Value:
        if not bounds[0] <= len(values) <= bounds[1]:
            raise ScaffoldError("this function takes another number of arguments")
        return function(*values)

    _VALUES: ClassVar[dict[type[ast.expr], Callable[..., Value]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Call: _call,
        ast.BinOp: _binary,
        ast.Compare: _compare,
        ast.BoolOp: _decide,
        ast.UnaryOp: _negate,
        ast.IfExp: _choose,
        ast.Subscript: _subscript,
        ast.List: _list,
        ast.Tuple: _tuple,
        ast.Dict: _dictionary,
        ast.ListComp: _comprehend,
        ast.GeneratorExp: _comprehend,
    }


def _explain(error: Exception) -> str:
    """Say what went wrong, in words that hold nothing of the question."""
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, IndexError | KeyError):
        return "there is no such item"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "this value does not fit here"
