"""What a confined process may see and use, and what a sandbox offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A host path that is visible inside.

    Attributes:
        source: Existing file or folder on the host.
        dest: Absolute path inside.
        writable: Whether what is written inside lands in ``source``.
        is_live: Whether it is of no use as a copy, such as a socket.
    """

    source: Path
    dest: str
    writable: bool = False
    is_live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A read-only folder with a private layer on top for what is written.

    Attributes:
        lower: The folder whose content is seen, never changed.
        upper: Empty or earlier layer that takes the writes.
        work: Empty folder on the file system of ``upper``, used by the kernel.
        dest: Absolute path inside.
    """

    lower: Path
    upper: Path
    work: Path
    dest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on what a confined process tree may use; ``None`` leaves one open.

    Attributes:
        memory: Bytes of memory.
        processes: Processes and threads alive at once.
        file_size: Bytes of any one file written.
    """

    memory: int | None = None
    processes: int | None = None
    file_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """Everything a confined process is given. What is not listed is not there.

    Attributes:
        binds: Host paths made visible, in mounting order.
        overlay: The workspace, where it is layered.
        folders: Empty folders to create inside, before the binds.
        environment: The whole environment of the process.
        hidden: Folders of the host that are empty inside, should they lie in the visible system.
        cwd: Working folder inside.
        network: Whether the host's network is shared; off leaves a bare loopback.
        devices: Device files of the host that are in ``/dev`` inside.
        terminals: Whether there is ``/dev/tty``, and pseudo terminals can be opened.
        limits: Caps on resources.
    """

    binds: tuple[Bind, ...] = ()
    overlay: Overlay | None = None
    folders: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    cwd: str = "/"
    network: bool = False
    devices: tuple[Path, ...] = ()
    terminals: bool = False
    limits: Limits = Limits()


class Child(Protocol):
    """A confined process with its whole tree.

    ``stdin``, ``stdout`` and ``stderr`` are binary, unbuffered pipes where they were asked for.
    ``root`` is the number of the process whose end is the end of the tree.
    """

    root: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None:
        """Return the exit status, or ``None`` while it runs. Killed by signal n is ``128 + n``."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status.

        Args:
            timeout: Seconds to wait.

        Raises:
            TimeoutError: It still runs.
        """

    def kill(self) -> None:
        """End the process and everything it started; safe to call twice."""

    def out_of_memory(self) -> bool:
        """Tell whether the kernel ended a process of the tree for want of memory."""


class Sandbox(Protocol):
    """A way to confine processes."""

    name: str

    def inside(self, jail: Jail, path: str) -> str:
        """Return how ``path``, an absolute path of the jail, is spelt by a process in it."""

    def spawn(
        self,
        jail: Jail,
        argv: Sequence[str],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start a process in a jail.

        Args:
            jail: What it may see and use.
            argv: Program and arguments, as spelt inside.
            stdin: A file descriptor, ``subprocess.PIPE`` or ``None`` for ``/dev/null``. The same
                holds for ``stdout`` and ``stderr``.
            stdout: See ``stdin``.
            stderr: See ``stdin``.
            pass_fds: Descriptors that stay open in the process, under the same numbers.

        Raises:
            MachineFaultError: The sandbox could not be set up.
        """

    def overlay_problem(self, lower: Path, upper: Path) -> str | None:
        """Return why ``lower`` cannot be overlaid with writes in ``upper``, or ``None`` if it can."""
