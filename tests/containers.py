"""An engine for containers, with an image of the tests' own that shows the system of this machine."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

IMAGE = "localhost/ibench-test"
# The image holds links only; programs are those of this machine, Python among them.
OPTIONS = ("--volume=/usr:/usr:ro",)
_PYTHON = Path("/usr/bin/python3")
_CONTAINERS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
tmp_dir = "{folder}/tmp"
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_STORAGE = """
[storage]
driver = "vfs"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


def prepare_podman(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set podman up below a folder, with the image, or skip the test and say why."""
    if shutil.which("podman") is None or shutil.which("runc") is None:
        pytest.skip("podman and runc are not installed")
    if not _PYTHON.exists():
        pytest.skip(f"there is no {_PYTHON} to show in a container")
    for name, text in (
        ("containers.conf", _CONTAINERS.format(folder=folder)),
        ("storage.conf", _STORAGE.format(folder=folder)),
    ):
        (folder / name).write_text(text)
    monkeypatch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
    _podman("import", "-", IMAGE, data=_rootfs())
    # Not attached to it: podman waits 20 s for the end of one that ends at once.
    _podman("run", "--detach", "--name=trial", "--network=none", *OPTIONS, IMAGE, "sleep", "9")
    _podman("exec", "trial", str(_PYTHON), "-c", "pass")
    _podman("rm", "-f", "-t", "0", "trial")
    return "podman"


def _podman(*words: str, data: bytes = b"") -> None:
    try:
        done = subprocess.run(["podman", *words], input=data, capture_output=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("podman does not answer here")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        pytest.skip(f"podman does not work here: {said[-1] if said else done.returncode}")


def _rootfs() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("bin", "sbin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
        for name, mode in (("usr", 0o755), ("tmp", 0o1777), ("root", 0o700), ("etc", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            archive.addfile(folder)
    return buffer.getvalue()
