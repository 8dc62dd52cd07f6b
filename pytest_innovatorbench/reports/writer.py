"""Report files: what was asked for with ``--ibench-report=KIND:PATH``, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from pytest_innovatorbench.errors import SettingsError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_innovatorbench.reports.document import ReportDocument

ReportKind: TypeAlias = Literal["json", "md", "html"]

_KINDS = ("json", "md", "html")
_ALLOWED = "use json:PATH, md:PATH or html:PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTarget:
    """A report that was asked for.

    Attributes:
        kind: Its format.
        path: The file to write.
    """

    kind: ReportKind
    path: Path

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}"


def parse_target(text: str) -> ReportTarget:
    """Return the report that an option value such as ``json:results.json`` asks for.

    Raises:
        SettingsError: The value is not a known kind, a colon and a path.
    """
    kind, _, path = text.partition(":")
    if kind not in _KINDS or not path.strip() or "\0" in path:
        raise SettingsError(f"cannot make a report of {text!r}", remedy=_ALLOWED)
    return ReportTarget(kind=cast("ReportKind", kind), path=Path(path))


def write_report(target: ReportTarget, document: ReportDocument) -> Path:
    """Write a report in place of an earlier one and return its absolute path.

    A reader sees the earlier report or the whole new one, never a part. Folders are made as needed.

    Raises:
        UserError: The file cannot be written there.
    """
    return write_file(target.path, _renderer(target.kind)(document).encode(), called=f"the report {target}")


def write_file(wanted: Path, content: bytes, *, called: str = "") -> Path:
    """Write a file in place of an earlier one and return its absolute path.

    A reader sees the earlier file or the whole new one, never a part. Folders are made as needed.

    Args:
        wanted: Where to.
        content: What it holds.
        called: How errors call it; its path if left out.

    Raises:
        UserError: It cannot be written there.
    """
    try:
        # Links are followed, so that the file that is meant is replaced and not the link to it.
        path = wanted.expanduser().resolve()
        _check_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except (OSError, RuntimeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UserError(f"cannot write {called or wanted}: {reason}", remedy="choose another path") from error
    return path


def _renderer(kind: ReportKind) -> Callable[[ReportDocument], str]:
    # Imported late: most runs parse targets or write one kind, and pay for no other.
    match kind:
        case "json":
            from pytest_innovatorbench.reports.json_report import render_json  # noqa: PLC0415 - see above

            return render_json
        case "md":
            from pytest_innovatorbench.reports.markdown_report import render_markdown  # noqa: PLC0415

            return render_markdown
        case "html":
            from pytest_innovatorbench.reports.html_report import render_html  # noqa: PLC0415

            return render_html


def _check_replaceable(path: Path) -> None:
    if path.parent.exists() and not path.parent.is_dir():
        raise OSError(0, "its folder is a plain file")
    # Renaming over /dev/null or a socket would put a plain file in its place for the whole machine.
    if path.exists() and not path.is_file():
        raise OSError(0, "it is not a plain file")


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()
