"""Reading untrusted files: each in a sandbox that has nothing but the file and the libraries."""

from __future__ import annotations

import json
import os
import sysconfig
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pytest_innovatorbench.sandbox.model import Bind, Jail, Limits
from pytest_innovatorbench.tasks.environment import base_python

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.sandbox.model import Sandbox

LARGEST_FILE = 256 << 20
SECONDS = 120.0
_MEMORY = 2 << 30
_PROCESSES = 64
_MOST_OUTPUT = 64 << 20
_PROGRAMS = Path(__file__).parent
_INSTALL = "pip install 'pytest-innovatorbench[parse]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What was found in a file.

    Attributes:
        text: Its text, or a line about a picture.
        pages: Pages, slides or frames, where it has some.
        images: Pictures, as ``media_type`` and ``base64``.
        note: What was left out.
        title: Title of a web page.
        links: Links of a web page: what they say, and where they lead.
    """

    text: str
    pages: int | None = None
    images: tuple[Mapping[str, str], ...] = ()
    note: str | None = None
    title: str = ""
    links: tuple[tuple[str, str], ...] = ()


class Parser:
    """Reads files in sandboxes.

    Args:
        sandbox: Confines what reads.
        seconds: How long it may take.
    """

    def __init__(self, sandbox: Sandbox, seconds: float = SECONDS) -> None:
        self._sandbox = sandbox
        self._seconds = seconds

    def parse(self, kind: str, data: bytes, options: Mapping[str, Any] | None = None) -> Parsed | str:
        """Read a file.

        Args:
            kind: ``pdf``, ``docx``, ``pptx``, ``latex``, ``html``, ``image`` or ``video``.
            data: Its content.
            options: Of its kind, such as ``frame_interval``.

        Returns:
            What was found, or why nothing was, in one line.
        """
        with tempfile.TemporaryDirectory(prefix="ibench-parse-") as folder:
            file = Path(folder, "file")
            file.write_bytes(data)
            # What can be left out is, in good time.
            said, status = self._run(
                kind, file, json.dumps({"seconds": self._seconds / 2, **(options or {})})
            )
        return _read(said, status, self._seconds)

    def _run(self, kind: str, file: Path, options: str) -> tuple[bytes, int | None]:
        jail = _furnish(file)
        paths = ("/parse/programs/program.py", "/parse/file", *_sites())
        program, shown, *sites = (self._sandbox.inside(jail, path) for path in paths)
        argv = [base_python(), "-I", "-S", program, kind, shown, options, *sites]
        reader, writer = os.pipe()
        try:
            child = self._sandbox.spawn(jail, argv, stdout=writer)
        finally:
            os.close(writer)
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            child.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        with os.fdopen(reader, "rb", 0) as stream:
            said = _read_up_to(stream, _MOST_OUTPUT)
        timer.cancel()
        child.kill()
        return said, None if overdue.is_set() else child.wait()


def _furnish(file: Path) -> Jail:
    return Jail(
        binds=(
            Bind(source=_PROGRAMS, dest="/parse/programs"),
            Bind(source=file, dest="/parse/file"),
            *(Bind(source=Path(site), dest=site) for site in _sites()),
        ),
        environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"},  # noqa: S108 - inside
        limits=Limits(memory=_MEMORY, processes=_PROCESSES),
    )


def _sites() -> tuple[str, ...]:
    """The folders of the harness's own packages, where the libraries are."""
    paths = sysconfig.get_paths()
    return tuple(dict.fromkeys(paths[name] for name in ("purelib", "platlib")))


def _read_up_to(stream: IO[bytes], most: int) -> bytes:
    parts, room = [], most
    while room > 0 and (part := stream.read(min(room, 1 << 20))):
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def _read(said: bytes, status: int | None, seconds: float) -> Parsed | str:
    """Take apart what a program said that an untrusted file may have taken over."""
    if status is None:
        return f"it could not be read within {seconds:g} s"
    try:
        found = json.loads(said)
        if "missing" in found:
            return f"the package {found['missing']} is not installed here: {_INSTALL}"
        if "error" in found:
            return f"it could not be read: {found['error']}"
        return Parsed(
            text=str(found["text"]),
            pages=int(found["pages"]) if found.get("pages") is not None else None,
            images=tuple(_image(image) for image in found.get("images", ())),
            note=str(found["note"]) if found.get("note") else None,
            title=str(found.get("title", "")),
            links=tuple((str(link["text"]), str(link["url"])) for link in found.get("links", ())),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "it could not be read: what reads it ended early, for want of memory most likely"


def _image(image: Mapping[str, str]) -> Mapping[str, str]:
    return {"media_type": str(image["media_type"]), "base64": str(image["base64"])}
