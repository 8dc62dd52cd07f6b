from __future__ import annotations

import hashlib
import os
import socket
import tarfile
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pytest_innovatorbench.evaluation.model import Caps, Refusal, Submission
from pytest_innovatorbench.evaluation.submission import freeze, show, thaw
from pytest_innovatorbench.sandbox.trees import Entry, walk_layers

if TYPE_CHECKING:
    from collections.abc import Iterable

HOSTILE_NAMES = [
    b"two\nlines",
    b"\xff\xfe not utf-8 \x80",
    b"x" * 255,
    b"\xe2\x82\xac" * 85,
    b" spaces at both ends ",
    b"tab\tbell\x07escape\x1b[31m",
    b"-rf",
    b"a=b\\c\"'",
]


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "layer/data/outputs").mkdir(parents=True)
    return tmp_path / "layer"


@pytest.fixture
def outputs(layer: Path) -> Path:
    return layer / "data/outputs"


def frozen(layer: Path, caps: Caps = Caps()) -> Submission:  # noqa: B008 - frozen
    return freeze(walk_layers([layer], "data/outputs"), layer.parent / "s.tar", caps)


def frozen_entries(entries: Iterable[Entry], folder: Path) -> Submission:
    return freeze(entries, folder / "s.tar", Caps())


def test_what_goes_in_comes_out(layer: Path, outputs: Path, tmp_path: Path) -> None:
    (outputs / "deep/er").mkdir(parents=True)
    (outputs / "deep/er/model.bin").write_bytes(os.urandom(3_000_000))
    (outputs / "empty").mkdir()
    (outputs / "nothing.txt").touch()
    for number, name in enumerate(HOSTILE_NAMES):
        Path(os.fsdecode(os.fsencode(outputs) + b"/" + name)).write_text(str(number))
    submission = frozen(layer)
    assert (submission.files, submission.refused_count) == (len(HOSTILE_NAMES) + 2, 0)
    thaw(submission.archive, tmp_path / "thawed")
    assert tree(tmp_path / "thawed") == tree(outputs)


def tree(root: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in root.rglob("*")}


