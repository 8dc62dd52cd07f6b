"""OpenSSH servers of the tests' own: a process on loopback, with keys, accounts and a configuration of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.computers.inventory import SshAccess

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
_CONFIG = """
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AllowTcpForwarding yes
SetEnv PATH={folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
"""
# The accounts of a server that root starts are its own as well: nothing of the machine's is read or changed.
_WITH_ACCOUNTS = """
mount --make-rprivate / && mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow || exit 99
shift; exec "$@"
"""
ACCOUNTS = ("root", "researcher") if os.geteuid() == 0 else ("self",)


class SshServer:
    """A server and how to log in at it.

    Args:
        folder: Existing folder for its keys and homes, and for programs that it has besides, in ``bin``.
        account: Who logs in; ``self`` for the user who runs the tests.
        address: Where it listens.
        port: Likewise; a free one by default.
        prefix: What starts it, such as ``ip netns exec``.
    """

    def __init__(
        self,
        folder: Path,
        account: str = ACCOUNTS[0],
        *,
        address: str = "127.0.0.1",
        port: int | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        require_sshd()
        self.folder = folder
        self.address = address
        self.port = port or free_port(address)
        self.user = own_name() if account == "self" else account
        self._prefix = prefix
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("host_key", "user_key"):
            make_key(folder / name)
        self.known_hosts = folder / "known_hosts"
        self.know(folder / "host_key.pub")
        (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
        (folder / "config").write_text(_CONFIG.format(address=address, port=self.port, folder=folder))
        for name in ("root", "researcher"):
            (folder / f"home-{name}").mkdir(exist_ok=True)
        if os.geteuid() == 0:
            self._make_accounts()
        self.start()

    def access(self, **options: object) -> SshAccess:
        """How it is reached."""
        stated = {
            "host": self.address,
            "port": self.port,
            "user": self.user,
            "key": self.folder / "user_key",
            "known_hosts": self.known_hosts,
            "workspace": str(self.folder / "remote"),
            "is_shared": False,
        }
        return SshAccess(**{**stated, **options})  # type: ignore[arg-type]  # as a test says

    def know(self, public_key: Path) -> None:
        """Write down a host key as the server's."""
        host = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        self.known_hosts.write_text(f"{host} {public_key.read_text()}")

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [str(SSHD), "-D", "-e", "-f", str(self.folder / "config")]
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
            command = ["unshare", "-m", "sh", "-c", _WITH_ACCOUNTS, "sh", str(self.folder), *command]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*self._prefix, *command], stdin=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + 10
        while not is_listening(self.address, self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"sshd does not start here: {(self.folder / 'log').read_text()[-300:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, with all connections."""
        process = self._process
        if process is None:
            return
        for pid in [process.pid, *self.connections()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        self._process = None

    def connections(self) -> list[int]:
        """The processes that serve connections."""
        return [] if self._process is None else below(self._process.pid)

    def kill_connections(self) -> int:
        """Kill what serves connections; what runs in them is left alone. Return how many there were."""
        doomed = [pid for pid in self.connections() if command_of(pid).startswith(b"sshd: ")]
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(doomed)

    def _make_accounts(self) -> None:
        for name, uid in (("root", 0), ("researcher", 12346)):
            home = self.folder / f"home-{name}"
            os.chown(home, uid, uid)
            with (self.folder / "passwd").open("a") as file:
                file.write(f"{name}:x:{uid}:{uid}::{home}:/bin/bash\n")
            with (self.folder / "shadow").open("a") as file:
                file.write(f"{name}:*:19000:0:99999:7:::\n")
        separated = pwd.getpwnam("sshd")
        with (self.folder / "passwd").open("a") as file:
            file.write(f"sshd:x:{separated.pw_uid}:{separated.pw_gid}::/run/sshd:/usr/sbin/nologin\n")


def require_sshd() -> None:
    """Skip where there is no server to start."""
    if SSHD is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no sshd is installed (on Debian: openssh-server)")


def own_name() -> str:
    """The name of the user who runs the tests."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        pytest.skip("sshd needs a user with an account, and this one has none")


def make_key(file: Path) -> None:
    """Make a pair of keys."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)


def free_port(address: str) -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def is_listening(address: str, port: int) -> bool:
    """Tell whether somebody listens."""
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def below(pid: int) -> list[int]:
    """The descendants of a process."""
    children: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text().split())
    return children + [deeper for child in children for deeper in below(child)]


def command_of(pid: int) -> bytes:
    """What a process calls itself."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
