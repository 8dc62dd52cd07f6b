"""Print the figures of a run as a Markdown table: ``python -m benchmarks.markdown FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import middle_half, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = ("figure", "median", "middle half", "limit", "others", "beside it")


def table(kept: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table of a run that was kept as JSON."""
    yield _line(*_HEAD)
    yield "|---|--:|--:|--:|--:|---|"
    for figure in kept["figures"]:
        limit = "" if figure["limit"] is None else number(figure["limit"])
        beside = "; ".join(f"{each['label']} {number(each['value'])}" for each in figure["beside"])
        yield _line(
            f"`{figure['name']}`",
            f"{number(figure['value'])} {figure['unit']}"
            + (" **missed**" if figure["is_met"] is False else ""),
            " - ".join(map(number, middle_half(figure["samples"]))),
            limit,
            f"{figure['others']:.0%}",
            beside,
        )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(table(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
