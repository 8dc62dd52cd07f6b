"""Which files of a submission an evaluator reads, as far as its code tells."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.checks.description_files import NAME
from pytest_innovatorbench.authoring.checks.evaluator_sources import sources
from pytest_innovatorbench.authoring.checks.layout_tree import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_innovatorbench.authoring.checks.evaluator_sources import Source
    from pytest_innovatorbench.authoring.subject import Subject

Origin: TypeAlias = Literal["outputs", "other", "unknown"]

_DEPTH = 5  # assignments that are followed
_FILE = re.compile(rf"(?:{NAME}|\*?\.\w{{1,11}}|[\w*?.-]*\*[\w*?-]*\.[\w*?-]+)", re.IGNORECASE)
_TEXTS = (ast.Constant, ast.JoinedStr, ast.BinOp, ast.Call)
_FOLLOWED = (ast.BinOp, ast.Call, ast.JoinedStr, ast.Constant, ast.Attribute, ast.Name)
_JOINING = {"join", "Path", "PurePath", "PosixPath", "PurePosixPath", "joinpath", "str", "fspath"}
_LISTING = {"iterdir", "listdir", "scandir", "walk", "rglob", "glob"}
_OUTPUTS = re.compile(r"output|submission|prediction_dir|pred_dir|result_dir", re.IGNORECASE)
_OTHER = re.compile(r"reference|baseline|dataset|eval_workspace|ground|truth|label|gold|/tmp", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A file name in an evaluator.

    Attributes:
        name: The name, with ``*`` for what the code does not tell.
        origin: Where the file lies.
        file: The module, as findings call it.
        line: Its line.
    """

    name: str
    origin: Origin
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What an evaluator reads.

    Attributes:
        names: The names of files in it.
        lists: Whether it looks through the folder of outputs, so that any name may be read.
        runs: Whether it has a ``run_1`` or another of its kind, so that it reads anything.
    """

    names: tuple[Read, ...]
    lists: bool
    runs: bool


_known: WeakKeyDictionary[Subject, Reads] = WeakKeyDictionary()


def reads_of(subject: Subject) -> Reads:
    """Return what an evaluator reads, the same for every rule that asks."""
    reads = _known.get(subject)
    if reads is None:
        reads = _known[subject] = _read(subject)
    return reads


def _read(subject: Subject) -> Reads:
    names: list[Read] = []
    lists = False
    for source in sources(subject):
        code = _Code(source)
        names += (_sorted_out(subject, read) for read in code.names())
        lists = lists or code.lists_outputs()
    functions = (
        node for source in sources(subject) for node in source.nodes if isinstance(node, ast.FunctionDef)
    )
    runs = any(re.fullmatch(r"run_\d+", function.name) for function in functions)
    return Reads(names=tuple(names), lists=lists, runs=runs)


def _sorted_out(subject: Subject, read: Read) -> Read:
    """Settle by what lies in the task where a file is read from, if the code does not tell."""
    if read.origin != "unknown" or "*" in read.name:
        return read
    samples: set[str] = set()
    others: set[str] = set()
    for place in tree_of(subject).own:
        parts = place.entry.path.split("/")
        is_sample = place.folder == subject.evaluations and parts[:2] in (
            ["data", "outputs"],
            ["data", "baselines"],
        )
        (samples if is_sample else others).add(place.name)
    if read.name in samples or read.name in others:
        origin: Origin = "outputs" if read.name in samples else "other"
        return Read(name=read.name, origin=origin, file=read.file, line=read.line)
    return read


class _Code:
    """One module, with the parents of its nodes and what its names are assigned.

    Args:
        source: The module.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parents = {child: node for node in source.nodes for child in ast.iter_child_nodes(node)}
        self._values: Mapping[str, list[ast.AST]] = _assignments(source)

    def names(self) -> Iterator[Read]:
        """Yield the texts that are names of files, or patterns of such."""
        for node in self._source.nodes:
            if not isinstance(node, _TEXTS):
                continue
            parent = self._parents.get(node)
            if isinstance(parent, ast.Expr | ast.JoinedStr | ast.FormattedValue) or _is_joined(parent, node):
                continue
            text = _pattern(node)
            name = text.rpartition("/")[2]
            if _is_name(text):
                wide = f"*{name}" if name.startswith(".") else name
                origin = self._origin(node)
                line = getattr(node, "lineno", 1)
                yield Read(name=wide, origin=origin, file=self._source.file, line=line)

    def lists_outputs(self) -> bool:
        """Tell whether a folder is looked through that may be that of the outputs."""
        for call, name in self._source.calls():
            last = name.rpartition(".")[2] or getattr(call.func, "attr", "")
            if last not in _LISTING:
                continue
            patterns = [_pattern(argument) for argument in call.args]
            if last in {"glob", "rglob"} and any(map(_is_name, patterns)):
                continue  # a pattern, which is a name like others
            if self._origin(call) != "other":
                return True
        return False

    def _origin(self, node: ast.AST) -> Origin:
        while (parent := self._parents.get(node)) is not None and _is_path(parent, node):
            node = parent
        text = " ".join(self._texts(node, _DEPTH))
        if _OUTPUTS.search(text):
            return "outputs"
        return "other" if _OTHER.search(text) else "unknown"

    def _texts(self, node: ast.AST, depth: int) -> Iterator[str]:
        """Yield the texts and names in an expression, and in what its names are assigned."""
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
            elif isinstance(part, ast.Name | ast.Attribute):
                name = part.id if isinstance(part, ast.Name) else part.attr
                yield name
                for value in self._values.get(name, ()) if depth else ():
                    yield from self._texts(value, depth - 1)


