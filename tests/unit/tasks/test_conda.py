from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import EnvironmentBuildError
from pytest_innovatorbench.tasks.conda import unpacked
from pytest_innovatorbench.tasks.environment import cache_folder
from tests.unit.tasks.packing import add, add_special, pack_environment

UNPACK = "import sys; from pathlib import Path; from pytest_innovatorbench.tasks.conda import unpacked; print(unpacked(Path(sys.argv[1]), print).folder)"


@pytest.mark.parametrize("prefix", ["workspace/conda", "/workspace/conda", "conda", "."])
def test_an_environment_is_unpacked_once_and_knows_its_place(tmp_path: Path, prefix: str) -> None:
    archive = pack_environment(tmp_path / "conda.tar", prefix=prefix)
    said: list[str] = []
    environment = unpacked(archive, said.append)
    assert said == [f"unpacking {archive} (once)"]
    assert environment.folder is not None
    assert environment.folder.is_relative_to(cache_folder())
    assert str(environment.python) == "/workspace/conda/bin/python"
    assert str(environment.site_packages) == "/workspace/conda/lib/python3.11/site-packages"
    assert environment.packages() == {"parcel": "1.0"}
    (bind,) = environment.binds
    assert (bind.source, bind.dest, bind.writable) == (environment.folder, "/workspace/conda", False)
    assert unpacked(archive, said.append) == environment
    assert len(said) == 1


def test_the_content_counts_and_not_the_place(tmp_path: Path) -> None:
    first = unpacked(pack_environment(tmp_path / "a" / "conda.tar"))
    assert unpacked(pack_environment(tmp_path / "b" / "conda.tar")) == first
    assert unpacked(pack_environment(tmp_path / "a" / "conda.tar", points="8")).folder != first.folder


def test_two_processes_unpack_it_once(tmp_path: Path) -> None:
    archive = pack_environment(tmp_path / "conda.tar")
    command = [sys.executable, "-c", UNPACK, str(archive)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert sorted(map(len, (text.splitlines() for text in said))) == [1, 1, 2]
    assert len({text.splitlines()[-1] for text in said}) == 1


def test_what_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    archive = pack_environment(tmp_path / "conda.tar")
    folder = unpacked(archive).folder
    assert folder is not None
    folder.rename(f"{folder}.unfinished-killed")
    assert unpacked(archive).packages() == {"parcel": "1.0"}
    assert [entry.name for entry in cache_folder().iterdir() if entry.is_dir()] == [folder.name]


def test_python_2_is_none_for_evaluators(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "conda.tar", "w") as archive:
        add(archive, "workspace/conda/bin/python", "", mode=0o755)
        add(archive, "workspace/conda/lib/python3.7/site-packages/a.py")
        add(archive, "workspace/conda/lib/python2.7/site-packages/a.py")
    assert unpacked(tmp_path / "conda.tar").site_packages is None


def test_one_that_cannot_be_used_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "conda.tar"
    with pytest.raises(EnvironmentBuildError, match=r"conda.tar cannot be unpacked: No such file"):
        unpacked(file)
    file.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(EnvironmentBuildError, match=r"is kept by git-lfs and was not fetched: git lfs pull"):
        unpacked(file)
    file.write_text("no archive" * 100)
    with pytest.raises(EnvironmentBuildError, match=r"conda.tar must not be unpacked: "):
        unpacked(file)
    with tarfile.open(file, "w") as archive:
        add(archive, "workspace/conda/bin/python", "")
        add_special(archive, "link", tarfile.SYMTYPE, "/etc")
    message = "conda.tar must not be unpacked: 'link' points out of the folder, to '/etc': pack it again"
    with pytest.raises(EnvironmentBuildError, match=message):
        unpacked(file)
    with tarfile.open(file, "w") as archive:
        add(archive, "miniconda/bin/python", "")
    with pytest.raises(EnvironmentBuildError, match=r"conda\.tar holds no workspace/conda/bin/python"):
        unpacked(file)
    assert [entry for entry in cache_folder().iterdir() if entry.is_dir()] == []
