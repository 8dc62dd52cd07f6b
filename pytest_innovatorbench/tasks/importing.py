"""Writing ``task.yaml`` files for the published tasks, and nothing else."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import yaml

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.tasks.published import facts, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Outcome: TypeAlias = Literal["written", "unchanged", "kept", "left out"]

_OURS = re.compile(r"# Written by ibench import \(([0-9a-f]{16})\)\.")
_NOTE = "Once you change it, it is yours: ibench import then leaves it alone."
_WIDTH = 110
_SHARED = ("base", "__init__.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of importing a task.

    Attributes:
        task_id: Its name.
        outcome: What became of its ``task.yaml``.
        remarks: What the user should know, such as why it was left out.
        needs: What it needs that cannot be checked.
    """

    task_id: str
    outcome: Outcome
    remarks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def import_dataset(dataset: Path, into: Path | None = None) -> Iterator[Imported]:
    """Write the ``task.yaml`` of every published task in a dataset.

    Args:
        dataset: A folder with ``gym/``, ``evaluations/`` and ``conda/`` as published.
        into: A benchmark that gets the tasks, as links to the dataset, which then stays as it is.

    Raises:
        UserError: There are no tasks, or something cannot be written.
    """
    names = _names(dataset)
    if not names:
        raise UserError(
            f"no evaluations/task_N in {dataset}", remedy="give the folder with gym/, evaluations/ and conda/"
        )
    try:
        for name in names:
            yield _import(name, dataset, into)
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be written: {error.strerror}", remedy="mend its mode, or use --into"
        ) from error


def _names(dataset: Path) -> list[str]:
    found = {
        entry.name
        for part in ("evaluations", "gym")
        for entry in (dataset / part).glob("task_*")
        if entry.is_dir()
    }
    return sorted(found, key=lambda name: (len(name), name))


def _import(name: str, dataset: Path, into: Path | None) -> Imported:
    fact = facts().get(name)
    if fact is None:
        remark = "is not one of the published twenty: write its task.yaml by hand"
        return Imported(task_id=name, outcome="left out", remarks=(remark,))
    missing = [
        f"{part}/{name} is missing" for part in ("evaluations", "gym") if not (dataset / part / name).is_dir()
    ]
    if missing:
        return Imported(task_id=name, outcome="left out", remarks=(*missing,))
    values, remarks = manifest(fact, name, dataset)
    if into is not None:
        remarks += _lay_links(name, dataset.resolve(), into)
    outcome = _write((into or dataset) / "evaluations" / name / "task.yaml", values)
    if outcome == "kept":
        remarks.append(
            f"evaluations/{name}/task.yaml was there and is not ours; delete it to have it written"
        )
    return Imported(task_id=name, outcome=outcome, remarks=tuple(remarks), needs=fact.needs)


def _write(file: Path, values: Mapping[str, Any]) -> Outcome:
    text = _text(values)
    if file.is_symlink() or file.exists():
        there = "" if file.is_symlink() or not file.is_file() else file.read_text("utf-8", errors="replace")
        if there == text:
            return "unchanged"
        if not _is_ours(there):
            return "kept"
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".task.yaml-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        os.fchmod(out.fileno(), 0o644)
    Path(name).replace(file)
    return "written"


def _text(values: Mapping[str, Any]) -> str:
    body = f"# {_NOTE}\n" + yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=_WIDTH)
    return f"# Written by ibench import ({_digest(body)}).\n{body}"


def _is_ours(text: str) -> bool:
    """Tell whether a file is one that was written here and nobody changed."""
    first, _, body = text.partition("\n")
    match = _OURS.fullmatch(first)
    return match is not None and match[1] == _digest(body)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _lay_links(name: str, dataset: Path, into: Path) -> list[str]:
    """Link what a task consists of into a benchmark; return what stood in the way."""
    evaluations = into / "evaluations"
    (evaluations / name).mkdir(parents=True, exist_ok=True)
    (into / "gym").mkdir(exist_ok=True)
    hidden = dataset / "evaluations"
    links = {evaluations / name / entry.name: entry for entry in (hidden / name).iterdir()}
    links.pop(evaluations / name / "task.yaml", None)
    links |= {evaluations / shared: hidden / shared for shared in _SHARED if (hidden / shared).exists()}
    links[into / "gym" / name] = dataset / "gym" / name
    links |= {into / "conda" / entry.name: entry for entry in (dataset / "conda").glob("*")}
    (into / "conda").mkdir(exist_ok=True)
    return [
        f"{place.relative_to(into)} was there and is left alone"
        for place, target in links.items()
        if not _link(place, target)
    ]


def _link(place: Path, target: Path) -> bool:
    """Make a link; return whether it is there."""
    if place.is_symlink() or place.exists():
        return place.is_symlink() and place.resolve() == target.resolve()
    place.symlink_to(target)
    return True
