"""Figures as a table and as JSON."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.figures import Figure

_WORDS = {None: "-", True: "met", False: "MISSED"}
_ROW = "{:25} {:>10} {:>17} {:>8} {:7} {:>7} {}"


def head() -> str:
    """Return the heads of the columns."""
    return _ROW.format("figure", "median", "middle half", "limit", "", "others", "what")


def rows(figure: Figure) -> Iterator[str]:
    """Yield the row of a figure and one for each value beside it."""
    spread = " - ".join(map(number, middle_half(figure.samples)))
    limit = "" if figure.limit is None else number(figure.limit)
    value = f"{number(figure.value)} {figure.unit}"
    yield _ROW.format(
        figure.name, value, spread, limit, _WORDS[figure.is_met], f"{figure.others:.0%}", figure.what
    )
    for beside in figure.beside:
        value = f"{number(beside.value)} {figure.unit}"
        source = f" ({beside.source})" if beside.source == "peer" else ""
        yield _ROW.format("", value, "", "", "", "", f"  {beside.label}{source}").rstrip()


def middle_half(samples: Sequence[float]) -> tuple[float, ...]:
    """Return the quartiles between which half of the samples lie; nothing for a single one."""
    if len(samples) == 1:
        return ()
    low, _, high = quantiles(samples, method="inclusive")
    return low, high


def number(value: float) -> str:
    """Write a value with about three digits."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3  # noqa: PLR2004 - powers of ten
    return f"{value:.{digits}f}"


def document(figures: Iterable[Figure]) -> dict[str, Any]:
    """Return figures as plain JSON values, with the machine they were measured on."""
    return {
        "version": 1,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "figures": [{**asdict(figure), "value": figure.value, "is_met": figure.is_met} for figure in figures],
    }


def machine() -> dict[str, Any]:
    """Describe this machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "pytest": version("pytest"),
        "user": "root" if os.geteuid() == 0 else "ordinary user",
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine()
    )
