from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import EnvironmentBuildError
from pytest_innovatorbench.tasks.environment import bare, base_python, build, cache_folder, harness

BUILD = "import sys; from pathlib import Path; from pytest_innovatorbench.tasks.environment import build; print(build(Path(sys.argv[1]), print).python)"


def make_wheel(folder: Path, name: str = "tinything", version: str = "1.2") -> Path:
    """Make a wheel, so that a real installation needs no package index."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", "ANSWER = 42\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return wheel


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text(f"--no-index\n{make_wheel(tmp_path)}\n")
    return file


def test_an_environment_has_its_packages_and_is_built_once(requirements: Path) -> None:
    said: list[str] = []
    environment = build(requirements, said.append)
    assert said == [f"building the environment of {requirements} (once)"]
    assert environment.packages()["tinything"] == "1.2"
    answer = subprocess.check_output([environment.python, "-c", "import tinything; print(tinything.ANSWER)"])
    assert answer == b"42\n"
    assert build(requirements, said.append) == environment
    assert len(said) == 1
    assert environment.folder is not None
    assert environment.folder.is_relative_to(cache_folder())


def test_another_content_is_another_environment(requirements: Path) -> None:
    first = build(requirements)
    requirements.write_text("# nothing\n")
    assert build(requirements).folder != first.folder


def test_two_processes_build_it_once(requirements: Path) -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", BUILD, str(requirements)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate(timeout=120)[0].splitlines() for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert outputs[0][-1] == outputs[1][-1]
    assert sum("building" in line for output in outputs for line in output) == 1


def test_a_build_that_was_cut_short_is_begun_anew(requirements: Path) -> None:
    folder = build(requirements).folder
    assert folder is not None
    (folder / "ibench-ready").unlink()
    (folder / "bin" / "python").unlink()
    assert build(requirements).python.exists()


def test_modules_of_the_working_folder_are_not_run(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("venv", "ensurepip", "pip", "subprocess", "logging", "tinything"):
        (checkout / f"{name}.py").write_text(f"print({name!r}, file=open({str(ran)!r}, 'a'))\n")
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    assert build(requirements).packages()["tinything"] == "1.2"
    assert not ran.exists()


def test_packages_that_cannot_be_installed(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("--no-index\nnothing-like-this\n")
    with pytest.raises(
        EnvironmentBuildError, match=r"requirements\.txt cannot be installed: ERROR: .*nothing-like-this"
    ):
        build(file)


def test_a_cache_that_cannot_be_written(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(EnvironmentBuildError, match=r"cannot be written: .*set XDG_CACHE_HOME to a folder"):
        build(requirements)


def test_interpreters_without_an_environment() -> None:
    assert bare().binds == ()
    assert bare().packages() == {}
    assert str(bare().python) == base_python()
    assert "pytest" in harness().packages()
