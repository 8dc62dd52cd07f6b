"""Processes that are killed and disks that are full leave earlier snapshots whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.snapshots import Store
from tests.unit.researchgym.snapshots.conftest import look_at, save

ROOT = Path(__file__).parents[4]


@pytest.mark.slow
@pytest.mark.parametrize("action", ["save", "prune", "restore"])
def test_killed_anywhere(store: Store, work: Path, action: str) -> None:
    save(store, work)
    for number in range(3):
        (work / f"part{number % 2}/{number:03}.bin").write_bytes(os.urandom(30_000))
        (work / f"text{number}").write_text("compressible " * 1000)
        if number < 2:
            save(store, work)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.unit.researchgym.snapshots.killed",
            str(store.folder),
            str(work),
            action,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15


FILLS = """
import os, sys
from pathlib import Path
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.snapshots import Store

store, work = Store(Path(sys.argv[1])), Path(sys.argv[2])
before = store.save(work, payload={"n": 1})
time = work.stat().st_mtime_ns
(work / "large").write_bytes(os.urandom(20_000_000))
LIMIT
for _ in range(3):
    try:
        store.save(work, payload={"n": 2})
    except MachineFaultError as error:
        print(error)
(work / "large").unlink()
os.utime(work, ns=(time, time))
assert store.list() == (before,), store.list()
store.restore(before.id, Path(sys.argv[3]))
after = store.save(work, payload={"n": 3})
assert store.diff(before.id, after.id) == ()
print(sum(file.stat().st_size for file in (store.folder / "packs").iterdir()))
"""


@pytest.mark.parametrize("kind", ["disk", "limit"])
def test_full_disk_leaves_earlier_snapshots_whole(work: Path, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "small"
    place.mkdir()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))"
    code = FILLS.replace("LIMIT", limit if kind == "limit" else "")
    argv = [sys.executable, "-c", code, str(place / "store"), str(work), str(tmp_path / "other")]
    if kind == "disk":  # a small disk that nobody else sees
        mount = f'mount -t tmpfs -o size=8m tmpfs {place} && exec "$@"'
        argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *argv]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reason = "No space left on device" if kind == "disk" else "File too large"
    *told, size = done.stdout.splitlines()
    assert told == [f"the store of snapshots cannot be used ({reason})"] * 3
    assert int(size) < 100_000
    assert look_at(tmp_path / "other") == look_at(work)
