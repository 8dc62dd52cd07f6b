"""Members of tar archives from elsewhere: which may be unpacked, and unpacking them."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_HEADER = 2**20  # bytes of a name or other text that precedes a member
LONGEST_SHOWN = 100
_TEXTS = {
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
}
_WORKSPACE = PurePosixPath("/workspace")
_CHUNK = 2**20


class Member(tarfile.TarInfo):
    """A member whose names are no longer than names are."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _TEXTS and self.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]  # typeshed leaves it out


def each_member(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members of an archive that may have millions, without keeping them."""
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
        yield member


def member_problem(member: tarfile.TarInfo) -> str | None:
    """Return why a member must not be unpacked, if it must not."""
    if _leaves(member.name):
        return "would be unpacked outside of the folder"
    if member.issym() and _leaves(posixpath.join(posixpath.dirname(member.name), member.linkname)):
        return f"points out of the folder, to {one_line(member.linkname, LONGEST_SHOWN)!r}"
    if member.islnk() and _leaves(member.linkname):
        return f"is a hard link to something outside, {one_line(member.linkname, LONGEST_SHOWN)!r}"
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return "is a device or a pipe"
    return None


def unpack(file: Path, folder: Path) -> None:
    """Unpack a plain tar archive that nobody vouches for into a new folder.

    Nothing is written through a link, whatever the archive says; owners, set-user-id bits and the
    like are not taken over. Times are, as Python compares those of sources and bytecode.

    Args:
        file: The archive; names in it may begin with a slash.
        folder: Existing, empty.

    Raises:
        tarfile.TarError: It is no such archive, is cut off, or has a member that must not be unpacked.
        OSError: It cannot be read, or the folder cannot be written.
    """
    largest = file.stat().st_size
    with tarfile.open(file, "r:", tarinfo=Member) as archive:
        for member in each_member(archive):
            problem = member_problem(member)
            if problem is None and member.size > largest:
                problem = "has holes, and is larger than the archive"
            if problem is None:
                problem = _unpack(archive, member, folder)
            if problem is not None:
                raise tarfile.ExtractError(f"{one_line(member.name, LONGEST_SHOWN)!r} {problem}")


def _leaves(name: str) -> bool:
    path = posixpath.normpath(name)
    if path.startswith("/"):
        return not PurePosixPath(path).is_relative_to(_WORKSPACE)
    return path == ".." or path.startswith("../")


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> str | None:
    """Unpack one member; return why it must not be, where that shows only now."""
    place = _place(folder, member.name)
    if place is None:
        return "would be unpacked through a link"
    if member.isdir():
        return _make_folder(place)
    if place.is_dir() and not place.is_symlink():
        return "takes the place of a folder"
    place.unlink(missing_ok=True)  # a later member of the same name counts
    if member.issym():
        place.symlink_to(member.linkname)
    elif member.islnk():
        return _link(_place(folder, member.linkname), place)
    else:
        _write(archive, member, place)
    return None


def _place(folder: Path, name: str) -> Path | None:
    """Return where a member belongs, its folders made; ``None`` if one of them is none."""
    *folders, last = PurePosixPath(posixpath.normpath(f"/{name}")).parts[1:] or (".",)
    for part in folders:
        folder /= part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            return None
        folder.mkdir(exist_ok=True)
    return folder / last


def _make_folder(place: Path) -> str | None:
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        return "takes the place of a file"
    place.mkdir(exist_ok=True)
    return None


def _link(source: Path | None, place: Path) -> str | None:
    if source is None or not (source.is_symlink() or source.is_file()):
        return "is a hard link to what is not there"
    os.link(source, place, follow_symlinks=False)
    return None


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    content = archive.extractfile(member)
    assert content is not None  # noqa: S101 - it is a file
    with content, place.open("xb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
        if file.tell() != member.size:
            raise tarfile.ReadError("unexpected end of data")
        os.fchmod(file.fileno(), 0o755 if member.mode & 0o111 else 0o644)
    os.utime(place, (member.mtime, member.mtime))
