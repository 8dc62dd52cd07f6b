"""The merged view of layers, held against what the kernel shows."""

from __future__ import annotations

import os
import random
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.sandbox import Jail
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.unit.sandbox.conftest import MakeOverlay, Run

PATH = {"PATH": "/usr/bin:/bin"}

OPERATIONS = """
import os, random, shutil
pick = random.Random({seed})
def everything(kind):
    found = []
    for folder, folders, files in os.walk("."):
        names = folders if kind == "folder" else files
        found += [os.path.join(folder, name) for name in names if not os.path.islink(os.path.join(folder, name))]
    return sorted(found)
def some(kind):
    return pick.choice(everything(kind) or ["./none"])
def name():
    return os.path.join(pick.choice([".", some("folder")]), pick.choice("abcdefgh") + pick.choice(["", "1", "\\n", "é"]))
def write():
    fd = os.open(name(), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK)
    os.write(fd, b"x" * pick.randrange(100)); os.close(fd)
def remove(): os.remove(some("file"))
def clear(): shutil.rmtree(some("folder"))
def replace():
    path = some("folder"); shutil.rmtree(path); os.mkdir(path); open(os.path.join(path, "new"), "w").close()
def folder_to_file():
    path = some("folder"); shutil.rmtree(path); open(path, "w").close()
def file_to_folder():
    path = some("file"); os.remove(path); os.mkdir(path)
def make(): os.mkdir(name())
def move(): shutil.move(some("file"), name())
def move_folder(): os.rename(some("folder"), name())
def link(): os.symlink(pick.choice(["/etc/passwd", "../x", "a"]), name())
def hard(): os.link(some("file"), name())
def fifo(): os.mkfifo(name())
def truncate(): os.truncate(some("file"), pick.randrange(50))
every = [write, write, remove, clear, replace, folder_to_file, file_to_folder, make, make, move, move_folder,
         link, hard, fifo, truncate]
for _ in range({count}):
    try: pick.choice(every)()
    except (OSError, shutil.Error): pass
"""

LIST = """
import os, stat
kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo"}
def show(folder, prefix):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        status = os.lstat(path)
        kind = kinds[stat.S_IFMT(status.st_mode)]
        size = status.st_size if kind == "file" else 0
        print(repr((prefix + name, kind, size, os.readlink(path) if kind == "link" else None)))
        if kind == "folder":
            show(path, prefix + name + "/")
show(".", "")
"""


def seen(layers: Sequence[Path], below: str = "") -> list[tuple[str, str, int, str | None]]:
    return [(entry.path, entry.kind, entry.size, entry.target) for entry in walk_layers(layers, below)]


def paths(layers: Sequence[Path], below: str = "") -> list[str]:
    return [entry.path for entry in walk_layers(layers, below)]


