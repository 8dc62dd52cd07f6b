"""What snapshots of a workspace take, beside rsync and cp on the same folder in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, Scale, middle
from pytest_innovatorbench.researchgym.snapshots import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system without ext4's slowness after deletions
_NEEDED = 6  # times the size of the folder
_SMALL = 3300  # bytes of a small file
_FOLDERS = 100
_CHUNK = 1 << 20
_SETTLED = 0.05  # seconds; what changed just before a snapshot is read again at the next


def measure_snapshots(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure a snapshot of a folder of which a tenth of the small files changed, and going back."""
    with _place(scale, folder) as place:
        yield from _measure(scale, place)


def _measure(scale: Scale, place: Path) -> Iterator[Figure]:
    rounds = list(_rounds(scale, place))
    linked = middle([each.linked for each in rounds], "rsync -a --link-dest")
    copied = middle([each.copied for each in rounds], "cp -a")
    yield Figure(
        name="snapshot",
        what=f"a snapshot of {scale.small_files:,} small files, a tenth of them changed, and 1 GB more",
        unit="s",
        limit=0.6 * linked.value,
        samples=tuple(each.saved for each in rounds),
        beside=(linked,),
    )
    yield Figure(
        name="snapshot-space",
        what="what that adds to the store, to the bytes of the changed files",
        unit="x",
        limit=1.5,
        samples=tuple(each.space for each in rounds),
    )
    yield Figure(
        name="restore",
        what="going back to the one before in place",
        unit="s",
        limit=0.5 * copied.value,
        samples=tuple(each.restored for each in rounds),
        beside=(copied, middle([each.mirrored for each in rounds], "rsync -a --delete")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One change of the folder, and what was done about it, in seconds.

    Attributes:
        saved: A snapshot of it.
        linked: The same by rsync.
        space: Bytes that the snapshot added, to those that changed.
        restored: Going back in place.
        copied: Copying the folder.
        mirrored: Going back in place by rsync.
    """

    saved: float
    linked: float
    space: float
    restored: float
    copied: float
    mirrored: float


def _rounds(scale: Scale, place: Path) -> Iterator[_Round]:
    work, store = place / "work", Store(place / "store")
    _lay(work, scale)
    time.sleep(_SETTLED)
    before = store.save(work, payload={})
    latest = place / "copy-0"
    _run("rsync", "-a", f"{work}/", latest)
    for turn in range(1, scale.repeats + 1):
        changed = _change(work, turn)
        time.sleep(_SETTLED)
        space, following, whole = _size(store), place / f"copy-{turn}", place / f"whole-{turn}"
        link = partial(_run, "rsync", "-a", f"--link-dest={latest}", f"{work}/", following)
        linked = _seconds(link) if turn % 2 else 0.0
        saved = _seconds(partial(store.save, work, payload={}))
        linked = linked or _seconds(link)
        last = store.list()[-1]
        space = _size(store) - space
        copied = _seconds(partial(_run, "cp", "-a", work, whole))
        restored = _seconds(partial(store.restore, before.id, work))
        assert store.diff(store.save(work, payload={}).id, before.id) == ()
        mirrored = _seconds(partial(_run, "rsync", "-a", "--delete", f"{following}/", work))
        time.sleep(_SETTLED)
        store.save(work, payload={})  # or a fifth had changed by the next: rsync wrote its tenth anew
        shutil.rmtree(whole)
        latest, before = following, last
        yield _Round(
            saved=saved,
            linked=linked,
            space=space / changed,
            restored=restored,
            copied=copied,
            mirrored=mirrored,
        )


@contextmanager
def _place(scale: Scale, folder: Path) -> Iterator[Path]:
    """Yield an empty folder in memory if there is room; deleting on ext4 would spoil what comes after."""
    size = scale.small_files * 2 * _SMALL + scale.large_files
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _NEEDED * size
    if not has_room:
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY, prefix="ibench-perf-") as place:
        yield Path(place)


def _lay(work: Path, scale: Scale) -> None:
    """Write small files in folders and large ones, half of which cannot be made smaller."""
    for number in range(scale.small_files):
        file = work / f"{number % _FOLDERS:03}" / f"{number:06}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_text(number))
    for number in range(8):
        with (work / f"{number}.bin").open("wb") as data:
            for _ in range(scale.large_files // 8 // _CHUNK):
                data.write(os.urandom(_CHUNK) if number % 2 else bytes(range(256)) * (_CHUNK // 256))


def _text(number: int) -> bytes:
    return b"".join(b"%d = value(%d)\n" % (number * line, line) for line in range(_SMALL // 20))


def _change(work: Path, turn: int) -> int:
    """Edit eight of a hundred small files, delete one and make one; return the bytes of what is new."""
    files = sorted(work.glob("*/*.py"))
    chosen = files[turn % 10 :: 10]
    deleted, edited = chosen[::10], [file for index, file in enumerate(chosen) if index % 10 > 1]
    changed = 0
    for file in edited:
        content = os.urandom(len(file.read_bytes()) // 2) + file.read_bytes()[: _SMALL // 2]
        file.write_bytes(content)
        changed += len(content)
    for file in deleted:
        file.unlink()
        content = _text(turn * 1_000_003 + len(file.name))
        file.with_name(f"{turn}-{file.name}").write_bytes(content)
        changed += len(content)
    return changed


def _run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True)


def _seconds(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _size(store: Store) -> int:
    return sum(file.stat().st_size for file in (store.folder / "packs").iterdir())
