"""Saving, restoring, comparing, branching and pruning."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.errors import MachineFaultError, SnapshotError, UnknownNameError
from pytest_innovatorbench.researchgym.snapshots import Snapshot, Store, discard_aside
from tests.unit.researchgym.snapshots.conftest import age, fill, look_at, save


def size_of(store: Path) -> int:
    return sum(file.stat().st_size for file in (store / "packs").iterdir())


def test_what_is_saved_can_be_restored_elsewhere(store: Store, work: Path, tmp_path: Path) -> None:
    (work / "empty").mkdir()
    (work / "empty.txt").touch()
    (work / "large.bin").write_bytes(os.urandom(9_000_001))
    snapshot = save(store, work)
    restored = store.restore(snapshot.id, tmp_path / "other")
    assert look_at(tmp_path / "other") == look_at(work)
    assert (snapshot.files, snapshot.size) == (22, 20 * 3000 + 9_000_001)
    assert (restored.written, restored.size, restored.removed) == (22, snapshot.size, 0)
    assert (restored.kept, restored.skipped, restored.aside) == (0, (), None)


def test_restoring_in_place_touches_only_what_differs(store: Store, work: Path) -> None:
    snapshot = save(store, work)
    before = look_at(work)
    inode = (work / "part0/000.bin").stat().st_ino
    (work / "part0/002.bin").write_bytes(b"changed")
    (work / "part1/001.bin").unlink()
    (work / "new").mkdir()
    (work / "new/file").write_text("too many")
    (work / "part0/004.bin").chmod(0o600)
    restored = store.restore(snapshot.id, work)
    assert look_at(work) == before
    assert (work / "part0/000.bin").stat().st_ino == inode
    assert (restored.written, restored.kept) == (2, 18)
    assert restored.removed == 2  # new/ and the changed file
    assert restored.aside is not None
    assert sorted(file.name for file in restored.aside.rglob("file")) == ["file"]
    discard_aside(work)
    assert not restored.aside.exists()
    again = store.restore(snapshot.id, work)
    assert (again.written, again.removed, again.kept) == (0, 0, 20)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is opened."""
    names: list[str] = []
    real = os.open

    def watched(path: Any, *rest: Any, **more: Any) -> int:
        names.append(os.path.basename(os.fspath(path)))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", watched)
    return names


def test_files_that_have_not_changed_are_not_read_again(store: Store, work: Path, opened: list[str]) -> None:
    age(work)
    save(store, work)
    opened.clear()
    (work / "part0/000.bin").write_bytes(b"new")
    assert save(store, work).files == 20
    assert [name for name in opened if name.endswith(".bin")] == ["000.bin"]


def test_files_of_any_name_are_remembered(store: Store, tmp_path: Path, opened: list[str]) -> None:
    work = tmp_path / "work"
    for folder in ("plain", "new\n\nlines", 'quo"te'):
        (work / folder).mkdir(parents=True)
        for name in ("plain.x", "new\n\nlines.x", "tab\tab.x", 'quo"te.x', "back\\slash.x", "\udcff.x"):
            (work / folder / name).write_text(folder + name, errors="surrogateescape")
    (work / "empty").mkdir()
    age(work)
    first = save(store, work)
    (work / 'quo"te' / "tab\tab.x").write_text("changed")
    opened.clear()
    second = save(store, work)
    assert [name for name in opened if name.endswith(".x")] == ["tab\tab.x"]
    assert [change.path for change in store.diff(first.id, second.id)] == ['quo"te/tab\tab.x']
    assert store.diff(save(store, work).id, second.id) == ()


def test_change_that_leaves_size_and_time_alone_is_seen(store: Store, work: Path, tmp_path: Path) -> None:
    file = work / "part0/000.bin"
    age(work)
    first = save(store, work)
    status = file.stat()
    file.write_bytes(os.urandom(3000))
    os.utime(file, ns=(status.st_mtime_ns, status.st_mtime_ns))
    second = save(store, work)
    assert [change.path for change in store.diff(first.id, second.id)] == ["part0/000.bin"]
    store.restore(second.id, tmp_path / "other")
    assert (tmp_path / "other/part0/000.bin").read_bytes() == file.read_bytes()