@pytest.mark.parametrize("seed", range(12))
def test_the_view_from_outside_is_the_view_from_inside(
    run: Run, make_overlay: MakeOverlay, seed: int
) -> None:
    overlay = make_overlay()
    pick = random.Random(seed)  # noqa: S311 - not for secrets
    for number in range(40):
        folder = overlay.lower / pick.choice("abcd") / pick.choice(["", "a", "b/c"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{pick.choice('abcdefgh')}{number % 3}").write_text("x" * number)
    before = seen([overlay.lower])
    jail = Jail(environment={**PATH, "LANG": "C.UTF-8"}, overlay=overlay, cwd="/workspace")
    for part in range(2):
        code = OPERATIONS.format(seed=seed * 10 + part, count=150)
        assert run(jail, "/usr/bin/python3", "-I", "-c", code) == (0, "")
    status, output = run(jail, "/usr/bin/python3", "-I", "-X", "utf8", "-c", LIST)
    assert status == 0
    layers = [overlay.upper, overlay.lower]
    assert "\n".join(map(repr, seen(layers))) == output.rstrip("\n")
    assert seen([overlay.lower]) == before


def test_content_comes_from_the_topmost_layer(run: Run, make_overlay: MakeOverlay) -> None:
    overlay = make_overlay()
    for name in ("same", "changed"):
        (overlay.lower / name).write_text("old")
    jail = Jail(environment=PATH, overlay=overlay, cwd="/workspace")
    assert run(jail, "sh", "-c", "echo more >> changed") == (0, "")
    content = {}
    for entry in walk_layers([overlay.upper, overlay.lower], ""):
        with entry.open() as file:
            content[entry.path] = file.read()
    assert content == {"same": b"old", "changed": b"oldmore\n"}
    assert (overlay.lower / "changed").read_text() == "old"


def test_deleted_names_stay_deleted(run: Run, make_overlay: MakeOverlay) -> None:
    overlay = make_overlay()
    (overlay.lower / "data/outputs/deep").mkdir(parents=True)
    (overlay.lower / "data/outputs/deep/a").touch()
    (overlay.lower / "data/b").touch()
    jail = Jail(environment=PATH, overlay=overlay, cwd="/workspace")
    assert run(
        jail, "sh", "-c", "rm data/b; rm -r data/outputs; mkdir data/outputs; touch data/outputs/c"
    ) == (0, "")
    layers = [overlay.upper, overlay.lower]
    assert paths(layers) == ["data", "data/outputs", "data/outputs/c"]
    assert paths(layers, "data/outputs") == ["c"]
    assert paths(layers, "data/outputs/deep") == []


def test_both_forms_of_whiteouts_and_opacity_count(tmp_path: Path) -> None:
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    for folder in (upper / "opaque", lower / "opaque", upper / "marked", lower / "marked"):
        folder.mkdir(parents=True)
    for name in ("opaque/a", "marked/gone", "marked/empty"):
        (lower / name).touch()
    (upper / "marked/gone").touch()
    (upper / "marked/empty").touch()
    os.setxattr(upper / "opaque", "user.overlay.opaque", b"y")
    os.setxattr(upper / "marked", "user.overlay.opaque", b"x")
    os.setxattr(upper / "marked/gone", "user.overlay.whiteout", b"")
    assert paths([upper, lower]) == ["marked", "marked/empty", "opaque"]


@pytest.mark.parametrize("below", ["../outside", "link", "link/x", "file", "gone", ".."])
def test_what_is_no_folder_of_the_tree_is_empty(tmp_path: Path, below: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").touch()
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "file").touch()
    assert paths([root], below) == []


def test_links_are_shown_and_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "reference").write_text("42")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").symlink_to(secret)
    (root / "b").symlink_to(secret / "reference")
    assert seen([root]) == [("a", "link", 0, str(secret)), ("b", "link", 0, str(secret / "reference"))]
    for entry in walk_layers([root], ""):
        with pytest.raises(OSError, match="symbolic link"):
            entry.open()


def test_a_folder_swapped_for_a_link_is_not_entered(tmp_path: Path) -> None:
    """An agent at work can swap at any moment; this is the moment between listing and looking."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/reference").write_text("42")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a/reference").write_text("1")
    (root / "b").mkdir()
    walk = walk_layers([root], "")
    first, second = next(walk), next(walk)
    assert (first.path, second.path) == ("a", "a/reference")
    (root / "a").rename(root / "c")
    (root / "a").symlink_to(tmp_path / "secret")
    (root / "b").rmdir()
    (root / "b").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="Not a directory"):
        second.open()
    assert [entry.path for entry in walk] == ["b"]


def test_odd_kinds_are_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
    (tmp_path / "file").touch()
    walk = list(walk_layers([tmp_path], ""))
    assert [(entry.path, entry.kind) for entry in walk] == [
        ("fifo", "fifo"),
        ("file", "file"),
        ("socket", "socket"),
    ]
    (tmp_path / "file").unlink()
    os.mkfifo(tmp_path / "file")
    with pytest.raises(OSError, match="not a regular file: 'file'"):
        walk[1].open()


def test_names_may_hold_any_byte(tmp_path: Path) -> None:
    odd = os.fsdecode(b"a\n\xff\t'")
    (tmp_path / odd).write_text("1")
    (entry,) = walk_layers([tmp_path], "")
    assert os.fsencode(entry.path) == b"a\n\xff\t'"
    with entry.open() as file:
        assert file.read() == b"1"


def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "closed/in").mkdir(parents=True)
    (tmp_path / "listable").mkdir()
    (tmp_path / "listable/a").touch()
    (tmp_path / "closed").chmod(0)
    (tmp_path / "listable").chmod(0o400)
    found = [(entry.path, entry.kind) for entry in walk_layers([tmp_path], "")]
    for name in ("closed", "listable"):
        (tmp_path / name).chmod(0o700)
    assert found == [("closed", "unreadable"), ("listable", "folder"), ("listable/a", "unreadable")]


def test_trees_too_deep_to_name_come_to_an_end(tmp_path: Path) -> None:
    home = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir(tmp_path)
        for _ in range(30):
            os.mkdir("d" * 200)  # noqa: PTH102 - no path could name it
            os.chdir("d" * 200)
    finally:
        os.fchdir(home)
        os.close(home)
    found = list(walk_layers([tmp_path], ""))
    assert [entry.kind for entry in found] == ["folder"] * 20 + ["unreadable"]


def test_many_files_come_lazily_and_soon(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(30_000):
        os.close(os.open(f"{tmp_path}/many/{number}", os.O_CREAT))
    began = time.monotonic()
    walk = walk_layers([tmp_path], "")
    assert next(walk).path == "many"
    assert sum(1 for _ in walk) == 30_000
    assert time.monotonic() - began < 10  # takes less than one second; a quadratic walk takes hours
