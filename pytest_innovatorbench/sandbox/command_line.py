"""What bubblewrap is told: the recipe of a jail, option by option."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import ExitStack

    from pytest_innovatorbench.sandbox.model import Bind, Jail, Overlay

_UID = "1000"
# The tasks that come with the package, with their references.
_SUITE = Path(__file__).parents[1] / "_suite"
_MADE_UP = {
    "/etc/passwd": "agent:x:1000:1000::/tmp:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
    "/etc/group": "agent:x:1000:\nnogroup:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
_COPIED = ("/etc/ld.so.cache", "/etc/localtime")
_COPIED_FOR_NETWORK = (
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
_STREAMS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_NOBODY = 65534
# Folders of /proc whose files come and go with drivers; the others are looked through once. Each bind
# costs bubblewrap a reading of all mounts there are.
_KERNEL_FOLDERS = {"bus", "fs", "irq", "sys"}
_ISOLATION = (
    "--unshare-all",
    "--unshare-user",
    "--disable-userns",
    "--cap-drop",
    "ALL",
    "--die-with-parent",
    "--uid",
    _UID,
    "--gid",
    _UID,
    "--hostname",
    "sandbox",
    "--clearenv",
)


class Arguments:
    """Options for bwrap that no process list shows, and the files they refer to.

    Args:
        open_files: Closes the descriptors once the process has them.
    """

    def __init__(self, open_files: ExitStack) -> None:
        self.fds: list[int] = []
        self._open_files = open_files
        self._words: list[str] = []

    def add(self, *words: str) -> None:
        """Append options."""
        self._words += words

    def add_file(self, path: str, content: bytes) -> None:
        """Put a small file of given content into the jail."""
        self.add("--perms", "0644", "--file", str(self._hold(content)), path)

    def seal(self) -> int:
        """Return a descriptor from which bwrap reads all options."""
        return self._hold(os.fsencode("".join(f"{word}\0" for word in self._words)))

    def _hold(self, content: bytes) -> int:
        fd = os.memfd_create("bwrap")
        self._open_files.callback(os.close, fd)
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        self.fds.append(fd)
        return fd


def describe(jail: Jail, open_files: ExitStack) -> Arguments:
    """Write down a jail for bwrap.

    Args:
        jail: The jail.
        open_files: Closes the descriptors that the options refer to.
    """
    arguments = Arguments(open_files)
    arguments.add(*_ISOLATION)
    if jail.network:
        arguments.add("--share-net")
    for path, content in _etc(network=jail.network).items():
        arguments.add_file(path, content)
    arguments.add(*_system(), *_devices(terminals=jail.terminals, others=jail.devices))
    arguments.add(*_hide(jail))
    arguments.add(*_scratch(jail))
    if jail.overlay is not None:
        arguments.add(*_layer(jail.overlay))
    for bind in jail.binds:
        arguments.add(*_bind(bind))
    arguments.add("--remount-ro", "/")
    for name, value in jail.environment.items():
        arguments.add("--setenv", name, value)
    arguments.add("--chdir", jail.cwd)
    return arguments


@cache
def _system() -> tuple[str, ...]:
    """The read-only system, folder by folder, and this Python where it lies elsewhere."""
    words = ["--ro-bind", "/usr", "/usr"]
    for entry in sorted(Path("/").iterdir()):
        if entry.name in {"bin", "sbin"} or entry.name.startswith("lib"):
            if entry.is_symlink():
                words += ["--symlink", str(entry.readlink()), str(entry)]
            elif entry.is_dir() and entry.name != "lost+found":
                words += ["--ro-bind", str(entry), str(entry)]
    if Path("/etc/alternatives").is_dir():  # nothing but links, without which awk and cc are missing
        words += ["--ro-bind", "/etc/alternatives", "/etc/alternatives"]
    python = os.path.realpath(sys.base_prefix)
    if not PurePosixPath(python).is_relative_to("/usr"):
        words += ["--ro-bind", python, python]
        if python != sys.base_prefix:
            words += ["--ro-bind", python, sys.base_prefix]
    return (*words, "--proc", "/proc", *_guard_kernel())


def _guard_kernel() -> Iterator[str]:
    """Close what of ``/proc`` is not about processes, as far as it is more than public knowledge.

    The kernel lets the user id 0 of the host write its settings, ``kernel.core_pattern`` among them, and
    that is who a tenant of root is outside, whatever it is called inside and whatever it cannot do.
    """
    if os.geteuid() != 0:
        yield from ("--ro-bind", "/proc/sys", "/proc/sys")
        return
    for entry in sorted(os.scandir("/proc"), key=lambda entry: entry.name):
        if entry.name.isdigit() or entry.is_symlink():
            continue
        if entry.name in _KERNEL_FOLDERS or any(_is_roots_to_write(path) for path in _tree(entry)):
            yield from ("--ro-bind", entry.path, entry.path)
        elif entry.is_file() and not entry.stat().st_mode & 0o004:
            yield from ("--ro-bind", os.devnull, entry.path)


def _tree(entry: os.DirEntry[str]) -> Iterator[Path]:
    yield Path(entry.path)
    if entry.is_dir():
        yield from Path(entry.path).rglob("*")


def _is_roots_to_write(path: Path) -> bool:
    """Tell whether the owner may write a file and not everybody, as with ``/proc/pressure``."""
    try:
        mode = path.lstat().st_mode
    except OSError:  # gone
        return False
    return stat.S_ISREG(mode) and bool(mode & 0o220) and not mode & 0o002


@cache
def _devices(*, terminals: bool, others: tuple[Path, ...] = ()) -> tuple[str, ...]:
    """All of ``/dev``, or just the few files that every program needs: each mount takes its time.

    Root's tenant could change the mode of the host's, so it gets some that belong to nobody. Remounting
    the host's read-only would do, but bubblewrap then shuts them.
    """
    own = _own_devices() if os.geteuid() == 0 else ()
    more = tuple(_own_device(own[0].parent, path) for path in others) if own else others
    if terminals:
        return ("--dev", "/dev", *_bind_devices((*own, *more)), "--remount-ro", "/dev")
    few = [path for path in own or map(Path, _DEVICES) if path.name != "tty"]
    few += more
    links = [word for name, target in _STREAMS.items() for word in ("--symlink", target, f"/dev/{name}")]
    return ("--dir", "/dev", *_bind_devices(few), *links)


def _bind_devices(devices: Iterable[Path]) -> Iterator[str]:
    for device in devices:
        yield from ("--dev-bind", str(device), f"/dev/{device.name}")


@cache
def _own_devices() -> tuple[Path, ...]:
    """Make devices, where this root may (in a container the host's are the container's own)."""
    folder = Path(tempfile.mkdtemp(prefix="ibench-devices-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        return tuple(_make_device(folder / path.name, path) for path in map(Path, _DEVICES))
    except OSError:
        return ()


def _own_device(folder: Path, model: Path) -> Path:
    """Make a device like one of the host's, which is not opened for it: that may take long or be refused."""
    device = folder / model.name
    if not device.exists():
        os.mknod(device, stat.S_IFCHR, model.stat().st_rdev)
        os.chown(device, _NOBODY, _NOBODY)
        device.chmod(0o666)
    return device


