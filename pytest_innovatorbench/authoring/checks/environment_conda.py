"""The rule on packed conda environments: they are there and unpack into their own folder."""

from __future__ import annotations

import posixpath
import re
import tarfile
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject

MOST_SHOWN = 5
MOST_MEMBERS = 5_000_000
LARGEST_HEADER = 2**20  # bytes of a name or other text that precedes a member
_LONGEST = 100
_TEXTS = {
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
}
_NAMED = re.compile(r"/workspace/conda\b|\bconda activate\b|\bconda\.tar\b", re.IGNORECASE)
_WORKSPACE = PurePosixPath("/workspace")
_POINTER = b"version https://git-lfs"


def _archive(subject: Subject) -> Iterator[Finding]:
    file = subject.root / "conda" / subject.task_id / "conda.tar"
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
    with file.open("rb") as content:
        if content.read(len(_POINTER)) == _POINTER:
            raise NotCheckedError("conda.tar is kept by git-lfs and was not fetched")
    try:
        with tarfile.open(file, "r:", tarinfo=_Member) as archive:
            yield from _members(archive)
            if not _has_end(archive):
                yield "is cut off"
    except (tarfile.TarError, OSError, ValueError) as error:
        yield f"is no plain tar archive that can be read: {one_line(str(error), _LONGEST)}"


class _Member(tarfile.TarInfo):
    """A member whose names are no longer than names are."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _TEXTS and self.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]  # typeshed leaves it out


def _members(archive: tarfile.TarFile) -> Iterator[str]:
    number = 0
    while (member := archive.next()) is not None:
        number += 1
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep millions
        if number > MOST_MEMBERS:
            raise NotCheckedError("conda.tar is too large to look through")
        problem = _problem(member)
        if problem:
            yield f"{one_line(member.name, _LONGEST)!r} {problem}"
    if not number:
        yield "holds nothing"


def _problem(member: tarfile.TarInfo) -> str | None:
    """Return why a member must not be unpacked, if it must not."""
    if _leaves(member.name):
        return "would be unpacked outside of the folder"
    if member.issym() and _leaves(posixpath.join(posixpath.dirname(member.name), member.linkname)):
        return f"points out of the folder, to {one_line(member.linkname, _LONGEST)!r}"
    if member.islnk() and _leaves(member.linkname):
        return f"is a hard link to something outside, {one_line(member.linkname, _LONGEST)!r}"
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return "is a device or a pipe"
    return None


def _leaves(name: str) -> bool:
    path = posixpath.normpath(name)
    if path.startswith("/"):
        return not PurePosixPath(path).is_relative_to(_WORKSPACE)
    return path == ".." or path.startswith("../")


def _has_end(archive: tarfile.TarFile) -> bool:
    """Tell whether what was read last is a block of zeros, with which archives end."""
    content: Any = archive.fileobj
    content.seek(archive.offset)
    return bool(content.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE))


RULES = (
    Rule(
        code="IB702",
        name="conda-archive",
        summary="conda/<task>/conda.tar, where the description names conda, is whole and unpacks safely.",
        why="Agents of such a task start without Python if it is missing, and an archive that leaves its "
        "folder overwrites what belongs to others.",
        remedy="pack it again: tar -cf conda.tar /workspace/conda",
        check=_archive,
        cost="environment",
    ),
)
