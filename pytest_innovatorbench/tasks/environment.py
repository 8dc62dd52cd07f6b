"""Python environments of tasks: built once per content, shared by every attempt."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import EnvironmentBuildError
from pytest_innovatorbench.sandbox.bubblewrap import bound_to_caller
from pytest_innovatorbench.sandbox.model import Bind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_READY = "ibench-ready"
_BUILD_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python interpreter with packages.

    Attributes:
        folder: Folder to show read-only; ``None`` for a bare interpreter.
        python: The interpreter, as spelt inside a sandbox.
        site_packages: Folder of its packages, as spelt inside, if it has one of its own.
        mount: Where sandboxes show the folder, if not at its own path.
    """

    folder: Path | None
    python: Path
    site_packages: Path | None
    mount: str = ""

    @property
    def binds(self) -> tuple[Bind, ...]:
        """What a sandbox must show of it."""
        return (Bind(source=self.folder, dest=self.mount or str(self.folder)),) if self.folder else ()

    def packages(self) -> Mapping[str, str]:
        """Return the names and versions of its packages; looked up once per process."""
        if self.site_packages is None:
            return {}
        if self.folder is None or not self.mount:
            return _packages(self.site_packages)
        return _packages(self.folder / self.site_packages.relative_to(self.mount))


def bare() -> Environment:
    """Return the interpreter that runs the harness, without its packages."""
    return Environment(folder=None, python=Path(base_python()), site_packages=None)


def harness() -> Environment:
    """Return the interpreter that runs the harness, with its packages."""
    folder = Path(sys.prefix)
    return Environment(
        folder=folder if sys.prefix != sys.base_prefix else None,
        python=Path(base_python()),
        site_packages=_site_packages(folder),
    )


def base_python() -> str:
    """Return the path of the interpreter itself, outside any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def cache_folder() -> Path:
    """Return the folder of built environments, below the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - no HOME is no error
    return Path(root) / "innovatorbench" / "environments"


def build(requirements: Path, say: Callable[[str], None] = lambda _: None) -> Environment:
    """Return the environment that a requirements file asks for, building it if need be.

    Two processes that ask for the same one build it once; a build that was cut short is begun anew.

    Args:
        requirements: The requirements file.
        say: Told in one line that a build has begun.

    Raises:
        EnvironmentBuildError: The packages could not be installed.
    """
    content = requirements.read_bytes()
    folder = cache_folder() / _key(content)
    if (folder / _READY).exists():
        return _environment(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_suffix(".lock")):
            if not (folder / _READY).exists():
                say(f"building the environment of {requirements} (once)")
                _build(folder, requirements)
    except OSError as error:
        raise EnvironmentBuildError(
            f"the environment of {requirements} cannot be written: {error.strerror}: {error.filename}",
            remedy="free disk space, or set XDG_CACHE_HOME to a folder that can be written",
        ) from error
    return _environment(folder)


def _key(content: bytes) -> str:
    machine = f"{platform.machine()}-{sys.implementation.cache_tag}-{base_python()}"
    return hashlib.sha256(content + b"\0" + machine.encode()).hexdigest()[:24]


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a file's lock, which ends with the process."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, requirements: Path) -> None:
    # A virtual environment knows its own path, so it is built in place; the marker makes it whole.
    shutil.rmtree(folder, ignore_errors=True)
    # Without -I, a venv.py or pip.py in the working folder, such as a stranger's checkout, would run.
    _run([base_python(), "-I", "-m", "venv", str(folder)], requirements)
    pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "install", "--quiet", "--no-warn-script-location", "-r", str(requirements)], requirements)
    (folder / _READY).touch()


def _run(argv: list[str], requirements: Path) -> None:
    # PYTHON* settings of the harness, such as PYTHONPATH, must not leak into what is built.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(
            bound_to_caller(argv),
            env=environment,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        said = done.stderr or done.stdout
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        said, failed = f"not done after {_BUILD_SECONDS} s", True
    if failed:
        lines = [line for line in said.splitlines() if line.strip()]
        reason = next(
            (line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no output"
        )
        raise EnvironmentBuildError(
            f"the packages of {requirements} cannot be installed: {reason}",
            remedy="mend the file or the connection to the package index, then run again",
        )


def _environment(folder: Path) -> Environment:
    return Environment(folder=folder, python=folder / "bin" / "python", site_packages=_site_packages(folder))


@cache
def _packages(folder: Path) -> Mapping[str, str]:
    found = distributions(path=[str(folder)])
    return MappingProxyType(dict(sorted((dist.metadata["Name"], dist.version) for dist in found)))


@cache
def _site_packages(folder: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = folder / "lib" / version / "site-packages"
    return found if found.is_dir() else folder / "lib" / "python3" / "dist-packages"
