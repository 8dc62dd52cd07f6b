"""A computer that is a container of docker or podman, driven through their command line."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.computers.remote import LEASE, RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import AS_THEY_WERE
from pytest_innovatorbench.researchgym.computers.transport import (
    Finished,
    ProcessTransport,
    UnreachableError,
    UnusableError,
)
from pytest_innovatorbench.researchgym.computers.workspace import WORKSPACE, Workspace
from pytest_innovatorbench.sandbox.model import Bind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_innovatorbench.researchgym.computers.exchange import Station
    from pytest_innovatorbench.researchgym.computers.gpus import Gpu
    from pytest_innovatorbench.researchgym.computers.inventory import ContainerImage
    from pytest_innovatorbench.researchgym.computers.transport import Stream
    from pytest_innovatorbench.sandbox.trees import Entry

LABEL = "ibench.record"
"""What tells our containers from others; its value is the folder of the attempt's record."""
ROOT = "/run/ibench"
_USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 120.0
_PROCESSES = 4096
_MINUTES = LEASE // 60
# The container ends some time after its session server has, or if none ever comes.
_KEEP = f'n=0; while [ $n -lt {_MINUTES} ]; do sleep 60; n=$((n+1)); [ ! -S "$1" ] || n=0; done'
_CONFINED = ("--cap-drop=all", "--security-opt=no-new-privileges", f"--pids-limit={_PROCESSES}")


class ContainerTransport:
    """The way into a container, which is started at the first need; see `Transport`.

    Args:
        image: What it is made of.
        name: What it is called, the same for every harness that claims it.
        record: Folder of the attempt's record.
        binds: What of this machine it shows.
        options: Options of the engine's ``run``, before those of the image.
        command: What its first process runs.
    """

    def __init__(
        self,
        image: ContainerImage,
        *,
        name: str,
        record: Path,
        binds: Sequence[Bind] = (),
        options: Sequence[str] = (),
        command: Sequence[str] = ("sleep", str(LEASE)),
    ) -> None:
        self.place = f"the container of image {image.image}"
        self._image = image
        self._name = name
        self._record = record
        self._binds = tuple(binds)
        self._options = tuple(options)
        self._command = tuple(command)
        self._inside = ProcessTransport(self.place, (image.engine, "exec", "-i", name))
        self._starting = threading.Lock()
        self._is_used = False

    def connect(self, argv: Sequence[str]) -> Stream:
        """Start a program there; see `Transport.connect`."""
        self._bring_up()
        return self._inside.connect(argv)

    def run(self, argv: Sequence[str], *, timeout: float, data: bytes = b"") -> Finished:
        """Run a short program there; see `Transport.run`."""
        self._bring_up()
        return self._inside.run(argv, timeout=timeout, data=data)

    def close(self) -> None:
        """Let go of the container, which goes on; streams end."""
        self._inside.close()

    def remove(self) -> None:
        """End the container and all that runs in it, if it was ever used."""
        with self._starting:
            used, self._is_used = self._is_used, False
            if used:
                _remove(self._image.engine, self._name)

    def _bring_up(self) -> None:
        with self._starting:
            engine = self._image.engine
            state = ask_engine(engine, "inspect", "--format={{.State.Running}}", self._name)
            self._is_used = True
            if state.output.strip() == b"true":
                return
            remove_leftovers(engine)
            _remove(engine, self._name)
            done = ask_engine(engine, *self._run_words())
            if done.status:
                raise UnusableError(f"{self.place} could not be started: {done.complaint()}")

    def _run_words(self) -> tuple[str, ...]:
        binds = (
            f"--volume={bind.source}:{bind.dest}:{'rw' if bind.writable else 'ro'}" for bind in self._binds
        )
        entrypoint, *rest = self._command
        return (
            *("run", "--detach", "--pull=never", f"--name={self._name}", f"--label={LABEL}={self._record}"),
            *(f"--workdir={WORKSPACE}", f"--entrypoint={entrypoint}", *binds, *_CONFINED),
            *(*self._options, *self._image.options, self._image.image, *rest),
        )


class HostedWorkspace:
    """A workspace on this machine that a container shows; see `RemoteWorkspace`.

    Args:
        workspace: The workspace, which several computers may have.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.note: str | None = None
        self._workspace = workspace

    def path(self, folder: PurePosixPath) -> PurePosixPath:  # noqa: ARG002 - it is elsewhere
        """Return where it is in the container."""
        return PurePosixPath(WORKSPACE)

    def send(self, station: Station) -> str:  # noqa: ARG002 - it was there before the container
        """Nothing has to be done."""
        return AS_THEY_WERE

    def fetch(self, station: Station, below: str) -> None:
        """Nothing has to be done."""

    def tree(self, station: Station) -> Path:  # noqa: ARG002 - it lies here
        """Return the folder that takes the writes."""
        return self._workspace.tree()

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of it."""
        return self._workspace.entries(below)


