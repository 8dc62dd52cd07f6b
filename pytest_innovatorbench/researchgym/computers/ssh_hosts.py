"""Which hosts are known by their keys, and what to say of those that are not."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from pytest_innovatorbench.researchgym.computers.transport import UnusableError

USUAL_PORT = 22


class UnknownHostError(Exception):
    """A host that is not known.

    Args:
        host: As it would stand in the file.
        fingerprint: Of the key that it showed.
    """

    def __init__(self, host: str, fingerprint: str) -> None:
        super().__init__(f"{host} is not known")
        self.fingerprint = fingerprint


class _Reject:
    """What to do about hosts that are not known."""

    def missing_host_key(self, _client: Any, host: str, key: Any) -> None:  # noqa: ANN401 - no types
        raise UnknownHostError(host, key.fingerprint)


def load_known(client: Any, file: Path | None) -> Path:  # noqa: ANN401 - paramiko has no types
    """Have a client accept the hosts of a file, by default the user's own, and no others.

    Raises:
        UnusableError: The file cannot be read.
    """
    known = file or Path("~/.ssh/known_hosts").expanduser()
    client.set_missing_host_key_policy(_Reject())
    if file is None and not known.exists():
        return known
    try:
        client.load_system_host_keys(str(known))
    except OSError as problem:
        raise UnusableError(f"{known} cannot be read: {problem.strerror}") from problem
    return known


def host_problem(host: str, port: int, problem: Any, known: Path) -> str:  # noqa: ANN401 - no types
    """Say what is wrong with the key of a host, and what to do."""
    is_usual = port == USUAL_PORT
    place = host if is_usual else f"{host}:{port}"
    if isinstance(problem, UnknownHostError):
        scan = shlex.join(["ssh-keyscan", *(() if is_usual else ("-p", str(port))), host])
        return (
            f"{place} is not in {known}; it shows {problem.fingerprint}: "
            f"compare that with the host's own, and add it, as by {scan}"
        )
    entry = host if is_usual else f"[{host}]:{port}"
    forget = shlex.join(["ssh-keygen", "-R", entry, "-f", str(known)])
    return (
        f"{place} shows the host key {problem.key.fingerprint}, but {known} has "
        f"{problem.expected_key.fingerprint}: somebody may be in between; if the host was set up anew, "
        f"run {forget} and add its new key"
    )
