"""The rule on packed conda environments: they are there and unpack into their own folder."""

from __future__ import annotations

import re
import tarfile
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.archives import LONGEST_SHOWN, Member, each_member, member_problem
from pytest_innovatorbench.tasks.conda import is_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject

MOST_SHOWN = 5
MOST_MEMBERS = 5_000_000
_NAMED = re.compile(r"/workspace/conda\b|\bconda activate\b|\bconda\.tar\b", re.IGNORECASE)


def _archive(subject: Subject) -> Iterator[Finding]:
    environment = subject.manifest.values.get("environment", {})
    file = subject.root / environment.get("conda", f"conda/{subject.task_id}/conda.tar")
    shown = subject.shown(file)
    if file.is_symlink():
        yield Finding(message="is a link", file=shown, remedy="put the archive itself there")
    elif file.is_file():
        for message in islice(_problems(file), MOST_SHOWN):
            yield Finding(message=message, file=shown)
    else:
        line = _named_line(subject)
        if line is not None:
            yield Finding(
                message=f"the description names a conda environment, but there is no {shown}",
                file=subject.shown(subject.gym / "task" / "task_description.md"),
                line=line,
                remedy=f"pack it (tar -cf {shown} /workspace/conda) or name task/requirements.txt instead",
            )


def _named_line(subject: Subject) -> int | None:
    lines = enumerate(subject.description.split("\n"), 1)
    return next((number for number, line in lines if _NAMED.search(line)), None)


def _problems(file: Path) -> Iterator[str]:
    """Yield what is wrong with an archive, of which the headers alone are read."""
    if is_pointer(file):
        raise NotCheckedError("conda.tar is kept by git-lfs and was not fetched")
    try:
        with tarfile.open(file, "r:", tarinfo=Member) as archive:
            yield from _members(archive)
            if not _has_end(archive):
                yield "is cut off"
    except (tarfile.TarError, OSError, ValueError) as error:
        yield f"is no plain tar archive that can be read: {one_line(str(error), LONGEST_SHOWN)}"


def _members(archive: tarfile.TarFile) -> Iterator[str]:
    number = 0
    for number, member in enumerate(each_member(archive), 1):
        if number > MOST_MEMBERS:
            raise NotCheckedError("conda.tar is too large to look through")
        problem = member_problem(member)
        if problem:
            yield f"{one_line(member.name, LONGEST_SHOWN)!r} {problem}"
    if not number:
        yield "holds nothing"


def _has_end(archive: tarfile.TarFile) -> bool:
    """Tell whether what was read last is a block of zeros, with which archives end."""
    content: Any = archive.fileobj
    content.seek(archive.offset)
    return bool(content.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE))


RULES = (
    Rule(
        code="IB702",
        name="conda-archive",
        summary="The conda.tar of a task is there where the description names one, and unpacks safely.",
        why="Agents of such a task start without Python if it is missing, and an archive that leaves its "
        "folder overwrites what belongs to others.",
        remedy="pack it again: tar -cf conda.tar /workspace/conda",
        check=_archive,
        cost="environment",
    ),
)