def _make_device(device: Path, model: Path) -> Path:
    os.mknod(device, stat.S_IFCHR, model.stat().st_rdev)
    os.chown(device, _NOBODY, _NOBODY)
    device.chmod(0o666)
    if device.name != "tty":  # which opens only where there is a terminal
        device.open("rb").close()
    return device


def _hide(jail: Jail) -> Iterator[str]:
    """Cover what must not be seen where it lies in a folder that is shown."""
    shown = ("/usr", os.path.realpath(sys.base_prefix))
    for folder in {path.resolve() for path in (_SUITE, *jail.hidden)}:
        if folder.is_dir() and any(folder.is_relative_to(root) for root in shown):
            yield from ("--tmpfs", str(folder), "--remount-ro", str(folder))


@cache
def _etc(*, network: bool) -> Mapping[str, bytes]:
    """Single files only: as root, everything that is bound can be read, whatever its mode."""
    files = {path: content.encode() for path, content in _MADE_UP.items()}
    for path in (*_COPIED, *(_COPIED_FOR_NETWORK if network else ())):
        if os.access(path, os.R_OK):
            files[path] = Path(path).read_bytes()
    return files


def _scratch(jail: Jail) -> Iterator[str]:
    """Folders that are empty at the start and gone at the end."""
    size = () if jail.limits.memory is None else ("--size", str(jail.limits.memory))
    mounted: list[PurePosixPath] = []
    for folder in ("/tmp", "/dev/shm", *jail.folders):  # noqa: S108 - the one of the jail
        path = PurePosixPath(folder)
        if any(path.is_relative_to(root) for root in mounted):
            yield from ("--dir", folder)
        else:
            yield from (*size, "--perms", "0755", "--tmpfs", folder)
            mounted.append(path)


def _layer(overlay: Overlay) -> tuple[str, ...]:
    layers = ("--overlay-src", str(overlay.lower), "--overlay", str(overlay.upper), str(overlay.work))
    return (*layers, overlay.dest)


def _bind(bind: Bind) -> tuple[str, ...]:
    return ("--bind" if bind.writable else "--ro-bind", str(bind.source), bind.dest)