def _assignments(source: Source) -> dict[str, list[ast.AST]]:
    values: dict[str, list[ast.AST]] = {}
    for node in source.nodes:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            targets = [node.target]
        for target in targets:
            name = getattr(target, "id", None) or getattr(target, "attr", None)
            value = getattr(node, "value", None)
            if name and isinstance(value, _FOLLOWED):
                values.setdefault(name, []).append(value)
    return {name: found[:3] for name, found in values.items()}  # more are no path that can be told


def _is_name(text: str) -> bool:
    """Tell whether a text ends with the name of a file, or with a pattern that tells files apart."""
    name = text.rpartition("/")[2]
    return "\n" not in text and _FILE.fullmatch(name) is not None and bool(name.strip("*?."))


def _is_path(parent: ast.AST, node: ast.AST) -> bool:
    """Tell whether an expression is part of a longer path."""
    if isinstance(parent, ast.BinOp):
        return isinstance(parent.op, ast.Div | ast.Add | ast.Mod)
    if isinstance(parent, ast.JoinedStr | ast.FormattedValue):
        return True
    if isinstance(parent, ast.Attribute):
        return parent.attr in {*_JOINING, *_LISTING, "format"}
    if isinstance(parent, ast.Call):
        name = getattr(parent.func, "attr", None) or getattr(parent.func, "id", None)
        return name in {*_JOINING, *_LISTING, "format"} or parent.func is node
    return False


def _is_joined(parent: ast.AST | None, node: ast.AST) -> bool:
    """Tell the parts of a text that is put together, which is looked at as a whole."""
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Mod):
        return isinstance(node, ast.expr) and bool(_pattern(parent))
    return isinstance(parent, ast.Attribute) and parent.attr == "format"


def _pattern(node: ast.AST) -> str:
    """Return a text with ``*`` for what the code does not tell, ``""`` if it is none."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_pattern(part) or "*" for part in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            begin, end = _pattern(left), _pattern(right)
            return f"{begin or '*'}{end or '*'}" if begin or end else ""
        case ast.BinOp(left=ast.Constant(value=str(value)), op=ast.Mod()):
            return re.sub(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[sdifrxge]", "*", value)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(value)), attr="format")):
            return re.sub(r"\{[^}]*\}", "*", value)
    return ""
