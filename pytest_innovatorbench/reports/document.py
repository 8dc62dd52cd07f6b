"""The one value that every report is written from."""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.summary import AgentSummary, is_counted, summarise
from pytest_innovatorbench.reports.text import count_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_innovatorbench.runs.model import AttemptResult

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

ROW_LIMIT = 200
"""Most attempts that the terminal and Markdown show one by one; Markdown has to fit in a comment."""

_PACKAGES = ("pytest-innovatorbench", "pytest")
_LIMIT = 1e9
_NUMBER = re.compile(r"([0-9]{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDocument:
    """What there is to report; made by :func:`report_document` alone.

    All text in it is one printable line, all numbers are finite.

    Attributes:
        created: When, in UTC, ISO 8601.
        harness: Versions of what ran the attempts, by name.
        settings: The settings of the run, as plain JSON values.
        run_dir: Folder with the records of the run, or ``None`` where it is not known.
        results: The attempts, by agent, domain, task and seed.
        agents: The means of each agent.
    """

    created: str
    harness: Mapping[str, str]
    settings: Mapping[str, JsonValue]
    run_dir: str | None
    results: tuple[AttemptResult, ...]
    agents: tuple[AgentSummary, ...]


def report_document(
    results: Iterable[AttemptResult],
    settings: Mapping[str, object] | None = None,
    *,
    run_dir: Path | None = None,
    harness: Mapping[str, str] | None = None,
    created: datetime | None = None,
) -> ReportDocument:
    """Return what there is to report on a run.

    Args:
        results: The attempts, in any order.
        settings: The settings of the run; the caller leaves secrets out.
        run_dir: Folder with the records of the run.
        harness: Versions of what ran the attempts; those of this process by default.
        created: When the report is made; now by default.
    """
    ordered = tuple(sorted(map(_clean, results), key=_order))
    return ReportDocument(
        created=(created or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        harness=dict(harness if harness is not None else harness_versions()),
        settings={one_line(str(key)): _plain(value) for key, value in (settings or {}).items()},
        run_dir=None if run_dir is None else one_line(str(run_dir), 4096),
        results=ordered,
        agents=summarise(ordered),
    )


def rows_shown(document: ReportDocument) -> Sequence[AttemptResult]:
    """Return the attempts to show one by one: all, or of very many those that enter no mean."""
    if len(document.results) <= ROW_LIMIT:
        return document.results
    return [result for result in document.results if not is_counted(result)][:ROW_LIMIT]


def left_out_text(document: ReportDocument, shown: int) -> str:
    """Return how many attempts are not shown and where they are, or ``""`` if all are."""
    missing = len(document.results) - shown
    if not missing:
        return ""
    place = f"the records in {document.run_dir}" if document.run_dir else "the records of the run"
    return f"{count_text(missing, 'attempt')} left out here: see {place} or a JSON report (json:PATH)"


def harness_versions() -> dict[str, str]:
    """Return the versions of this package, of pytest, of Python and of the system."""
    versions = {package: _package_version(package) for package in _PACKAGES}
    return versions | {"python": platform.python_version(), "system": platform.platform(terse=True)}


def _package_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _clean(result: AttemptResult) -> AttemptResult:
    return replace(
        result,
        attempt=one_line(result.attempt),
        task=one_line(result.task),
        domain=one_line(result.domain),
        agent=one_line(result.agent),
        ending=one_line(result.ending),
        first=_usable(result.first),
        best=_usable(result.best),
        final=_usable(result.final),
        baseline=_usable(result.baseline) or 0.0,
        reference=_usable(result.reference) or 0.0,
        curve=tuple(point for point in result.curve if None not in map(_usable, point)),
        penalty=_usable(result.penalty) or 0.0,
        cost=max(_usable(result.cost) or 0.0, 0.0),
        seconds=max(_usable(result.seconds) or 0.0, 0.0),
        started=one_line(result.started),
        run_dir=Path(one_line(str(result.run_dir), 4096)),
        error=one_line(result.error) or None if result.error is not None else None,
    )


def _usable(number: float | None) -> float | None:
    """Return the number unless it is NaN, infinite or so large that means over it would overflow."""
    return number if number is not None and abs(number) < _LIMIT else None


def _order(result: AttemptResult) -> tuple[object, ...]:
    return result.agent, result.domain, _natural(result.task), result.seed


def _natural(name: str) -> tuple[str | int, ...]:
    """Order ``task_2`` before ``task_10``."""
    return tuple(int(part) if index % 2 else part for index, part in enumerate(_NUMBER.split(name)))


def _plain(value: object) -> JsonValue:
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {one_line(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case _:
            return one_line(str(value), 4096)
