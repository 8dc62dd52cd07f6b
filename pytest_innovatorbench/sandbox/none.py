"""The explicit way out: no confinement, but the same interface, environment and end of processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import weakref
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.sandbox.cgroups import open_group
from pytest_innovatorbench.sandbox.children import ProcessTree, cap_process
from pytest_innovatorbench.sandbox.spawner import start_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.sandbox.cgroups import Group
    from pytest_innovatorbench.sandbox.model import Bind, Jail, Limits

    Layout: TypeAlias = tuple[tuple[Bind, ...], tuple[str, ...]]


class NoSandbox:
    """Runs processes with the rights of the harness.

    A jail becomes a temporary folder in which its binds are links and its folders are folders. Caps
    on processes need a control group here: the kernel's other way counts all of the user's.
    """

    name = "none"

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="ibench-none-"))
        self._stages: dict[Layout, Path] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)

    def inside(self, jail: Jail, path: str) -> str:
        """Return how ``path``, an absolute path of the jail, is spelt by a process in it."""
        places = (*jail.folders, *(bind.dest for bind in jail.binds))
        is_staged = any(Path(path).is_relative_to(place) for place in places)
        return f"{self._stage(jail)}{path}" if is_staged else path

    def spawn(
        self,
        jail: Jail,
        argv: Sequence[str],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> ProcessTree:
        """Start a process as if in a jail; see `Sandbox.spawn`."""
        if jail.overlay is not None:
            raise MachineFaultError("there are no overlays without a sandbox")
        self._stage(jail)
        cwd = self.inside(jail, jail.cwd)
        program = shutil.which(argv[0], path=jail.environment.get("PATH", os.defpath))
        group = open_group(jail.limits, for_killing=True)

        def start() -> subprocess.Popen[bytes]:
            with group.entered() if group is not None else nullcontext():
                return subprocess.Popen(
                    argv,
                    executable=program or argv[0],
                    bufsize=0,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL if stdin is None else stdin,
                    stdout=subprocess.DEVNULL if stdout is None else stdout,
                    stderr=subprocess.DEVNULL if stderr is None else stderr,
                    pass_fds=pass_fds,
                    env=jail.environment,
                    start_new_session=True,
                )

        try:
            process = start_process(start)
        except OSError as problem:
            if group is not None:
                group.close()
            raise MachineFaultError("the process could not be started", detail=str(problem)) from problem
        return _cap(process, jail.limits, group)

    def overlay_problem(self, lower: Path, upper: Path) -> str | None:  # noqa: ARG002 - never
        """Return why ``lower`` cannot be overlaid with writes in ``upper``."""
        return "there are no overlays without a sandbox"

    def _stage(self, jail: Jail) -> Path:
        """Build the folder of a jail; jails with the same content share it."""
        layout = (jail.binds, jail.folders)
        with self._lock:
            if layout not in self._stages:
                stage = Path(tempfile.mkdtemp(dir=self._root))
                _build(stage, jail)
                self._stages[layout] = stage
            return self._stages[layout]


def _build(stage: Path, jail: Jail) -> None:
    for folder in jail.folders:
        Path(f"{stage}{folder}").mkdir(parents=True, exist_ok=True)
    for bind in jail.binds:
        if not bind.source.exists():
            raise MachineFaultError("the jail could not be set up", detail=f"{bind.source} does not exist")
        place = Path(f"{stage}{bind.dest}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir() and not place.is_symlink():
            place.rmdir()
        elif place.is_symlink():  # of an earlier stage, where a bind lies in a writable one
            place.unlink()
        place.symlink_to(bind.source.absolute())


def _cap(process: subprocess.Popen[bytes], limits: Limits, group: Group | None) -> ProcessTree:
    """Cap a process that already runs: without a sandbox there is nobody who could hold it back."""
    tree = ProcessTree(process, root=process.pid, group=group, own_session=True)
    try:
        by_address_space = group is None or not group.has("memory")
        cap_process(process.pid, limits, memory=by_address_space, processes=False)
        if group is not None:
            group.join(process.pid)
    except OSError:
        if tree.poll() is None:
            tree.kill()
            raise
    return tree


@cache
def open_none() -> NoSandbox:
    """Return the one such sandbox of the process."""
    return NoSandbox()
