"""A store in which something is lost or altered: what suffers is named, the rest stays whole."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import DamagedSnapshotError, MachineFaultError, SnapshotError
from pytest_innovatorbench.researchgym.snapshots import Snapshot, Store
from pytest_innovatorbench.researchgym.snapshots.objects import Objects
from tests.unit.researchgym.snapshots.conftest import age, fill, look_at, save


def flip(file: Path, offset: int) -> None:
    data = bytearray(file.read_bytes())
    data[offset] ^= 0x40
    file.write_bytes(data)


def flip_content(store: Store, content: bytes) -> None:
    """Flip a byte in the middle of content that could not be made smaller."""
    for pack in (store.folder / "packs").iterdir():
        place = pack.read_bytes().find(content)
        if place >= 0:
            flip(pack, place + len(content) // 2)
            return
    pytest.fail("the content is in no pack")


def flip_object(store: Store, digest: str) -> None:
    """Flip the first byte of an object."""
    with Objects(store.folder, store.name) as objects:
        place = objects.place(digest)
    assert place is not None
    flip(store.folder / "packs" / f"{place.pack:016x}.pack", place.offset)


@pytest.fixture
def three(store: Store, work: Path, tmp_path: Path) -> tuple[Snapshot, Snapshot, Snapshot]:
    """Three snapshots: of one folder, of the same changed, and of another that shares nothing."""
    first = save(store, work)
    (work / "part0/000.bin").write_bytes(os.urandom(3000))
    return first, save(store, work), save(store, fill(tmp_path / "third", 4))


def test_altered_content_says_which_snapshot_and_file(
    store: Store, work: Path, three: tuple[Snapshot, ...], tmp_path: Path
) -> None:
    first, second, third = three
    flip_content(store, (work / "part0/000.bin").read_bytes())
    with pytest.raises(DamagedSnapshotError) as caught:
        store.restore(second.id, tmp_path / "other")
    assert re.fullmatch(
        rf"snapshot {second.id} is damaged: the content of 'part0/000.bin' \(object [0-9a-f]{{16}}\) is lost or "
        r"altered: use another snapshot; saving the same content again mends it",
        str(caught.value),
    )
    assert not (tmp_path / "other/part0/000.bin").exists()
    for snapshot in (first, third):
        store.restore(snapshot.id, tmp_path / snapshot.id)
    assert len(store.list()) == 3


def test_saving_the_same_content_again_mends_it(
    store: Store, work: Path, three: tuple[Snapshot, ...], tmp_path: Path
) -> None:
    flip_content(store, (work / "part0/000.bin").read_bytes())
    with pytest.raises(DamagedSnapshotError):
        store.restore(three[1].id, tmp_path / "other")
    save(store, work)
    store.restore(three[1].id, tmp_path / "other")
    assert look_at(tmp_path / "other") == look_at(work)


def test_altered_list_of_a_folder_says_which(store: Store, tmp_path: Path) -> None:
    fill(tmp_path / "tree/deep", 1)
    snapshot = save(store, tmp_path / "tree")
    with Objects(store.folder, store.name) as objects:
        (deep,) = objects.get_folder(str(snapshot.root.content), "")
    flip_object(store, str(deep.content))
    with pytest.raises(
        DamagedSnapshotError, match=rf"^snapshot {snapshot.id} is damaged: the list of 'deep' "
    ):
        store.restore(snapshot.id, tmp_path / "other")
    other = save(store, fill(tmp_path / "second", 1))
    with pytest.raises(DamagedSnapshotError, match=r"damaged: the list of 'deep' "):
        store.diff(snapshot.id, other.id)


def test_altered_payload_and_record_are_told_apart(store: Store, three: tuple[Snapshot, ...]) -> None:
    first, second, third = three
    record = store.folder / "records" / f"{first.id}.json"
    flip(record, 40)
    told = f"^snapshot {first.id} is damaged: its record is altered: use another snapshot$"
    with pytest.raises(SnapshotError, match=told):
        store.show(first.id)
    assert store.list() == (second, third)
    assert store.damaged() == (first.id,)
    assert store.prune(lambda there: there).snapshots == (first.id,)
    assert store.damaged() == ()
    flip_object(store, second.payload)
    with pytest.raises(DamagedSnapshotError, match="is damaged: its payload "):
        store.payload(second.id)


@pytest.mark.parametrize("text", [b"", b"{}", b"null", b"\xff\xfe", b'{"id": 1}'])
def test_records_that_are_no_records_are_damaged(
    store: Store, three: tuple[Snapshot, ...], text: bytes
) -> None:
    (store.folder / "records" / f"{three[0].id}.json").write_bytes(text)
    assert store.list() == three[1:]
    assert store.damaged() == (three[0].id,)


def test_pruning_removes_nothing_while_it_cannot_know_what_is_needed(
    store: Store, tmp_path: Path, three: tuple[Snapshot, ...]
) -> None:
    flip_object(store, str(three[1].root.content))
    with pytest.raises(
        DamagedSnapshotError, match=f"^snapshot {three[1].id} is damaged: the list of its root"
    ):
        store.prune(lambda there: there[1:])
    assert len(store.list()) == 3
    store.restore(three[0].id, tmp_path / "other")


@pytest.mark.parametrize("seed", range(12))
def test_no_flipped_byte_of_a_pack_goes_unnoticed(
    store: Store, three: tuple[Snapshot, ...], tmp_path: Path, seed: int
) -> None:
    """Whatever byte it is: a snapshot is restored as it was, or its error names it."""
    chance = random.Random(seed)  # noqa: S311 - a test's choice
    wanted = {}
    for snapshot in three:
        store.restore(snapshot.id, tmp_path / f"good-{snapshot.id}")
        wanted[snapshot.id] = look_at(tmp_path / f"good-{snapshot.id}")
    pack = chance.choice(sorted((store.folder / "packs").iterdir()))
    flip(pack, chance.randrange(pack.stat().st_size))
    if seed % 2:
        (store.folder / "catalog").unlink()
    failed = 0
    for snapshot in three:
        said = ""
        try:
            Store(store.folder).restore(snapshot.id, tmp_path / f"then-{snapshot.id}")
        except SnapshotError as error:
            said = str(error)
        failed += bool(said)
        assert snapshot.id in said or look_at(tmp_path / f"then-{snapshot.id}") == wanted[snapshot.id]
    assert failed < 3 or seed % 2, "a byte of one pack spoilt all three"


def test_pack_that_is_gone_or_cut_is_damage(
    store: Store, three: tuple[Snapshot, ...], tmp_path: Path
) -> None:
    packs = sorted((store.folder / "packs").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    os.truncate(packs[0], packs[0].stat().st_size // 2)
    packs[2].unlink()
    for snapshot in (three[0], three[2]):
        with pytest.raises(DamagedSnapshotError, match=f"^snapshot {snapshot.id} is damaged: "):
            store.restore(snapshot.id, tmp_path / "other")


def test_lost_catalogue_is_made_again_from_the_packs(
    store: Store, work: Path, three: tuple[Snapshot, ...], tmp_path: Path
) -> None:
    for file in store.folder.glob("catalog*"):
        file.unlink()
    again = Store(store.folder)
    again.restore(three[1].id, tmp_path / "other")
    assert look_at(tmp_path / "other") == look_at(work)


def test_damaged_catalogue_says_what_to_do(store: Store, three: tuple[Snapshot, ...], tmp_path: Path) -> None:
    catalogue = store.folder / "catalog"
    for file in store.folder.glob("catalog*"):
        file.unlink()
    catalogue.write_bytes(b"no database" * 1000)
    told = r"remove it while nothing uses the store; it is made again from the packs$"
    with pytest.raises(SnapshotError, match=told):
        store.restore(three[0].id, tmp_path / "other")
    catalogue.unlink()
    store.restore(three[0].id, tmp_path / "other")


def test_damaged_index_is_done_without(store: Store, work: Path, tmp_path: Path) -> None:
    save(store, work)
    for index in (store.folder / "indexes").iterdir():
        flip(index, 50)
    snapshot = save(store, work)
    store.restore(snapshot.id, tmp_path / "other")
    assert look_at(tmp_path / "other") == look_at(work)


def test_index_of_an_earlier_version_is_done_without(store: Store, work: Path) -> None:
    age(work)
    first = save(store, work)
    (index,) = (store.folder / "indexes").iterdir()
    now = (work / "part0/000.bin").stat()
    look = f"{now.st_ctime_ns} {now.st_ino} {now.st_mtime_ns} {now.st_size} {now.st_mode}"
    lies = f'{look}\t["000.bin","file",420,1,1,["{64 * "0"}"]]'
    told = "\n".join([json.dumps([str(work), "0"]), '"part0"', lies]).encode()
    before = hashlib.sha256(told).digest() + told
    index.write_bytes(before)
    assert store.diff(first.id, save(store, work).id) == ()
    assert index.read_bytes() != before


@pytest.mark.parametrize("name", ["..", "a/b", "/etc", ""])
def test_impossible_names_in_a_snapshot_are_refused(
    store: Store, work: Path, tmp_path: Path, name: str
) -> None:
    """Somebody who can write to a store must not be able to write anywhere else through it."""
    snapshot = save(store, work)
    with Objects(store.folder, store.name) as objects:
        line = json.dumps([name, "fifo", 0o600, 0, 0, None, None], separators=(",", ":"))
        root = snapshot.root._replace(content=objects.put_folder([line]))
        objects.commit()
    from pytest_innovatorbench.researchgym.snapshots.records import Records, values_of  # noqa: PLC0415

    forged = Records(store.folder / "records", store.name).add({**values_of(snapshot), "root": root})
    with pytest.raises(
        SnapshotError, match=r"^the snapshot has an impossible name in '': use another snapshot$"
    ):
        store.restore(forged.id, tmp_path / "other")
    with suppress(FileNotFoundError):
        assert list((tmp_path / "other").iterdir()) == []


def test_restoring_over_a_file_is_refused(store: Store, work: Path, tmp_path: Path) -> None:
    snapshot = save(store, work)
    (tmp_path / "file").touch()
    with pytest.raises(MachineFaultError, match=r"/file could not be restored \(File exists\)$"):
        store.restore(snapshot.id, tmp_path / "file")
