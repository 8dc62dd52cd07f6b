"""The Python files of an evaluator as syntax trees; none of them is ever imported or run here."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.findings import Finding, Severity
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.sandbox.trees import Entry

MOST_FILES = 200
MOST_BYTES = 1_000_000
_COMMANDS = {
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")),
    *(f"subprocess.{name}" for name in ("getoutput", "getstatusoutput")),
    "os.system",
    "os.popen",
}
_parsing = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Python file of an evaluator.

    Attributes:
        file: How findings call it.
        tree: Its syntax tree.
        nodes: All nodes that may run, without what is imported for type checkers alone.
        origins: Names that imports give, and what they stand for: ``np`` -> ``numpy``.
        modules: Modules that are imported, and the lines of the imports.
    """

    file: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]
    origins: Mapping[str, str]
    modules: Mapping[str, int]

    def name(self, node: ast.AST) -> str:
        """Return the dotted name of an expression with imports resolved, ``""`` if it is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.origins.get(node.id, node.id), *reversed(parts)])

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield every call with the dotted name of what is called."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, self.name(node.func)

    def commands(self) -> Iterator[tuple[ast.Call, list[str]]]:
        """Yield every program that is started by name, with its first words."""
        for call, name in self.calls():
            if name in _COMMANDS and call.args:
                for words in _words(call.args[0]):
                    yield call, [words[0].rpartition("/")[2], *words[1:]]

    def finding(self, node: ast.AST | int, message: str, severity: Severity | None = None) -> Finding:
        """Return a finding at a node or line of this file."""
        line = node if isinstance(node, int) else getattr(node, "lineno", None)
        return Finding(message=message, file=self.file, line=line, severity=severity)


_known: WeakKeyDictionary[Subject, tuple[Source, ...]] = WeakKeyDictionary()


def sources(subject: Subject) -> tuple[Source, ...]:
    """Return what can be parsed below ``evaluations/<task>/task``; the rest fails where it is imported."""
    if subject not in _known:
        _known[subject] = tuple(_read(subject))
    return _known[subject]


def source_of(subject: Subject, name: str) -> Source | None:
    """Return the file of that name beside the evaluator, if it can be parsed."""
    file = subject.shown(subject.evaluations / "task" / name)
    return next((source for source in sources(subject) if source.file == file), None)


def is_below(name: str, *parents: str) -> bool:
    """Tell whether a dotted name is one of others or something in one of them."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def text_of(node: ast.AST) -> str:
    """Return the code of an expression, ``""`` if it is nested beyond measure."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def parse(content: bytes) -> ast.Module | None:
    """Return the syntax tree of a Python file, ``None`` if there is none."""
    try:
        with _parsing, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the author's escape sequences
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _read(subject: Subject) -> Iterator[Source]:
    folder = subject.evaluations / "task"
    files = (entry for entry in walk_layers([folder], "") if entry.path.endswith(".py"))
    for _, entry in zip(range(MOST_FILES), files, strict=False):
        tree = _parse(entry) if entry.kind == "file" and entry.size <= MOST_BYTES else None
        if tree is not None:
            yield _source(subject.shown(folder / entry.path), tree)


def _parse(entry: Entry) -> ast.Module | None:
    try:
        with entry.open() as file:
            return parse(file.read(MOST_BYTES))
    except OSError:
        return None


def _source(file: str, tree: ast.Module) -> Source:
    nodes = tuple(_running(tree))
    origins: dict[str, str] = {}
    modules: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                origins[alias.asname or first] = alias.name if alias.asname else first
                modules.setdefault(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                modules.setdefault(f"{node.module}.{alias.name}", node.lineno)
    return Source(file=file, tree=tree, nodes=nodes, origins=origins, modules=modules)


def _running(tree: ast.Module) -> Iterator[ast.AST]:
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and _is_for_types(node.test):
            children = list(node.orelse)
        pending.extend(reversed(children))


def _is_for_types(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", None), getattr(test, "attr", None))


def _words(argument: ast.expr) -> Iterator[list[str]]:
    """Yield the words of each command of a list or a line for the shell, as far as they are constant."""
    if isinstance(argument, (ast.List, ast.Tuple)):
        words = [_constant(element) for element in argument.elts]
        if words and words[0]:
            yield words
        return
    for command in re.split(r"[;&|\n]+", _constant(argument)):
        if command.split():
            yield command.split()


def _constant(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_constant(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
