"""Attacks by the form of files: documents too deep, links, names."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.attack import Draft
from pytest_innovatorbench.authoring.attacks.values import JSON, RAW, TEXT, spell, with_values
from pytest_innovatorbench.evaluation.layout import EVALUATIONS, WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_innovatorbench.authoring.attacks.stock import Source, Stock

DEPTH = 100_000
_DEEP = {
    "lists": "[" * DEPTH + "]" * DEPTH,
    "objects": '{"a":' * DEPTH + "1" + "}" * DEPTH,
    "lists that do not end": "[" * DEPTH,
}
_LONGEST_NAME = 255


def deep_json(stock: Stock) -> Iterator[Draft]:
    """JSON that a parser cannot follow."""
    for path in stock.files:
        for name, text in _DEEP.items():
            files = {path: text.encode()}
            yield Draft(name=f"{DEPTH:,} levels of {name} as {path}", files=files, of=path)
    for source in stock.tables:
        if source.table.kind in (*TEXT, *JSON):
            yield _deep_cell(source)


def links(stock: Stock) -> Iterator[Draft]:
    """Links to the answers, and what else is no regular file."""
    for path in stock.files:
        for answer in stock.answer_paths[:2] or ("missing",):
            for target in _targets(stock, path, answer):
                yield _linked(path, f"a link to {target}", partial(_link, path=path, target=target))
            text = f"{EVALUATIONS}/{stock.task_id}/data/references/{answer}"
            yield Draft(name=f"the path {text} as {path}", files={path: text.encode()}, of=path)
            yield Draft(name=f"the path {text}\\n as {path}", files={path: f"{text}\n".encode()}, of=path)
        yield _linked(path, "a link to itself", partial(_link, path=path, target=PurePosixPath(path).name))
        yield _linked(path, "a link to /dev/zero", partial(_link, path=path, target="/dev/zero"))
        yield _linked(path, "a FIFO", partial(_fifo, path=path))
    yield Draft(
        name="a link to the folder of references as the folder references",
        base="nothing",
        finish=partial(_link, path="references", target="../references"),
    )
    for source in stock.tables:
        yield from _paths_as_values(stock, source)


def odd_names(stock: Stock) -> Iterator[Draft]:
    """Names that programs stumble over."""
    path = stock.files[0]
    content, suffix = stock.reference[path], PurePosixPath(path).suffix
    for name, odd in _odd(PurePosixPath(path).name, suffix).items():
        yield Draft(name=f"{name} beside {path}", files={odd: content}, share=1.0)
        yield Draft(name=f"{name} for {path}", files={path: None, odd: content}, share=1.0)
    inner = f"{path}/{PurePosixPath(path).name}"
    yield Draft(name=f"a folder named {path}", files={path: None, inner: content}, share=1.0)
    for source in stock.tables:
        if source.table.key_columns:
            yield from _odd_ids(stock, source)


def _deep_cell(source: Source) -> Draft:
    first, *others = (
        with_values(source.table, lambda cells: [RAW, *cells[1:]]).rows[:1],
        source.table.rows[1:],
    )
    table = replace(source.table, rows=(*first, *others[0]))
    content = spell(table, _DEEP["lists"])
    name = f"{DEPTH:,} levels of lists as a value in {source.path}"
    return Draft(name=name, files={source.path: content}, of=source.path, share=1.0)


def _targets(stock: Stock, path: str, answer: str) -> Iterator[str]:
    up = "../" * len(PurePosixPath(path).parts)
    yield f"{EVALUATIONS}/{stock.task_id}/data/references/{answer}"
    yield f"{up}references/{answer}"
    yield f"{up}../..{EVALUATIONS}/{stock.task_id}/data/references/{answer}"
    yield f"{WORKSPACE}/data/references/{answer}"


def _linked(path: str, name: str, finish: partial[None]) -> Draft:
    return Draft(name=f"{name} as {path}", files={path: None}, of=path, finish=finish)


def _link(folder: Path, *, path: str, target: str) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def _fifo(folder: Path, *, path: str) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(place)


def _paths_as_values(stock: Stock, source: Source) -> Iterator[Draft]:
    if source.table.kind not in (*TEXT, *JSON):
        return
    for answer in stock.answer_paths[:1]:
        text = f"{EVALUATIONS}/{stock.task_id}/data/references/{answer}"
        table = with_values(source.table, lambda cells, t=text: [t] * len(cells))  # type: ignore[misc]  # mypy's lambda
        name = f"the path {text} for each value in {source.path}"
        yield Draft(name=name, files={source.path: table}, of=source.path)


def _odd(name: str, suffix: str) -> dict[str, str]:
    return {
        "a name that begins with ..": f"..{name}",
        "a name with ..\\": f"..\\..\\references\\{name}",
        "a percent-encoded path": f"..%2f..%2freferences%2f{name}",
        "a name with a line end": f"a\nb{suffix}",
        "a name with terminal escapes": f"\x1b]0;a\x07\x1b[31mb{suffix}",
        "a name that is no UTF-8": f"\udcff\udcfe{suffix}",
        "a name of 255 bytes": "a" * (_LONGEST_NAME - len(suffix.encode())) + suffix,
        "a name that begins with a dash": f"-rf{suffix}",
        "a name with a blank behind": f"{name} ",
        "a look-alike name": _look_alike(name),
        "a name with a text-direction mark": f"\u202e{name}",
    }


def _look_alike(name: str) -> str:
    """Return a name in which a letter is Cyrillic or of full width."""
    for latin, other in (("a", "\u0430"), ("e", "\u0435"), ("o", "\u043e"), ("c", "\u0441")):
        if latin in name:
            return name.replace(latin, other, 1)
    return f"\uff41{name}"


def _odd_ids(stock: Stock, source: Source) -> Iterator[Draft]:
    table = source.table
    place = table.columns.index(table.key_columns[0])
    answer = (stock.answer_paths or ("missing",))[0]
    for name, pattern in {
        "ids that are paths to the references": f"../../references/{answer}",
        "ids that are absolute paths": f"{EVALUATIONS}/{stock.task_id}/data/references/{answer}",
        "ids with line ends and escapes": "a\r\n\x1b[31mb",
    }.items():
        rows = tuple(
            (*row[:place], f"{pattern}#{number}" if number else pattern, *row[place + 1 :])
            for number, row in enumerate(table.rows)
        )
        files = {source.path: replace(table, rows=rows)}
        yield Draft(name=f"{name} in {source.path}", files=files, of=source.path, share=1.0)