def test_content_is_kept_once_for_all_attempts(store: Store, work: Path, tmp_path: Path) -> None:
    save(store, work)
    before = size_of(tmp_path / "store")
    shutil.copytree(work, tmp_path / "twin")
    shutil.copytree(work / "part0", tmp_path / "twin/copied")
    second = save(store, tmp_path / "twin")
    assert before > 60_000
    assert size_of(tmp_path / "store") - before < 4_000
    assert second.stored < 4_000


def test_folder_that_has_moved_is_remembered_by_a_name(
    store: Store, work: Path, tmp_path: Path, opened: list[str]
) -> None:
    age(work)
    save(store, work, index="attempt")
    moved = work.rename(tmp_path / "moved")
    opened.clear()
    assert save(store, moved, index="attempt").files == 20
    assert [name for name in opened if name.endswith(".bin")] == []


def test_payload_comes_back_as_it_was(store: Store, work: Path) -> None:
    payload = {"ledger": {"evals": 2, "scores": [1.5, None]}, "name": "ä\udcff", "agent": {"a": [True]}}
    snapshot = store.save(work, payload=payload)
    assert store.payload(snapshot.id) == payload
    assert store.payload(snapshot.id[:4]) == payload


def test_differences_name_what_was_added_removed_and_changed(store: Store, work: Path) -> None:
    first = save(store, work)
    (work / "part0/000.bin").write_bytes(b"x")
    (work / "part0/002.bin").chmod(0o755)
    (work / "part1/001.bin").unlink()
    (work / "part1/001.bin").mkdir()
    (work / "part1/001.bin/inner").touch()
    (work / "new/deep").mkdir(parents=True)
    (work / "new/deep/file").touch()
    os.utime(work / "part0/004.bin", ns=(5, 5))
    second = save(store, work)
    assert [(change.kind, change.path) for change in store.diff(first.id, second.id)] == [
        ("added", "new"),
        ("added", "new/deep"),
        ("added", "new/deep/file"),
        ("changed", "part0/000.bin"),
        ("changed", "part0/002.bin"),
        ("changed", "part1/001.bin"),
        ("added", "part1/001.bin/inner"),
    ]
    back = [(change.kind, change.path) for change in store.diff(second.id, first.id)]
    assert back[:3] == [("removed", "new"), ("removed", "new/deep"), ("removed", "new/deep/file")]
    assert store.diff(first.id, first.id) == ()


def test_branch_has_the_same_files_and_a_payload_of_its_own(store: Store, work: Path, tmp_path: Path) -> None:
    first = store.save(work, payload={"agent": "a"})
    shutil.rmtree(work)
    branch = store.branch(first.id[:6], payload={"agent": "b"})
    assert (branch.parent, branch.source, branch.files) == (first.id, first.source, first.files)
    assert store.payload(branch.id) == {"agent": "b"}
    assert store.payload(first.id) == {"agent": "a"}
    store.prune(lambda there: [snapshot for snapshot in there if snapshot.id == branch.id])
    store.restore(branch.id, tmp_path / "other")
    assert len(list((tmp_path / "other").rglob("*.bin"))) == 20


def test_snapshots_are_listed_in_order_and_found_by_the_start_of_their_names(
    store: Store, work: Path
) -> None:
    made = [save(store, work)]
    made.append(save(store, work, parent=made[0].id[:8]))
    assert store.list() == tuple(made)
    assert [snapshot.parent for snapshot in made] == [None, made[0].id]
    assert store.show(made[1].id[:5]) == made[1]
    assert Store(store.folder).list() == tuple(made)


@pytest.mark.parametrize("name", ["ffff", "", "abc", "../../etc", "*", "0" * 16])
def test_unknown_names_are_refused_with_those_that_are_known(store: Store, work: Path, name: str) -> None:
    known = save(store, work).id
    if known.startswith(name or "-"):
        pytest.skip("it happens to be known")
    with pytest.raises(
        UnknownNameError, match=rf"^unknown snapshot '{name.replace('*', '.')}': known: {known}$"
    ):
        store.show(name)


