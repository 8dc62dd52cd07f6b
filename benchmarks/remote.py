"""What a computer by SSH costs: a command in an open session, and files on their way there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import Beside, Figure, Scale, middle
from pytest_innovatorbench.researchgym.computers.remote import RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import SyncedWorkspace
from pytest_innovatorbench.researchgym.computers.ssh import SshTransport
from tests.sshd import SSHD, SshServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PYTHON = "/usr/bin/python3"
_PART = 10**5
_STEPS = 400
_MOST_REPEATS = 5


def measure_remote(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure against an OpenSSH server on loopback; nothing where there is none."""
    if SSHD is None:
        return
    place = Path(tempfile.mkdtemp(prefix="ibench-sshd-"))
    place.chmod(0o755)
    server = SshServer(place)
    repeats = min(scale.repeats, _MOST_REPEATS)
    try:
        yield _commands(server, folder / "commands")
        ours, tar = _upload(server, folder / "big", partial(_lay_big, size=scale.sent), repeats)
        yield Figure(
            name="ssh-upload",
            what=f"{scale.sent // 10**6} MB sent to a computer by SSH, to tar | ssh",
            unit="x",
            limit=1.1,
            samples=tuple(one / other for one, other in zip(ours, tar, strict=True)),
            beside=(middle(ours, "seconds"), middle(tar, "seconds of tar | ssh")),
        )
        ours, tar = _upload(server, folder / "small", partial(_lay_small, count=scale.files), repeats)
        yield Figure(
            name="ssh-small-files",
            what=f"{scale.files} files of 2.8 kB sent to one",
            unit="s",
            limit=1.2,
            samples=tuple(ours),
            beside=(middle(tar, "tar | ssh"),),
        )
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)


def _commands(server: SshServer, folder: Path) -> Figure:
    with closing(_computer(server, folder, "commands", _lay_nothing)) as computer:
        computer.run_command("true")
        samples = tuple(1e3 * _seconds(lambda: computer.run_command("true")) for _ in range(_STEPS))
    return Figure(
        name="ssh-command",
        what="run_command true over an open SSH session",
        unit="ms",
        limit=2,
        samples=samples,
        beside=(
            Beside(label="a round trip through a bash on one channel", value=1e3 * _floor(server)),
            Beside(label="the published environment", value=3100, source="peer"),
        ),
    )


def _upload(
    server: SshServer, folder: Path, lay: Callable[[Path], None], repeats: int
) -> tuple[list[float], list[float]]:
    """Return seconds of ours and of ``tar | ssh``, by turns, each into a new folder."""
    ours, tar = [], []
    for number in range(repeats):
        name = f"{folder.name}{number}"
        with closing(_computer(server, folder, name, lay)) as computer:
            ours.append(_seconds(partial(computer.inside, "/workspace")))
            tar.append(_seconds(partial(_tar, server, folder / "gym", f"tar-{name}")))
    return ours, tar


def _computer(server: SshServer, folder: Path, name: str, lay: Callable[[Path], None]) -> RemoteComputer:
    lower, mirror = folder / "gym", folder / f"mirror-{name}"
    if not lower.exists():
        lower.mkdir(parents=True)
        lay(lower)
    mirror.mkdir()
    transport = SshTransport(server.access())
    transport.run(["true"], timeout=30)
    root = str(_home(server) / "work")
    return RemoteComputer(transport, SyncedWorkspace(lower, mirror), name=name, root=root, python=_PYTHON)


def _home(server: SshServer) -> PurePosixPath:
    return PurePosixPath(server.folder, "home-root" if os.geteuid() == 0 else "")


def _tar(server: SshServer, source: Path, name: str) -> None:
    target = shlex.quote(str(_home(server) / name))
    ssh = ["ssh", "-F", "none", "-p", str(server.port), "-i", str(server.folder / "user_key")]
    ssh += ["-o", f"UserKnownHostsFile={server.known_hosts}", f"{server.user}@{server.address}"]
    take = f"mkdir {target} && tar -C {target} -xf -"
    with subprocess.Popen(["tar", "-C", str(source), "-cf", "-", "."], stdout=subprocess.PIPE) as give:
        subprocess.run([*ssh, take], stdin=give.stdout, check=True)


def _floor(server: SshServer) -> float:
    """Return seconds for a command and its answer through a bash that is kept on one channel."""
    with closing(SshTransport(server.access())) as transport:
        stream = transport.connect(["bash"])

        def once() -> None:
            stream.sendall(b"true; echo\n")
            assert stream.recv(2) == b"\n"

        once()
        times = [_seconds(once) for _ in range(_STEPS)]
        stream.close()
    return median(times)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _lay_nothing(_: Path) -> None:
    pass


def _lay_big(folder: Path, size: int) -> None:
    part = os.urandom(_PART)
    for number in range(5):
        with (folder / f"{number}.bin").open("wb") as file:
            for _ in range(size // 5 // _PART):
                file.write(part)


def _lay_small(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / f"d{number // 100}"
        place.mkdir(exist_ok=True)
        (place / f"{number}.txt").write_bytes(os.urandom(2800))