class ContainerComputer(RemoteComputer):
    """A container with a workspace and a session server, started when it is first needed.

    Args:
        image: What it is made of.
        name: Of the container, the same for every harness that goes on with the attempt.
        record: Folder of the attempt's record.
        folder: Existing private folder for what its sessions write.
        workspace: The workspace; it lies on this machine.
        binds: What else of this machine it shows.
        programs: Folder inside whose programs go before the image's.
        environment: Variables in addition to those of the image.
        memory: Bytes of memory that it may use.
        network: Whether it has a network.
        gpus: GPUs of this machine that it has.
    """

    def __init__(
        self,
        image: ContainerImage,
        *,
        name: str,
        record: Path,
        folder: Path,
        workspace: Workspace,
        binds: Sequence[Bind] = (),
        environment: Mapping[str, str] | None = None,
        memory: int | None = None,
        network: bool = False,
        gpus: Sequence[Gpu] = (),
        programs: str = "",
    ) -> None:
        own = (_bind(workspace.tree(), WORKSPACE), _bind(folder, ROOT))
        options = [] if network else ["--network=none"]
        options += [f"--memory={memory}b"] if memory else []
        self._container = ContainerTransport(
            image,
            name=name,
            record=record,
            binds=(*own, *binds),
            options=(*options, *gpu_options(image.engine, gpus)),
            command=("sh", "-c", _KEEP, "sh", f"{ROOT}/{name}/server/socket"),
        )
        path = {"PATH": ":".join(filter(None, ("/ibench/bin", programs, image_path(image))))}
        super().__init__(
            self._container,
            HostedWorkspace(workspace),
            name=name,
            root=ROOT,
            confines_files=False,  # the container does
            environment={**path, **(environment or {})},
        )

    def close(self) -> None:
        """Kill everything that runs and remove the container; safe to call twice. Files stay."""
        super().close()
        self._container.remove()


def ask_engine(engine: str, *words: str) -> Finished:
    """Have docker or podman do something.

    Raises:
        UnusableError: It is not there.
        UnreachableError: It does not answer.
    """
    try:
        done = subprocess.run(
            [engine, *words], capture_output=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise UnusableError(f"{engine} was not found: install it, or change the inventory") from None
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{engine} did not answer within {_SECONDS:g} s") from None
    error = done.stderr.decode(errors="replace")
    return Finished(argv=(engine, *words), status=done.returncode, output=done.stdout, error=error)


def image_problem(image: ContainerImage) -> str | None:
    """Return why containers cannot be made of an image, as far as can be seen without making one."""
    try:
        done = ask_engine(image.engine, "image", "inspect", image.image)
    except (UnusableError, UnreachableError) as error:
        return str(error)
    return f"image {image.image} cannot be used: {done.complaint()}" if done.status else None


def image_path(image: ContainerImage) -> str:
    """Return where programs are looked for in an image."""
    done = ask_engine(image.engine, "image", "inspect", "--format={{json .Config.Env}}", image.image)
    if done.status:
        raise UnusableError(f"image {image.image} cannot be used: {done.complaint()}")
    variables = dict(word.partition("=")[::2] for word in json.loads(done.output) or ())
    return str(variables.get("PATH", _USUAL_PATH))


def gpu_options(engine: str, gpus: Sequence[Gpu]) -> list[str]:
    """Return the options by which a container has GPUs."""
    if engine == "podman":
        return [f"--device=nvidia.com/gpu={gpu.visible}" for gpu in gpus]
    return ['--gpus="device={}"'.format(",".join(gpu.visible for gpu in gpus))] if gpus else []


def remove_leftovers(engine: str) -> list[str]:
    """Remove containers whose attempts are over or gone, and return the folders of their records.

    Those of an attempt that was cut short stay, since it may be resumed; they end by themselves.
    """
    removed = []
    for container, record in _ours(engine):
        if not record.is_dir() or (record / "result.json").exists():
            _remove(engine, container)
            removed.append(str(record))
    return removed


def _remove(engine: str, container: str) -> None:
    # podman is polite for ten seconds, and what is a container's first process here hears nothing.
    ask_engine(engine, "rm", "-f", *(("-t", "0") if engine == "podman" else ()), container)


def _ours(engine: str) -> list[tuple[str, Path]]:
    listed = ask_engine(engine, "ps", "--all", "--quiet", "--no-trunc", f"--filter=label={LABEL}")
    containers = listed.output.decode().split()
    if not containers:
        return []
    told = ask_engine(engine, "inspect", "--format={{json .Config.Labels}}", *containers)
    labels: list[dict[str, Any]] = [json.loads(line) for line in told.output.splitlines()]
    return [(one, Path(of[LABEL])) for one, of in zip(containers, labels, strict=False) if LABEL in of]


def _bind(source: Path, dest: str) -> Bind:
    return Bind(source=source, dest=dest, writable=True)