def test_ambiguous_beginning_lists_what_begins_so(store: Store, work: Path) -> None:
    made = save(store, work).id
    record = store.folder / "records" / f"{made}.json"
    twin = made[:8] + ("0" * 8 if made[8:] != "0" * 8 else "1" * 8)
    shutil.copy(record, record.with_name(f"{twin}.json"))
    with pytest.raises(UnknownNameError) as caught:
        store.show(made[:6])
    assert set(caught.value.known) == {made, twin}


def test_pruning_keeps_what_it_is_told_and_frees_the_rest(store: Store, work: Path, tmp_path: Path) -> None:
    made: list[Snapshot] = []
    for number in range(4):
        (work / "only").write_bytes(os.urandom(400_000))
        (work / f"from{number}").write_bytes(os.urandom(50_000))
        made.append(save(store, work))
    before = look_at(work)
    size = size_of(tmp_path / "store")
    pruned = store.prune(lambda there: there[-1:])
    assert pruned.snapshots == tuple(snapshot.id for snapshot in made[:3])
    assert pruned.freed > 1_000_000
    assert size - size_of(tmp_path / "store") > 1_100_000
    assert store.list() == (made[3],)
    store.restore(made[3].id, tmp_path / "other")
    assert look_at(tmp_path / "other") == before
    assert store.prune(lambda there: there).snapshots == ()
    assert store.prune(lambda _: ()).snapshots == (made[3].id,)
    assert size_of(tmp_path / "store") == 0


def test_saving_after_pruning_does_not_trust_what_it_remembers(
    store: Store, work: Path, tmp_path: Path
) -> None:
    age(work)
    save(store, work)
    store.prune(lambda _: ())
    second = save(store, work)
    store.restore(second.id, tmp_path / "other")
    assert look_at(tmp_path / "other") == look_at(work)


def test_what_is_remembered_of_folders_that_have_gone_is_pruned(store: Store, work: Path) -> None:
    save(store, work)
    indexes = store.folder / "indexes"
    assert len(list(indexes.iterdir())) == 1
    store.prune(lambda there: there)
    assert len(list(indexes.iterdir())) == 1
    shutil.rmtree(work)
    store.prune(lambda there: there)
    assert list(indexes.iterdir()) == []


def test_what_cannot_be_saved_says_so(store: Store, work: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineFaultError, match=r"\(No such file or directory\)"):
        save(store, tmp_path / "none")
    with pytest.raises(MachineFaultError, match=r"\(Not a directory\)"):
        save(store, work / "part0/000.bin")
    with pytest.raises(UnknownNameError, match="unknown snapshot 'abcd'"):
        save(store, work, parent="abcd")
    assert store.list() == ()


def test_stores_of_other_versions_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    for number, (text, told) in enumerate(
        {
            '{"version": 2, "hash": "sha256"}': "is of version 2: use a newer version of this package",
            '{"version": 1, "hash": "md5"}': "names content by 'md5': use a newer version of this package",
            '{"version": 1}': r'is damaged: write \{"version": 1, "hash": ...\} into it',
            "[]": "is damaged",
            "": "is damaged",
        }.items()
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "store.json").write_text(text)
        with pytest.raises(SnapshotError, match=told):
            Store(folder)


def test_store_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        MachineFaultError, match=r"^the store of snapshots cannot be used \(Not a directory\)$"
    ):
        Store(tmp_path / "file/store")


def test_deep_trees_are_saved_as_deep_as_descriptors_reach(store: Store, tmp_path: Path) -> None:
    fd = os.open(fill(tmp_path / "deep", 2), os.O_RDONLY)
    for _ in range(400):  # a path of this length could not be given as one
        os.mkdir("d", dir_fd=fd)
        deeper = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    os.close(fd)
    snapshot = save(store, tmp_path / "deep")
    assert [mark.reason for mark in snapshot.marks] == ["lies too deep"]
    restored = store.restore(snapshot.id, tmp_path / "other")
    assert [path.count("/") for path in restored.skipped] == [200]
