"""Counting from outside, against tenants that hide what they write."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.sandbox import Bind, Jail
from pytest_innovatorbench.sandbox.disk import held_sizes, sizes, usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.sandbox import Overlay, Sandbox
    from tests.unit.sandbox.conftest import MakeOverlay

MB = 1_000_000
FAR = 10**13
KEEP_READING = "print('up', flush=True); input()"


def test_what_lies_on_disk_counts(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").write_bytes(b"x" * MB)
    (tmp_path / "link").hardlink_to(tmp_path / "d/a")
    (tmp_path / "far").symlink_to("/usr")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**12)
    assert MB <= usage(tmp_path, FAR) < 1.1 * MB


def test_a_count_stops_early(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / str(number)).write_bytes(b"x" * 100_000)
    assert 250_000 < usage(tmp_path, 250_000) < 450_000


def test_nothing_counts_as_nothing(tmp_path: Path) -> None:
    assert usage(tmp_path / "gone", 10) == 0
    (tmp_path / "link").symlink_to("/usr")
    assert usage(tmp_path / "link", 10) == 0


@pytest.mark.parametrize("mode", [0, 0o400, 0o200, 0o100])
def test_shut_folders_count(tmp_path: Path, mode: int) -> None:
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/x").write_bytes(b"x" * MB)
    for folder in (root / "a/b", root / "a", root):
        folder.chmod(mode)
    used = usage(root, FAR)
    for folder in (root, root / "a", root / "a/b"):
        folder.chmod(0o700)
    assert used >= MB


def test_a_link_in_the_place_of_a_shut_folder_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0)
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "own")
    usage(tmp_path / "root", FAR)
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0


def test_depth_costs_little(tmp_path: Path) -> None:
    depth = 5_000
    with inside(tmp_path):
        for _ in range(depth):
            os.mkdir("d")  # noqa: PTH102 - no path could name it
            os.chdir("d")
        Path("x").write_bytes(b"x" * MB)
        began = time.monotonic()
        used = usage(tmp_path, FAR)
        assert time.monotonic() - began < 3  # step by step from the top each time it takes far longer
        for _ in range(depth):
            Path("x").unlink(missing_ok=True)
            os.chdir("..")
            os.rmdir("d")  # noqa: PTH106 - the same
    assert used >= MB


def test_a_folder_moved_during_the_count_does_not_lead_it_away(tmp_path: Path) -> None:
    """Up from where it is now is not where the count came from."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/x").write_bytes(b"x" * 20 * MB)
    root = tmp_path / "root"
    for path in ("a/secret", "a/x", "b/secret", "b/x"):
        (root / path).mkdir(parents=True)
    for name in "ab":
        (root / name / "x/large").write_bytes(b"x" * 3 * MB)
        (root / name / "secret/large").write_bytes(b"x" * 3 * MB)
    total = 0
    for size in sizes(root):
        total += size
        if size > MB and not (tmp_path / "away").exists():
            inner = "x" if is_open(root / "a/x") or is_open(root / "b/x") else "secret"
            outer = "a" if is_open(root / "a" / inner) else "b"
            (root / outer / inner).rename(tmp_path / "away")
    assert 12 * MB <= total < 13 * MB


def test_many_files_take_little_time(tmp_path: Path) -> None:
    for number in range(30_000):
        os.close(os.open(f"{tmp_path}/{number}", os.O_CREAT))
    began = time.monotonic()
    assert usage(tmp_path, FAR) < FAR
    assert time.monotonic() - began < 5


HOLD = {
    "unlinked": "f = open('x', 'wb'); f.write(data); f.flush(); os.unlink('x')",
    "twice": "f = open('x', 'wb'); g = os.dup(f.fileno()); f.write(data); f.flush(); os.unlink('x')",
    "replaced": "f = open('x', 'wb'); f.write(data); f.flush(); open('y', 'w').close(); os.rename('y', 'x')",
    "lower": "f = open('old', 'r+b'); f.write(data); f.flush(); os.unlink('old')",
    "nameless": "f = os.open('.', os.O_TMPFILE | os.O_RDWR); os.write(f, data)",
    "elsewhere": "f = open('/out/x', 'wb'); f.write(data); f.flush(); os.unlink('/out/x')",
}
FREE = {
    "named": "f = open('x', 'wb'); f.write(data); f.flush()",
    "memory": "f = os.memfd_create('x'); os.write(f, data)",
    "tmp": "f = open('/tmp/x', 'wb'); f.write(data); f.flush(); os.unlink('/tmp/x')",
    "shm": "f = open('/dev/shm/x', 'wb'); f.write(data); f.flush(); os.unlink('/dev/shm/x')",
}


@pytest.mark.parametrize("how", HOLD)
def test_files_without_a_name_count(
    sandbox: Sandbox, make_overlay: MakeOverlay, tmp_path: Path, how: str
) -> None:
    overlay = make_overlay()
    (overlay.lower / "old").write_bytes(b"x")
    assert MB <= held(sandbox, overlay, tmp_path, HOLD[how]) < 1.1 * MB


@pytest.mark.parametrize("how", FREE)
def test_files_with_a_name_and_memory_do_not(
    sandbox: Sandbox, make_overlay: MakeOverlay, tmp_path: Path, how: str
) -> None:
    assert held(sandbox, make_overlay(), tmp_path, FREE[how]) == 0


def test_files_that_are_only_mapped_count_where_root_looks(
    sandbox: Sandbox, make_overlay: MakeOverlay, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("the kernel shows them to root only")
    code = "f = open('x', 'w+b'); f.write(data); f.flush(); m = mmap.mmap(f.fileno(), 4096); f.close(); os.unlink('x')"
    assert held(sandbox, make_overlay(), tmp_path, code) >= MB


def test_processes_outside_of_any_sandbox_are_left_alone(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.write(b"x" * MB)
        file.flush()
        (tmp_path / "x").unlink()
        assert list(held_sizes(os.getpid(), [tmp_path])) == []


def test_a_sandbox_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert list(held_sizes(process.pid, [tmp_path])) == []


def held(sandbox: Sandbox, overlay: Overlay, tmp_path: Path, code: str) -> int:
    """Run code in a sandbox and count what it holds when it is up."""
    out = tmp_path / "out"
    out.mkdir()
    jail = Jail(
        environment={"PATH": "/usr/bin:/bin"},
        overlay=overlay,
        binds=(Bind(source=out, dest="/out", writable=True),),
        cwd="/workspace",
    )
    program = f"import mmap, os; data = b'x' * {MB}; {code}; {KEEP_READING}"
    pipe = subprocess.PIPE
    child = sandbox.spawn(jail, ["/usr/bin/python3", "-I", "-c", program], stdin=pipe, stdout=pipe)
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        assert child.stdout.readline() == b"up\n"
        total = sum(held_sizes(child.root, [overlay.upper, out]))
        child.kill()
    return total


def is_open(folder: Path) -> bool:
    """Tell whether this process has a folder open."""
    return any(os.path.realpath(fd) == str(folder) for fd in Path("/proc/self/fd").iterdir())


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    home = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.chdir(folder)
    try:
        yield
    finally:
        os.fchdir(home)
        os.close(home)
