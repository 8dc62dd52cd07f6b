"""The rooms import only those before them, and nothing imports in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest_innovatorbench

PACKAGE = Path(pytest_innovatorbench.__file__).parent
NAME = PACKAGE.name

# Each row may import the rows above it and, within one row, only itself.
LAYERS = (
    ("errors", "hostile", "testing"),
    ("sandbox",),
    ("tasks",),
    ("settings",),
    ("evaluation", "researchgym"),
    ("agents",),
    ("runs",),
    ("authoring",),
    ("hookspecs", "reports"),
    ("plugin", "cli"),
    ("__main__",),
)


def modules() -> dict[str, Path]:
    found = {}
    for file in PACKAGE.rglob("*.py"):
        if {"_suite", "_template"} & set(file.parts):
            continue
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = file
    return found


def imports(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """Our modules that a file imports at its top, types included."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == NAME:
            base = (node.module or "").removeprefix(NAME).removeprefix(".")
            for alias in node.names:
                deeper = f"{base}.{alias.name}".removeprefix(".")
                yield deeper if deeper in known else base
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix(NAME + ".") for a in node.names if a.name.startswith(NAME + "."))


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def test_every_room_has_its_place() -> None:
    rooms = {room(name) for name in modules()} - {""}
    placed = {name for layer in LAYERS for name in layer}
    assert rooms <= placed, f"not placed: {sorted(rooms - placed)}"


def test_rooms_import_only_those_before_them() -> None:
    height = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    known = modules()
    wrong = [
        f"{name} imports {target}"
        for name, file in known.items()
        for target in imports(file, known)
        if name and target and room(target) != room(name) and height[room(target)] >= height[room(name)]
    ]
    assert not wrong


def test_modules_import_in_no_circle() -> None:
    known = modules()
    graph = {
        name: {target for target in imports(file, known) if target != name} for name, file in known.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
