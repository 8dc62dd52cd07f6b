"""Rules on requirements: they install, and name versions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.errors import EnvironmentBuildError
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.environment import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.subject import Subject

_LONGEST = 300
_MOST_SHOWN = 20
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_OPTION = re.compile(r"\s--?[a-z].*$")
_EDITABLE = re.compile(r"(?:-e|--editable)[ =]\s*")
_COMMIT = re.compile(r"@[0-9a-f]{7,40}(?:$|#)")
_ARCHIVE = re.compile(r"-\d[^/]*\.(?:whl|zip|tar\.\w+|tgz)(?:$|[#?])")
_LINE = re.compile(r"\(from line (\d+) of ")
_WANTED = re.compile(r"(?:requirement|distribution found for) '?([A-Za-z0-9._-]+)")


def _install(subject: Subject) -> Iterator[Finding]:
    for file in _files(subject):
        try:
            build(file)
        except EnvironmentBuildError as error:
            if isinstance(error.__cause__, OSError):
                raise  # this machine's fault
            said = error.message.partition(" cannot be installed: ")[2]
            yield Finding(
                message=f"the packages cannot be installed: {one_line(said, _LONGEST)}",
                file=subject.shown(file),
                line=_line(subject, file, said),
            )


def _pinned(subject: Subject) -> Iterator[Finding]:
    for file in _files(subject):
        loose = [
            (number, line)
            for number, line in _lines(subject.read_text(file) or "")
            if not _is_pinned(line) and not _is_option(line)
        ]
        for number, line in loose[:_MOST_SHOWN]:
            yield Finding(
                message=f"{one_line(line, _LONGEST)!r} names no version",
                file=subject.shown(file),
                line=number,
            )


def _files(subject: Subject) -> Iterator[Path]:
    """Yield the requirements files of the agent and of the evaluator."""
    environment = subject.manifest.values.get("environment")
    stated = environment.get("requirements") if isinstance(environment, dict) else None
    agent = (subject.gym / (stated if isinstance(stated, str) else "task/requirements.txt")).resolve()
    for file, folder in (
        (agent, subject.gym),
        (subject.evaluations / "requirements.txt", subject.evaluations),
    ):
        if file.is_file() and file.resolve().is_relative_to(folder):
            yield file


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with something in them, those that go on put together, by their first number."""
    start, begun = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        start = start if begun else number
        begun += _COMMENT.sub("", line)
        if begun.endswith("\\"):
            begun = begun[:-1]
            continue
        if begun.strip():
            yield start, begun.strip()
        begun = ""
    if begun.strip():
        yield start, begun.strip()


def _is_option(line: str) -> bool:
    return line.startswith("-") and not _EDITABLE.match(line)


def _is_pinned(line: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - few files need it

    wanted = _OPTION.sub("", _EDITABLE.sub("", line))
    if "--hash=" in line:
        return True
    try:
        requirement = Requirement(wanted)
    except InvalidRequirement:
        return _is_fixed_place(wanted)
    if requirement.url:
        return _is_fixed_place(requirement.url)
    return any(part.operator in {"==", "==="} and "*" not in part.version for part in requirement.specifier)


def _is_fixed_place(place: str) -> bool:
    """Tell whether an address or a path holds the same tomorrow; what is neither, pip will not take."""
    address = place.strip()
    if "git+" in address or address.startswith(("hg+", "svn+", "bzr+")):
        return bool(_COMMIT.search(address))
    return not address.startswith(("http://", "https://")) or bool(_ARCHIVE.search(address))


def _line(subject: Subject, file: Path, said: str) -> int | None:
    """Return the line that pip complains of, as far as it says so."""
    told = _LINE.search(said)
    if told:
        return int(told[1])
    wanted = _WANTED.search(said)
    if wanted:
        for number, line in _lines(subject.read_text(file) or ""):
            if line.lower().startswith(wanted[1].lower()):
                return number
    return None


RULES = (
    Rule(
        code="IB701",
        name="requirements",
        summary="What task/requirements.txt and the evaluator's requirements.txt name can be installed.",
        why="Without its packages no agent can start and no submission can be evaluated.",
        remedy="name packages and versions that pip finds for this Python",
        check=_install,
        cost="environment",
    ),
    Rule(
        code="IB705",
        name="pinned",
        summary="Every line of the requirements names one version.",
        why="A score must not depend on the day on which the packages were installed.",
        remedy="write name==version, a commit after @, or the address of an archive with its version",
        check=_pinned,
        severity="warning",
    ),
)
