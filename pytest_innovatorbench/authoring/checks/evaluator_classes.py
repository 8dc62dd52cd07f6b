"""The two classes that the harness asks an evaluator for, as they are written."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.evaluator_sources import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.evaluator_sources import Source
    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.subject import Subject

GIVEN = {"eval_workspace", "workspace"}
_RUN = re.compile(r"run_(\d{1,4})", re.ASCII)
_MOST_BASES = 50


def config_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what keeps ``TaskConfig`` from being made of the two keywords; nothing if it cannot be read."""
    source = source_of(subject, "config.py")
    if source is None or _is_bound(source, "TaskConfig"):
        return
    classes = _classes(source)
    if "TaskConfig" not in classes:
        yield source.finding(1, "there is no class TaskConfig")
        return
    family = _family(source, "TaskConfig")
    if not _derives(source, family, "Config"):
        yield source.finding(classes["TaskConfig"], "TaskConfig does not derive from Config")
    for one in family:
        yield from _needed_fields(source, one)
    constructor = next((method for one in family if (method := _method(one, "__init__"))), None)
    if constructor is not None:
        yield from _needed_parameters(source, constructor)


def benchmark_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what keeps ``TaskBenchmark`` from being run; nothing if it cannot be read."""
    source = source_of(subject, "evaluation.py")
    if source is None or _is_bound(source, "TaskBenchmark"):
        return
    classes = _classes(source)
    if "TaskBenchmark" not in classes:
        yield source.finding(1, "there is no class TaskBenchmark")
        return
    family = _family(source, "TaskBenchmark")
    if not _derives(source, family, "BaseBenchmark"):
        yield source.finding(classes["TaskBenchmark"], "TaskBenchmark does not derive from BaseBenchmark")
    if not _has_unknown_base(source, family, "BaseBenchmark"):
        yield from _missing_runs(source, classes["TaskBenchmark"], family)


def _missing_runs(source: Source, own: ast.ClassDef, family: list[ast.ClassDef]) -> Iterator[Finding]:
    numbers = {int(found[1]) for one in family for name in _names(one) if (found := _RUN.fullmatch(name))}
    missing = next(number for number in range(1, len(numbers) + 2) if number not in numbers)
    if missing == 1:
        yield source.finding(own, "TaskBenchmark has no run_1")
    elif max(numbers) > missing:
        yield source.finding(own, f"TaskBenchmark has run_{max(numbers)} but no run_{missing}")


def _needed_fields(source: Source, one: ast.ClassDef) -> Iterator[Finding]:
    """Yield fields of a dataclass that have no default and are not given."""
    if not any(_is_dataclass(source, decorator) for decorator in one.decorator_list):
        return
    for node in one.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if "ClassVar" in ast.dump(node.annotation) or node.target.id in GIVEN:
            continue
        if node.value is None or _is_bare_field(source, node.value):
            yield source.finding(node, f"TaskConfig needs a value for {node.target.id}, which has no default")


def _is_dataclass(source: Source, decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return source.name(called) in {"dataclasses.dataclass", "dataclass"}


def _is_bare_field(source: Source, value: ast.expr) -> bool:
    if not isinstance(value, ast.Call) or source.name(value.func) not in {"dataclasses.field", "field"}:
        return False
    return not {keyword.arg for keyword in value.keywords} & {"default", "default_factory", "init", None}


def _needed_parameters(source: Source, method: ast.FunctionDef) -> Iterator[Finding]:
    """Yield parameters of ``__init__`` that are needed and not given, and those given that it lacks."""
    given = method.args
    positional = [*given.posonlyargs, *given.args]
    with_default = len(given.defaults)
    needed = positional[1 : len(positional) - with_default]
    needed += [name for name, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if not default]
    for parameter in needed:
        if parameter.arg not in GIVEN or parameter in given.posonlyargs:
            yield source.finding(method, f"TaskConfig needs {parameter.arg}, which it is not given")
    named = {parameter.arg for parameter in (*given.args, *given.kwonlyargs)}
    if given.kwarg is None and not named >= GIVEN:
        missing = " and ".join(sorted(GIVEN - named))
        yield source.finding(method, f"TaskConfig.__init__ does not take {missing}")


def _is_bound(source: Source, name: str) -> bool:
    """Tell whether a name comes from an import, a star, or an assignment: then only running it tells."""
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and {name, "*"} & {
            alias.asname or alias.name for alias in node.names
        }:
            return True
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            return True
    return False


def _classes(source: Source) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in source.nodes if isinstance(node, ast.ClassDef)}


def _family(source: Source, name: str) -> list[ast.ClassDef]:
    """Return a class and those of its bases that stand in the same file, the class itself first."""
    classes = _classes(source)
    family = [classes[name]]
    for one in family:  # grows
        bases = (classes.get(source.name(base)) for base in one.bases)
        family += [base for base in bases if base is not None and base not in family][:_MOST_BASES]
    return family


def _derives(source: Source, family: list[ast.ClassDef], wanted: str) -> bool:
    """Tell whether any class of a family has the wanted base, or one that may have it."""
    names = [source.name(base) for one in family for base in one.bases]
    return _has_unknown_base(source, family, wanted) or any(
        name.rpartition(".")[2] == wanted for name in names
    )


def _has_unknown_base(source: Source, family: list[ast.ClassDef], wanted: str) -> bool:
    own = {one.name for one in family}
    names = [source.name(base) for one in family for base in one.bases]
    known = {"object", "ABC", "abc.ABC", "Generic", "Protocol"}
    return any(name not in own | known and name.rpartition(".")[2] != wanted for name in names)


def _method(one: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    found = (node for node in one.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return next(found, None)


def _names(one: ast.ClassDef) -> Iterator[str]:
    """Yield the names that the body of a class gives to something."""
    for node in one.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
