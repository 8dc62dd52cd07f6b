"""The formats of ``ibench validate`` by their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from pytest_innovatorbench.reports.validation.document import Validation

FORMATS = ("text", "json", "github", "sarif", "junit", "md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A format, and where it is to be written.

    Attributes:
        format: One of `FORMATS`.
        path: The file; ``None`` for standard output.
    """

    format: str
    path: Path | None = None


def parse_output(text: str) -> Output:
    """Parse ``FORMAT`` or ``FORMAT:PATH``.

    Raises:
        SettingsError: There is no such format.
    """
    name, colon, path = text.partition(":")
    if name not in FORMATS or (colon and not path):
        known = ", ".join(FORMATS)
        raise SettingsError(
            f"cannot show findings as {text!r}", remedy=f"use FORMAT or FORMAT:PATH of {known}"
        )
    return Output(format=name, path=Path(path) if path else None)


def render(name: str, validation: Validation, *, verbose: bool = False) -> str:
    """Return what was found in a format."""
    match name:  # each is imported when it is asked for
        case "json":
            from pytest_innovatorbench.reports.validation.json_document import render_json  # noqa: PLC0415

            return render_json(validation)
        case "github":
            from pytest_innovatorbench.reports.validation.annotations import (  # noqa: PLC0415
                render_annotations,
            )

            return render_annotations(validation)
        case "sarif":
            from pytest_innovatorbench.reports.validation.sarif import render_sarif  # noqa: PLC0415

            return render_sarif(validation)
        case "junit":
            from pytest_innovatorbench.reports.validation.junit import render_junit  # noqa: PLC0415

            return render_junit(validation)
        case "md":
            from pytest_innovatorbench.reports.validation.markdown import render_markdown  # noqa: PLC0415

            return render_markdown(validation)
    from pytest_innovatorbench.reports.validation.lines import render_text  # noqa: PLC0415

    return render_text(validation, verbose=verbose)
