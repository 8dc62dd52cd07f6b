"""Rule on what no rule on leaks can look into: it is said, not passed over."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_evidence import evidence_of
from pytest_innovatorbench.authoring.checks.leaks_history import is_history
from pytest_innovatorbench.authoring.contents import Unread
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject


def _check(subject: Subject) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[Unread]] = defaultdict(list)
    for unread in _unread(subject):
        groups[PurePosixPath(unread.shown).suffix, unread.why].append(unread)
    for (suffix, why), (first, *others) in groups.items():
        more = f" and {len(others):,} more {suffix or 'files'}" if others else ""
        yield Finding(message=f"{first.shown}{more}: compared as a whole only; {why}", file=first.file)


def _unread(subject: Subject) -> Iterator[Unread]:
    evidence = evidence_of(subject)
    references = f"{subject.shown(subject.evaluations)}/data/references/"
    history = {content.shown for content in evidence.gym.files if is_history(content)}
    for unread in (*evidence.gym.unread, *evidence.hidden.unread):
        hidden = unread.shown.startswith("evaluations/") and not unread.shown.startswith(references)
        if not hidden and unread.shown not in history:
            yield unread
    for content in (*evidence.gym.files, *evidence.references):
        if content.why_no_records:
            yield Unread(shown=content.shown, file=content.file, why=content.why_no_records)


RULES = (
    Rule(
        code="IB509",
        name="unread-files",
        summary="Every file of gym/ and data/references can be looked into for leaks.",
        why=(
            "Images, pickles, damaged or very large files may hold answers that no rule sees. They are "
            "compared byte for byte with the references, and no more; somebody has to have looked."
        ),
        remedy="look into it yourself; csv, jsonl, npz, parquet and the like are checked for you",
        check=_check,
        severity="note",
    ),
)
