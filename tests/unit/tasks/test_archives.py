from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from pytest_innovatorbench.tasks.archives import LARGEST_HEADER, unpack
from tests.unit.tasks.packing import add, add_special


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conda.tar"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    place = tmp_path / "below" / "unpacked"
    place.mkdir(parents=True)
    return place


def test_files_links_modes_and_times_are_unpacked(file: Path, folder: Path) -> None:
    with tarfile.open(file, "w") as archive:
        add(archive, "/workspace/conda/bin/tool", "one", mode=0o6755, mtime=12345)
        add(archive, "workspace/conda/plain", "two", mode=0o600)
        add_special(archive, "workspace/conda/bin/link", tarfile.SYMTYPE, "tool")
        add_special(archive, "workspace/conda/there", tarfile.SYMTYPE, "/workspace/conda/bin/tool")
        add_special(archive, "workspace/conda/hard", tarfile.LNKTYPE, "workspace/conda/bin/link")
    unpack(file, folder)
    conda = folder / "workspace" / "conda"
    status = (conda / "bin" / "tool").stat()
    assert (status.st_mode & 0o7777, status.st_mtime) == (0o755, 12345)
    assert (conda / "plain").stat().st_mode & 0o7777 == 0o644
    assert (conda / "bin" / "link").read_text() == "one"
    assert str((conda / "there").readlink()) == "/workspace/conda/bin/tool"
    assert (conda / "hard").is_symlink()


def test_of_two_members_of_a_name_the_later_counts(file: Path, folder: Path) -> None:
    with tarfile.open(file, "w") as archive:
        add(archive, "other", "other")
        add_special(archive, "name", tarfile.SYMTYPE, "other")
        add(archive, "name", "later")
    unpack(file, folder)
    assert [(folder / name).read_text() for name in ("name", "other")] == ["later", "other"]


@pytest.mark.parametrize(
    ("name", "kind", "target", "problem"),
    [
        ("../evil", tarfile.REGTYPE, "", "'../evil' would be unpacked outside of the folder"),
        ("a/../../evil", tarfile.REGTYPE, "", "would be unpacked outside of the folder"),
        ("/etc/evil", tarfile.REGTYPE, "", "would be unpacked outside of the folder"),
        ("link", tarfile.SYMTYPE, "../../outside", "points out of the folder, to '../../outside'"),
        ("link", tarfile.SYMTYPE, "/etc/passwd", "points out of the folder, to '/etc/passwd'"),
        ("link", tarfile.LNKTYPE, "../../outside/secret", "is a hard link to something outside"),
        ("link", tarfile.LNKTYPE, "nothing", "is a hard link to what is not there"),
        ("device", tarfile.CHRTYPE, "", "'device' is a device or a pipe"),
        ("pipe", tarfile.FIFOTYPE, "", "'pipe' is a device or a pipe"),
        ("x\x1b[2J/../../e", tarfile.REGTYPE, "", r"'x\\x1b[2J/../../e' would be unpacked outside"),
    ],
)
def test_what_must_not_be_unpacked(
    file: Path, folder: Path, name: str, kind: bytes, target: str, problem: str
) -> None:
    with tarfile.open(file, "w") as archive:
        add_special(archive, name, kind, target)
    with pytest.raises(tarfile.ExtractError) as raised:
        unpack(file, folder)
    assert problem in str(raised.value)
    assert not list(folder.iterdir())


def test_nothing_is_written_through_links(file: Path, folder: Path) -> None:
    """Each link is fine by itself; on this machine /workspace may be anything."""
    for link, target in (("a", "/workspace"), ("b", ".")):
        for name in (f"{link}/evil", f"{link}/deep/evil"):
            with tarfile.open(file, "w") as archive:
                add_special(archive, link, tarfile.SYMTYPE, target)
                add(archive, name, "evil")
            with pytest.raises(tarfile.ExtractError, match=f"'{name}' would be unpacked through a link"):
                unpack(file, folder)
            (folder / link).unlink()


def test_no_hard_link_reaches_through_a_link(file: Path, folder: Path) -> None:
    with tarfile.open(file, "w") as archive:
        add_special(archive, "a", tarfile.SYMTYPE, "/workspace")
        add_special(archive, "stolen", tarfile.LNKTYPE, "a/secret")
    with pytest.raises(tarfile.ExtractError, match="'stolen' is a hard link to what is not there"):
        unpack(file, folder)


def test_a_folder_and_a_file_do_not_replace_each_other(file: Path, folder: Path) -> None:
    with tarfile.open(file, "w") as archive:
        add(archive, "a/b", "b")
        add(archive, "a", "a")
    with pytest.raises(tarfile.ExtractError, match="'a' takes the place of a folder"):
        unpack(file, folder)
    with tarfile.open(file, "w") as archive:
        add(archive, "c", "c")
        add_special(archive, "c", tarfile.DIRTYPE)
    with pytest.raises(tarfile.ExtractError, match="'c' takes the place of a file"):
        unpack(file, folder)


def test_an_archive_that_is_cut_off_compressed_or_bloated_is_refused(file: Path, folder: Path) -> None:
    with tarfile.open(file, "w") as archive:
        add(archive, "a", "a" * 5000)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(tarfile.TarError):
        unpack(file, folder)
    with tarfile.open(file, "w:gz") as archive:
        add(archive, "a", "a")
    with pytest.raises(tarfile.ReadError):
        unpack(file, folder)
    with tarfile.open(file, "w") as archive:
        add(archive, "n" * (LARGEST_HEADER + 1), "a")
    with pytest.raises(tarfile.ReadError, match="a header of"):
        unpack(file, folder)
