"""Paths of one machine in the code of an evaluator."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.evaluator_sources import sources
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.evaluator_sources import Source
    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.subject import Subject

_HOSTS = re.compile(
    r"/(?:home|root|Users|mnt|media|data\d*|srv|opt|var|scratch|nfs|gpfs|lustre|export|private|bench)(?:/|$)"
    r"|[A-Za-z]:[\\/]"
    r"|~[\w.-]*/"
)
_LONGEST = 80
# Methods of texts, and functions on patterns, whose arguments are parts of paths rather than paths.
_ON_PARTS = {
    *("replace", "startswith", "endswith", "split", "rsplit", "partition", "rpartition", "find", "index"),
    *("count", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "compile", "match", "search"),
    *("sub", "fullmatch", "findall", "finditer"),
}
_HOME_CALLS = {
    "os.path.expanduser": "os.path.expanduser",
    "pathlib.Path.home": "Path.home()",
    "Path.home": "Path.home()",
}
_HOME = {"HOME", "USERPROFILE"}
_ENVIRONMENT_CALLS = {"os.getenv", "os.environ.get"}


def absolute_paths(subject: Subject) -> Iterator[Finding]:
    """Yield paths of one machine, and ways to a home folder."""
    for source in sources(subject):
        found = {}
        for node, path in _host_paths(source):
            found[node.lineno] = f"{one_line(path, _LONGEST)!r} is a path of one machine"
        for node, what in _homes(source):
            found[node.lineno] = f"{what} asks for a home folder, which differs from machine to machine"
        yield from (source.finding(line, said) for line, said in sorted(found.items()))


def host_paths(subject: Subject) -> Iterator[str]:
    """Yield the paths of one machine alone."""
    for source in sources(subject):
        for _, path in _host_paths(source):
            yield path


def _host_paths(source: Source) -> Iterator[tuple[ast.expr, str]]:
    parents = {child: node for node in source.nodes for child in ast.iter_child_nodes(node)}
    for node in source.nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if _HOSTS.match(node.value) and "\n" not in node.value and _is_path(node, parents):
            yield node, node.value


def _is_path(node: ast.Constant, parents: dict[ast.AST, ast.AST]) -> bool:
    """Tell whether a text that begins as a path does so where it is used: not the end of a longer one."""
    parent = parents.get(node)
    match parent:
        case None | ast.Expr() | ast.Compare() | ast.MatchValue():
            return False
        case ast.JoinedStr(values=[first, *_]):
            return first is node
        case ast.BinOp(op=ast.Add(), right=right):
            return right is not node
        case ast.Call(func=ast.Attribute(attr=name)):
            return name not in _ON_PARTS
    return True


def _homes(source: Source) -> Iterator[tuple[ast.expr, str]]:
    for call, name in source.calls():
        if name in _HOME_CALLS:
            yield call, _HOME_CALLS[name]
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "expanduser":
            yield call, "expanduser"
        elif name in _ENVIRONMENT_CALLS and call.args and _is_home(call.args[0]):
            yield call, name
    for node in source.nodes:
        if (
            isinstance(node, ast.Subscript)
            and source.name(node.value) == "os.environ"
            and _is_home(node.slice)
        ):
            yield node, "os.environ"


def _is_home(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in _HOME