def test_the_same_outputs_give_the_same_bytes(layer: Path, outputs: Path) -> None:
    (outputs / "b").mkdir()
    (outputs / "b/two").write_text("2")
    (outputs / "a").write_text("1")
    first = frozen(layer)
    os.utime(outputs / "a", (1, 1))
    (outputs / "a").chmod(0o4711)
    second = frozen(layer)
    assert first.digest == second.digest
    assert first.digest == "sha256:" + hashlib.sha256(second.archive.read_bytes()).hexdigest()
    assert second.archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(second.archive) as members:
        told = [(m.name, m.mode, m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members]
    assert told == [
        ("a", 0o644, 0, 0, 0, "", ""),
        ("b", 0o755, 0, 0, 0, "", ""),
        ("b/two", 0o644, 0, 0, 0, "", ""),
    ]
    (outputs / "a").write_text("3")
    assert frozen(layer).digest != first.digest


def test_missing_outputs_are_an_empty_submission(layer: Path, outputs: Path, tmp_path: Path) -> None:
    outputs.rmdir()
    submission = frozen(layer)
    assert (submission.files, submission.size, submission.refused) == (0, 0, ())
    thaw(submission.archive, tmp_path / "thawed")
    assert tree(tmp_path / "thawed") == {}


def test_everything_but_files_and_folders_is_refused_by_name(
    layer: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outputs / "kept.txt").write_text("kept")
    os.mkfifo(outputs / "a\nfifo")
    (outputs / "link").symlink_to("kept.txt")
    monkeypatch.chdir(outputs)  # a socket's path may have 107 bytes
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind("plug")
        submission = frozen(layer)
    assert submission.files == 1
    assert submission.refused == (
        Refusal(path="a\\nfifo", reason="a FIFO"),
        Refusal(path="link", reason="a link"),
        Refusal(path="plug", reason="a socket"),
    )
    assert submission.violation is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_devices_are_refused(layer: Path, outputs: Path) -> None:
    os.mknod(outputs / "null", 0o20666, os.makedev(1, 3))
    assert frozen(layer).refused == (Refusal(path="null", reason="a device"),)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_unreadable_files_are_refused(layer: Path, outputs: Path) -> None:
    (outputs / "locked").touch(mode=0o000)
    assert frozen(layer).refused == (Refusal(path="locked", reason="not readable (Permission denied)"),)


@pytest.mark.parametrize(
    ("where", "target", "violation"),
    [
        ("a", "b", None),
        ("a", "/workspace/data/datasets/train.csv", None),
        ("a", "../../task", None),
        ("sub/a", "../../../task", None),
        ("a", "/srv/evaluations/t/data/references", "link a points out of the workspace to /srv/eva"),
        ("a", "/workspace/../etc/passwd", "link a points out of the workspace to /workspace/../etc"),
        ("a", "../../../etc", "link a points out of the workspace to ../../../etc"),
        ("sub/a", "../../../../x", "link sub/a points out of the workspace to ../../../../x"),
        ("a\n", "/workspaces\x1b", r"link a\n points out of the workspace to /workspaces\x1b"),
    ],
)
def test_links_out_of_the_workspace_are_violations(
    layer: Path, outputs: Path, where: str, target: str, violation: str | None
) -> None:
    (outputs / "sub").mkdir()
    (outputs / where).symlink_to(target)
    submission = frozen(layer)
    assert [refusal.reason for refusal in submission.refused] == ["a link"]
    if violation is None:
        assert submission.violation is None
    else:
        assert (submission.violation or "").startswith(violation)


def test_a_hundred_thousand_files_stop_at_the_cap(layer: Path, outputs: Path) -> None:
    for number in range(2):  # hard links are quicker to make than files, 65,000 of each is the most
        folder = outputs / f"many{number}"
        folder.mkdir()
        (folder / "first").touch()
        for name in range(50_000):
            os.link(folder / "first", folder / str(name))
    started = time.perf_counter()
    submission = frozen(layer, Caps(files=1_000))
    assert time.perf_counter() - started < 5
    assert submission.files == 1_000
    assert submission.refused[0].reason == "more than 1,000 files; the rest was left out"
    assert submission.refused_count == 1
    assert submission.violation is None


def test_a_hundred_thousand_folders_stop_at_the_cap(layer: Path) -> None:
    folders = (Entry(path=f"{n:06}", kind="folder", layer=layer, where="") for n in range(100_000))
    submission = freeze(folders, layer.parent / "s.tar", Caps(files=10))
    assert submission.refused == (
        Refusal(path="000010", reason="more than 10 folders, links and the like; the rest was left out"),
    )


def test_bytes_stop_at_the_cap_without_reading_a_sparse_file(layer: Path, outputs: Path) -> None:
    (outputs / "a").write_bytes(b"x" * 600)
    with (outputs / "b").open("wb") as file:
        file.truncate(2**40)
    (outputs / "c").write_text("never reached")
    submission = frozen(layer, Caps(total=1_000))
    assert (submission.files, submission.size) == (1, 600)
    assert submission.refused == (Refusal(path="b", reason="more than 1,000 bytes; the rest was left out"),)


class Shifty(Entry):
    """A file that is not, when read, what it was when listed."""

    def open(self) -> BinaryIO:
        source = super().open()
        path = self.layer / self.where
        if "grows" in self.path:
            with path.open("ab") as file:
                file.write(b"more" * 100)
        elif "shrinks" in self.path:
            source.close()
            return Shrinking(path)
        elif "vanishes" in self.path:
            source.close()
            raise FileNotFoundError(2, "No such file or directory")
        return source


class Shrinking(BytesIO):
    """Says that it is as long as the file was, and ends early."""

    def __init__(self, path: Path) -> None:
        super().__init__(b"short")
        self._file = path.open("rb")

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()


def test_files_that_change_meanwhile(layer: Path, outputs: Path, tmp_path: Path) -> None:
    for name in ("1 grows", "2 shrinks", "3 vanishes", "4 stays"):
        (outputs / name).write_text("0123456789")
    entries = list(walk_layers([layer], "data/outputs"))
    shifty = [Shifty(path=e.path, kind=e.kind, size=e.size, layer=e.layer, where=e.where) for e in entries]
    submission = frozen_entries(shifty, tmp_path)
    assert submission.refused == (
        Refusal(path="2 shrinks", reason="changed while it was read"),
        Refusal(path="3 vanishes", reason="not readable (No such file or directory)"),
    )
    thaw(submission.archive, tmp_path / "thawed")
    assert sorted(tree(tmp_path / "thawed")) == ["1 grows", "4 stays"]
    assert (tmp_path / "thawed/4 stays").read_text() == "0123456789"
    assert submission.digest == "sha256:" + hashlib.sha256(submission.archive.read_bytes()).hexdigest()


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up", "a//b", ".", ""])
def test_paths_that_leave_are_refused(tmp_path: Path, path: str) -> None:
    entry = Entry(path=path, kind="folder", layer=tmp_path, where="")
    assert frozen_entries([entry], tmp_path).refused[0].reason == "not a path below the outputs"


def test_paths_beyond_what_can_be_thawed_are_refused(tmp_path: Path) -> None:
    entry = Entry(path="x/" * 1_000 + "y", kind="folder", layer=tmp_path, where="")
    assert frozen_entries([entry], tmp_path).refused[0].reason == "a path of more than 2,000 bytes"


def test_only_a_hundred_refusals_are_listed(tmp_path: Path) -> None:
    link = Entry(path="a", kind="link", target="b", layer=tmp_path, where="a")
    submission = frozen_entries((replace(link, path=f"{n}") for n in range(500)), tmp_path)
    assert (len(submission.refused), submission.refused_count) == (100, 500)


def test_a_failed_freeze_leaves_nothing(tmp_path: Path) -> None:
    def entries() -> Iterable[Entry]:
        raise OSError("the disk went away")
        yield

    with pytest.raises(OSError, match=r"^the disk went away$"):
        frozen_entries(entries(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_thawing_takes_only_what_freezing_writes(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("a")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        archive.addfile(member)
    with pytest.raises(OSError, match=r"^s\.tar is not a frozen submission: unexpected member a$"):
        thaw(tmp_path / "s.tar", tmp_path / "thawed")


def test_thawing_does_not_leave_its_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("../escaped"), BytesIO())
    with pytest.raises(OSError, match=r"unexpected member \.\./escaped$"):
        thaw(tmp_path / "s.tar", tmp_path / "thawed")
    assert not (tmp_path / "escaped").exists()


def test_names_are_shown_on_one_printable_line() -> None:
    assert show("a\nb\r\x1b\u202e\udcff é") == "a\\nb\\r\\x1b\\u202e\\udcff é"
    assert len(show("\udcff" * 255)) == 200
