"""Writing attacks as folders of outputs."""

from __future__ import annotations

import hashlib
import itertools
import os
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks import documents, payloads, records, spoilt, uniform
from pytest_innovatorbench.authoring.attacks.attack import Attack, Content, Draft
from pytest_innovatorbench.authoring.attacks.stock import Stock, stock_of
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.authoring.tables import Table, format_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject

OWN = "IB616"
DRAFTS: dict[str, tuple[str, Callable[[Stock], Iterable[Draft]]]] = {
    "IB601": ("empty", records.empty),
    "IB602": ("truncated", records.truncated),
    "IB603": ("wrong-types", spoilt.wrong_types),
    "IB604": ("not-finite", spoilt.not_finite),
    "IB605": ("ids", records.ids),
    "IB606": ("constant", uniform.constant),
    "IB607": ("shuffled", records.shuffled),
    "IB608": ("echo", records.echo),
    "IB609": ("all-answers", uniform.all_answers),
    "IB610": ("many-rows", records.many_rows),
    "IB611": ("deep-json", documents.deep_json),
    "IB612": ("links", documents.links),
    "IB613": ("pickle", payloads.pickles),
    "IB614": ("odd-names", documents.odd_names),
    "IB615": ("planted", payloads.planted),
}


def build(
    subject: Subject,
    codes: Iterable[str] = (*DRAFTS, OWN),
    *,
    seen: set[str] | None = None,
    most: int | None = None,
) -> Sequence[Attack]:
    """Write attacks on a task into its folder for temporary files.

    Args:
        subject: The task.
        codes: The rules whose attacks are wanted.
        seen: Digests of submissions that were tried before, to which those of these are added.
        most: How many of each code to make, ``None`` for all. Those that tell most come first.

    Returns:
        The attacks in the order of their codes; those that differ from the reference submission and from
        each other in nothing are left out.
    """
    attacks: list[Attack] = []
    seen = set() if seen is None else seen
    for code in codes:
        made = _own(subject) if code == OWN else _built(subject, code, seen)
        attacks.extend(itertools.islice(made, most))
    return attacks


def digest(files: Mapping[str, bytes]) -> str:
    """Return what is the same for the same files alone."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{len(path)} {len(files[path])} ".encode())
        total.update(os.fsencode(path) + files[path])
    return total.hexdigest()


def _built(subject: Subject, code: str, seen: set[str]) -> Iterator[Attack]:
    kind, draft_all = DRAFTS[code]
    folder = subject.scratch / "attacks" / code
    try:
        stock = stock_of(subject)
        seen.add(digest(stock.reference))
        for number, draft in enumerate(draft_all(stock)):
            yield from _write(stock, code, draft, folder / str(number), seen)
    except NotCheckedError as reason:
        yield Attack(code=code, name=kind, folder=None, reason=str(reason))


def _write(stock: Stock, code: str, draft: Draft, folder: Path, seen: set[str]) -> Iterator[Attack]:
    try:
        files = _files(stock, draft)
    except ValueError:  # the format has no form for it, so nobody can submit it
        return
    mark = digest(files)
    if draft.finish is None and mark in seen:
        return
    if draft.finish is None:
        seen.add(mark)
    folder.mkdir(parents=True)
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    if draft.finish is not None:
        draft.finish(folder)
    yield Attack(code=code, name=draft.name, folder=folder, draft=draft)


def _files(stock: Stock, draft: Draft) -> dict[str, bytes]:
    base = {"reference": stock.reference, "baseline": stock.baseline, "nothing": {}}[draft.base]
    changed = {path: _bytes(content) for path, content in draft.files.items()}
    merged: dict[str, bytes | None] = {**base, **changed}
    return {path: content for path, content in merged.items() if content is not None}


def _bytes(content: Content) -> bytes | None:
    return format_table(content) if isinstance(content, Table) else content


def _own(subject: Subject) -> Iterator[Attack]:
    """Return the attacks that the author keeps; no link is followed to them."""
    folder = subject.evaluations / "data" / "attacks"
    if not folder.is_dir() or folder.resolve() != folder:
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            draft = Draft(name=f"data/attacks/{entry.name}", base="nothing")
            yield Attack(code=OWN, name=draft.name, folder=folder / entry.name, draft=draft)
