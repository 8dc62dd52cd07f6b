"""Control groups: found by reading, so that every kind can be held against a folder that looks like it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_innovatorbench.sandbox import Limits
from pytest_innovatorbench.sandbox.cgroups import Bases, Group, find_bases, locate, open_group


def make_folder(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"cgroup.procs": "", **{k.replace("__", "."): v for k, v in files.items()}}.items():
        (folder / name).write_text(content)
    return folder


def test_version_1_has_a_hierarchy_for_each_controller(tmp_path: Path) -> None:
    memory = make_folder(tmp_path / "memory/own")
    pids = make_folder(tmp_path / "pids")
    mounts = [
        (frozenset({"rw", "memory"}), "/", tmp_path / "memory"),
        (frozenset({"rw", "pids"}), "/", tmp_path / "pids"),
        (frozenset({"rw", "cpu"}), "/", tmp_path / "cpu"),
    ]
    bases = locate({"memory": "/own", "pids": "/", "cpu": "/"}, mounts)
    assert bases == Bases(controllers={"memory": memory, "pids": pids}, unified=None)


def test_version_2_gives_controllers_where_they_are_delegated(tmp_path: Path) -> None:
    parent = make_folder(tmp_path / "user/app", cgroup__subtree_control="cpu memory pids")
    own = make_folder(parent / "scope", cgroup__subtree_control="")
    bases = locate({"": "/user/app/scope"}, [(frozenset({""}), "/", tmp_path)])
    assert bases == Bases(controllers={"memory": parent, "pids": parent}, unified=own)


def test_a_hybrid_takes_controllers_from_one_and_killing_from_the_other(tmp_path: Path) -> None:
    memory = make_folder(tmp_path / "memory")
    unified = make_folder(tmp_path / "unified", cgroup__subtree_control="")
    mounts = [
        (frozenset({""}), "/", tmp_path / "unified"),
        (frozenset({"memory"}), "/", tmp_path / "memory"),
    ]
    bases = locate({"": "/", "memory": "/"}, mounts)
    assert bases == Bases(controllers={"memory": memory}, unified=unified)


def test_in_a_container_the_path_starts_at_what_is_mounted(tmp_path: Path) -> None:
    memory = make_folder(tmp_path / "memory/inner")
    mounts = [(frozenset({"memory"}), "/docker/abc", tmp_path / "memory")]
    assert locate({"memory": "/docker/abc/inner"}, mounts).controllers == {"memory": memory}


def test_what_may_not_be_written_is_not_used(tmp_path: Path) -> None:
    mounts = [(frozenset({"memory"}), "/", tmp_path / "memory"), (frozenset({""}), "/", tmp_path / "unified")]
    assert locate({"memory": "/", "": "/"}, mounts) == Bases(controllers={}, unified=None)


def test_version_2_limits_are_written(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "g", memory__max="max", memory__swap__max="max", pids__max="max")
    (folder / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    group = Group({"memory": folder, "pids": folder})
    group.limit(Limits(memory=1000, processes=5))
    group.join(77)
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert texts["memory.max"] == "1000"
    assert texts["memory.swap.max"] == "0"
    assert texts["pids.max"] == "7"
    assert texts["cgroup.procs"] == "77"
    assert group.has("memory")
    assert group.out_of_memory()


def test_nothing_is_made_that_nobody_asked_for() -> None:
    assert open_group(Limits()) is None
    assert open_group(Limits(file_size=1)) is None


def test_a_group_comes_and_goes() -> None:
    if os.geteuid() != 0 or not {"memory", "pids"} <= find_bases().controllers.keys():
        pytest.skip("no control group can be made here")
    group = open_group(Limits(memory=64 << 20, processes=10))
    assert group is not None
    folders = [
        parent / next(iter(group._folders.values())).name for parent in find_bases().controllers.values()
    ]
    assert all(folder.is_dir() for folder in folders)
    with group.entered():
        assert (folders[0] / "cgroup.procs").exists()
    assert not group.out_of_memory()
    group.close()
    assert not any(folder.exists() for folder in folders)
