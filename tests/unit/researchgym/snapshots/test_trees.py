"""What may lie in a workspace beside ordinary files; all of it is hostile."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.snapshots import Mark, Snapshot, Store
from tests.unit.researchgym.snapshots.conftest import look_at, save


def there_and_back(store: Store, work: Path, other: Path) -> Snapshot:
    """Save a folder, restore it elsewhere and in place, and hold all three against each other."""
    snapshot = save(store, work)
    before = look_at(work)
    store.restore(snapshot.id, other)
    assert look_at(other) == before
    again = store.restore(snapshot.id, work)
    assert (again.written, again.removed) == (0, 0)
    assert look_at(work) == before
    third = save(store, other)
    assert store.diff(snapshot.id, third.id) == ()
    return snapshot


def test_modes_times_and_links(store: Store, work: Path, tmp_path: Path) -> None:
    for number, mode in enumerate((0o600, 0o755, 0o444, 0o777, 0o644)):
        file = work / f"mode{number}"
        file.write_text("x")
        file.chmod(mode)
        os.utime(file, ns=(1, 10**18 + number))
    (work / "shut").mkdir()
    (work / "shut/file").write_text("y")
    (work / "shut").chmod(0o500)
    (work / "sticky").mkdir()
    (work / "sticky").chmod(0o1777)
    for name, target in {"link": "mode0", "up": "../../..", "host": "/etc/passwd", "loop": "loop"}.items():
        (work / name).symlink_to(target)
    os.utime(work / "link", ns=(7, 7), follow_symlinks=False)
    os.utime(work, ns=(9, 9))
    there_and_back(store, work, tmp_path / "other")
    (work / "shut").chmod(0o700)
    (tmp_path / "other/shut").chmod(0o700)


def test_modes_that_run_programs_as_somebody_else_are_not_kept(
    store: Store, work: Path, tmp_path: Path
) -> None:
    (work / "tool").write_text("#!/bin/sh\n")
    (work / "tool").chmod(0o6755)
    store.restore(save(store, work).id, tmp_path / "other")
    assert stat.S_IMODE((tmp_path / "other/tool").stat().st_mode) == 0o755


def test_files_and_folders_that_are_shut_are_read_and_stay_shut(
    store: Store, work: Path, tmp_path: Path
) -> None:
    (work / "closed").mkdir()
    (work / "closed/secret").write_text("x")
    (work / "closed/secret").chmod(0)
    (work / "closed").chmod(0)
    snapshot = save(store, work)
    assert snapshot.marks == ()
    assert stat.S_IMODE((work / "closed").stat().st_mode) == 0
    store.restore(snapshot.id, tmp_path / "other")
    for place in (work, tmp_path / "other"):
        assert stat.S_IMODE((place / "closed").stat().st_mode) == 0
        (place / "closed").chmod(0o700)
        assert stat.S_IMODE((place / "closed/secret").stat().st_mode) == 0
        (place / "closed/secret").chmod(0o600)
        assert (place / "closed/secret").read_text() == "x"


def test_names_of_255_bytes_and_of_any_bytes(store: Store, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    names = [
        b"n" * 255,
        "ä".encode() * 127,
        b"\xff\xfe\n",
        b'"\\',
        b"\t\r",
        b" ",
        b"-rf",
        b"\xc3(",
        b"...",
        b"\x01\x7f",
    ]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(work), name))).write_bytes(name)
        folder = os.path.join(os.fsencode(work), b"f" + name[:254])
        os.mkdir(folder)
        os.symlink(name, os.path.join(folder, b"link"))
    snapshot = there_and_back(store, work, tmp_path / "other")
    assert snapshot.files == 2 * len(names)
    (work / os.fsdecode(b"\xff\xfe\n")).write_text("changed")
    (change,) = store.diff(snapshot.id, save(store, work).id)
    assert os.fsencode(change.path) == b"\xff\xfe\n"


def test_hard_links_stay_together(store: Store, work: Path, tmp_path: Path) -> None:
    (work / "z").mkdir()
    for name in ("a", "z/b", "z/c"):
        os.link(work / "part0/000.bin", work / name)
    snapshot = there_and_back(store, work, tmp_path / "other")
    other = [(tmp_path / "other" / name).stat().st_ino for name in ("a", "z/b", "z/c", "part0/000.bin")]
    assert len(set(other)) == 1
    assert snapshot.size == 20 * 3000
    (work / "z/b").unlink()
    (work / "z/b").write_bytes((work / "a").read_bytes())
    (work / "part0/000.bin").write_bytes(b"all names of it")
    store.restore(snapshot.id, work)
    assert len({(work / name).stat().st_ino for name in ("a", "z/b", "z/c", "part0/000.bin")}) == 1
    assert (work / "z/c").read_bytes() == (tmp_path / "other/a").read_bytes()


def test_hard_link_to_something_outside_is_left_alone(store: Store, work: Path, tmp_path: Path) -> None:
    snapshot = save(store, work)
    outside = tmp_path / "outside"
    outside.write_bytes((work / "part0/000.bin").read_bytes())
    outside.chmod(0o600)
    (work / "part0/000.bin").unlink()
    os.link(outside, work / "part0/000.bin")
    store.restore(snapshot.id, work)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert stat.S_IMODE((work / "part0/000.bin").stat().st_mode) == 0o644


def test_files_with_holes_keep_them(store: Store, work: Path, tmp_path: Path) -> None:
    file = work / "sparse"
    with file.open("wb") as stream:
        stream.truncate(1 << 33)
        stream.seek(5 << 20)
        stream.write(b"middle")
        stream.seek((1 << 33) - 3)
        stream.write(b"end")
    (work / "hole").touch()
    os.truncate(work / "hole", 1 << 20)
    snapshot = save(store, work)
    assert snapshot.stored < 200_000
    store.restore(snapshot.id, tmp_path / "other")
    restored = tmp_path / "other/sparse"
    assert restored.stat().st_size == 1 << 33
    assert restored.stat().st_blocks <= file.stat().st_blocks
    with restored.open("rb") as stream:
        stream.seek(5 << 20)
        assert stream.read(7) == b"middle\0"
        stream.seek(-4, os.SEEK_END)
        assert stream.read() == b"\0end"
    assert (tmp_path / "other/hole").read_bytes() == bytes(1 << 20)
    assert (tmp_path / "other/hole").stat().st_blocks == 0
    assert store.restore(snapshot.id, work).written == 0
    with file.open("r+b") as stream:
        stream.seek(1 << 32)
        stream.write(b"in a hole")
    assert store.restore(snapshot.id, work).written == 1
    with file.open("rb") as stream:
        stream.seek(1 << 32)
        assert stream.read(9) == bytes(9)


def test_fifos_and_sockets_are_kept_and_nothing_waits_for_them(
    store: Store, work: Path, tmp_path: Path
) -> None:
    os.mkfifo(work / "fifo", 0o640)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "s"))
        snapshot = save(store, work)
    assert snapshot.marks == ()
    store.restore(snapshot.id, tmp_path / "other")
    modes = {name: (tmp_path / "other" / name).lstat().st_mode for name in ("fifo", "s")}
    assert stat.S_ISFIFO(modes["fifo"])
    assert stat.S_IMODE(modes["fifo"]) == (work / "fifo").stat().st_mode & 0o777
    assert stat.S_ISSOCK(modes["s"])
    (work / "fifo").unlink()
    (work / "fifo").write_text("in the way")
    assert store.restore(snapshot.id, work).written == 1
    assert stat.S_ISFIFO((work / "fifo").lstat().st_mode)


def test_whiteouts_of_the_kernel(store: Store, work: Path, tmp_path: Path) -> None:
    try:
        os.mknod(work / "deleted", stat.S_IFCHR, os.makedev(0, 0))
    except PermissionError:
        pytest.skip("this kernel lets nobody but root mark files as deleted")
    (work / "made_again").write_text("new")
    snapshot = there_and_back(store, work, tmp_path / "other")
    (work / "deleted").unlink()
    (work / "deleted").write_text("back")
    (work / "made_again").unlink()
    os.mknod(work / "made_again", stat.S_IFCHR, os.makedev(0, 0))
    store.restore(snapshot.id, work)
    assert (work / "deleted").lstat().st_rdev == 0
    assert stat.S_ISCHR((work / "deleted").lstat().st_mode)
    assert (work / "made_again").read_text() == "new"


def test_opaque_folders_and_whiteouts_by_attribute(store: Store, work: Path, tmp_path: Path) -> None:
    (work / "opaque").mkdir()
    (work / "marked").mkdir()
    (work / "marked/gone").touch()
    os.setxattr(work / "opaque", "user.overlay.opaque", b"y")
    os.setxattr(work / "marked", "user.overlay.opaque", b"x")
    os.setxattr(work / "marked/gone", "user.overlay.whiteout", b"")
    os.setxattr(work / "part0", "user.note", b"\x00\xff")
    snapshot = there_and_back(store, work, tmp_path / "other")
    os.removexattr(work / "opaque", "user.overlay.opaque")
    os.setxattr(work / "part1", "user.overlay.opaque", b"y")
    store.restore(snapshot.id, work)
    assert os.getxattr(work / "opaque", "user.overlay.opaque") == b"y"
    assert os.listxattr(work / "part1") == []


def test_what_is_true_of_one_overlay_only_is_not_kept(store: Store, work: Path, tmp_path: Path) -> None:
    for name in ("origin", "impure", "upper"):
        os.setxattr(work / "part0", f"user.overlay.{name}", b"y")
    store.restore(save(store, work).id, tmp_path / "other")
    assert os.listxattr(tmp_path / "other/part0") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_devices_are_marked_and_never_made(store: Store, work: Path, tmp_path: Path) -> None:
    os.mknod(work / "disk", stat.S_IFBLK | 0o666, os.makedev(254, 0))
    os.mknod(work / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    snapshot = save(store, work)
    assert snapshot.marks == (
        Mark(path="disk", reason="is a device"),
        Mark(path="null", reason="is a device"),
    )
    restored = store.restore(snapshot.id, tmp_path / "other")
    assert restored.skipped == ("disk", "null")
    assert not (tmp_path / "other/disk").exists()


def test_every_kind_takes_the_place_of_every_other(store: Store, tmp_path: Path) -> None:
    def make(path: Path, kind: str) -> None:
        if kind == "file":
            path.write_text("text")
        elif kind == "folder":
            path.mkdir()
            (path / "in").write_text("inside")
        elif kind == "link":
            path.symlink_to("file-folder")
        elif kind == "fifo":
            os.mkfifo(path)

    kinds = ("file", "folder", "link", "fifo", "nothing")
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    for one in kinds:
        for two in kinds:
            make(first / f"{one}-{two}", one)
            make(second / f"{one}-{two}", two)
    before, after = save(store, first), save(store, second)
    wanted = look_at(second)
    store.restore(after.id, first)
    assert look_at(first) == wanted
    store.restore(before.id, second)
    assert store.diff(save(store, second).id, before.id) == ()


def test_links_in_the_way_are_not_followed(store: Store, work: Path, tmp_path: Path) -> None:
    """What an agent swaps for a link must not make restoring write outside."""
    snapshot = save(store, work)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "000.bin").write_text("the user's own")
    (work / "part0").rename(tmp_path / "moved")
    (work / "part0").symlink_to(outside)
    (work / "part1/001.bin").unlink()
    (work / "part1/001.bin").symlink_to(outside / "000.bin")
    store.restore(snapshot.id, work)
    assert (outside / "000.bin").read_text() == "the user's own"
    assert sorted(outside.iterdir()) == [outside / "000.bin"]
    assert not (work / "part0").is_symlink()
    assert len((work / "part1/001.bin").read_bytes()) == 3000
