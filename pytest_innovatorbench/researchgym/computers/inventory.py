"""The computers there are: as a file lists them, or this machine alone."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from pytest_innovatorbench.errors import InventoryError, Problem
from pytest_innovatorbench.researchgym.computers.gpus import Gpu
from pytest_innovatorbench.tasks.manifest import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema import Draft202012Validator

Kind: TypeAlias = Literal["local", "ssh", "container"]

_SSH_PORT = 22
_KEYS = {
    "ssh": ("host", "port", "user", "key", "known_hosts", "jump", "python", "workspace"),
    "container": ("engine", "image", "options"),
}
_NETWORK = ("--network", "--net")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshAccess:
    """How a computer is reached by SSH.

    Attributes:
        host: Its name or address.
        port: Where its server listens.
        user: Who logs in; ``""`` for the user of the harness.
        key: Private key; otherwise those of an agent.
        known_hosts: Where its host key stands; otherwise the user's own file.
        jump: Host to go through, as ``[user@]host[:port]``.
        python: Python there.
        workspace: Folder there for workspaces.
        is_shared: Whether that folder is the same one here.
    """

    host: str
    port: int = _SSH_PORT
    user: str = ""
    key: Path | None = None
    known_hosts: Path | None = None
    jump: str = ""
    python: str = "python3"
    workspace: str
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerImage:
    """What a container is made of.

    Attributes:
        engine: ``docker`` or ``podman``.
        image: Name of an image that is there.
        options: Options of the engine's ``run``.
    """

    engine: Literal["docker", "podman"]
    image: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A computer that attempts may use.

    Attributes:
        name: What users and agents call it.
        kind: How it is reached.
        roles: Roles of tasks that it serves, none for all.
        gpus: Its GPUs, ``None`` for those that ``nvidia-smi`` tells of.
        memory_gb: Its main memory, ``None`` if nobody counts it.
        is_shared: Whether several attempts may use it at once; its GPUs go to one each all the same.
        ssh: How it is reached, if by SSH.
        container: What it is made of, if it is a container.
    """

    name: str
    kind: Kind = "local"
    roles: tuple[str, ...] = ()
    gpus: tuple[Gpu, ...] | None = ()
    memory_gb: float | None = None
    is_shared: bool = False
    ssh: SshAccess | None = None
    container: ContainerImage | None = None

    @property
    def identity(self) -> str:
        """What no two computers have in common, whatever files call them."""
        if self.ssh is not None:
            return f"ssh {self.ssh.host} {self.ssh.port} via {self.ssh.jump}"
        return f"{self.kind} {self.name} on {socket.gethostname()}"

    def gpu_identity(self, gpu: Gpu) -> str:
        """What no two GPUs have in common."""
        place = self.identity if self.ssh is not None else socket.gethostname()
        return gpu.uuid or f"gpu {gpu.index} of {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All computers that attempts may use.

    Attributes:
        machines: The computers, in the order in which they are taken.
        file: Where they are listed, ``None`` where nobody listed any.
    """

    machines: tuple[Machine, ...]
    file: Path | None = None


THIS_MACHINE = Inventory(machines=(Machine(name="local", gpus=None, is_shared=True),))
"""What there is where no file says so: this machine, for as many attempts as are made at once."""


def read_inventory(file: Path) -> Inventory:
    """Read a file that lists computers.

    Raises:
        InventoryError: Something is wrong with it; the error holds all of that.
    """
    values, problems = read_yaml(
        file, str(file), _validator, example="computers: [{name: here, kind: local}]"
    )
    if not problems:
        problems = list(_problems(values["computers"], file))
    if problems:
        raise InventoryError(problems)
    return Inventory(machines=tuple(_machine(entry, file.parent) for entry in values["computers"]), file=file)


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    place = files("pytest_innovatorbench.researchgym.computers").joinpath("inventory.schema.json")
    return cast("dict[str, Any]", json.loads(place.read_text("utf-8")))


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 170 ms that only runs with a file pay

    return Draft202012Validator(schema())


def _problems(entries: Sequence[Mapping[str, Any]], file: Path) -> Iterator[Problem]:
    names: dict[str, int] = {}
    hosts: dict[tuple[str, int, str], str] = {}
    yield from _gpus_listed_twice(entries, file)
    for index, entry in enumerate(entries):
        where = f"computers.{index}"
        if entry["name"] in names:
            yield Problem(
                file=str(file),
                key=f"{where}.name",
                message=f"{entry['name']!r} is the name of computers.{names[entry['name']]} already",
                remedy="give each computer a name of its own",
            )
        names.setdefault(entry["name"], index)
        yield from _foreign(entry, where, file)
        yield from _of_its_kind(entry, where, file)
        if entry["kind"] == "ssh":
            host = (entry["host"], entry.get("port", _SSH_PORT), entry.get("jump", ""))
            if host in hosts:
                yield Problem(
                    file=str(file),
                    key=f"{where}.host",
                    message=f"{entry['host']} is listed already, as {hosts[host]!r}",
                    remedy="list a computer once, with share: true if several attempts may use it",
                )
            hosts.setdefault(host, entry["name"])


def _gpus_listed_twice(entries: Sequence[Mapping[str, Any]], file: Path) -> Iterator[Problem]:
    """Find GPUs of this machine that two of its computers list."""
    owners: dict[int | str, str] = {}
    for index, entry in enumerate(entries):
        stated = entry.get("gpus", ()) if entry["kind"] != "ssh" else ()
        listed = ["auto"] if stated == "auto" else list(stated)
        taken = [gpu for gpu in listed if gpu in owners]
        if owners and listed and (taken or "auto" in {*owners, *listed}):
            what = f"GPU {taken[0]}" if taken and taken[0] != "auto" else "a GPU of this machine"
            yield Problem(
                file=str(file),
                key=f"computers.{index}.gpus",
                message=f"{what} may be listed at {next(iter(owners.values()))!r} already",
                remedy="list each GPU of this machine at one computer, by its number",
            )
        owners.update((gpu, entry["name"]) for gpu in listed if gpu not in owners)


def _foreign(entry: Mapping[str, Any], where: str, file: Path) -> Iterator[Problem]:
    """Find keys that belong to computers of another kind."""
    for kind, keys in _KEYS.items():
        for key in keys:
            if key in entry and entry["kind"] != kind:
                message = f"a computer of kind {entry['kind']} has no {key}"
                remedy = f"set kind: {kind}, or leave {key} out"
                yield Problem(file=str(file), key=f"{where}.{key}", message=message, remedy=remedy)


def _of_its_kind(entry: Mapping[str, Any], where: str, file: Path) -> Iterator[Problem]:
    for option in entry.get("options", ()):
        if option.split("=")[0] in _NETWORK:
            yield Problem(
                file=str(file),
                key=f"{where}.options",
                message=f"{option} would set the network",
                remedy="leave it out: a task's `network` says whether there is one",
            )
    for key in ("key", "known_hosts"):
        if key in entry and entry["kind"] == "ssh" and not _path(file.parent, entry[key]).is_file():
            message = f"there is no file {_path(file.parent, entry[key])}"
            remedy = "name one; relative paths start at the folder of this file"
            yield Problem(file=str(file), key=f"{where}.{key}", message=message, remedy=remedy)


def _machine(entry: Mapping[str, Any], folder: Path) -> Machine:
    return Machine(
        name=entry["name"],
        kind=entry["kind"],
        roles=tuple(entry.get("roles", ())),
        gpus=_gpus(entry),
        memory_gb=entry.get("memory_gb"),
        is_shared=entry.get("share", False),
        ssh=_ssh(entry, folder) if entry["kind"] == "ssh" else None,
        container=_container(entry) if entry["kind"] == "container" else None,
    )


def _gpus(entry: Mapping[str, Any]) -> tuple[Gpu, ...] | None:
    stated = entry.get("gpus", ())
    memory = float(entry.get("gpu_memory_gb", 0))
    return None if stated == "auto" else tuple(Gpu(index=index, memory_gb=memory) for index in stated)


def _ssh(entry: Mapping[str, Any], folder: Path) -> SshAccess:
    stated: dict[str, Any] = {key: entry[key] for key in _KEYS["ssh"] if key in entry and key != "workspace"}
    stated |= {key: _path(folder, stated[key]) for key in ("key", "known_hosts") if key in stated}
    ((way, workspace),) = entry["workspace"].items()
    return SshAccess(**stated, workspace=workspace, is_shared=way == "shared")


def _container(entry: Mapping[str, Any]) -> ContainerImage:
    return ContainerImage(
        engine=entry["engine"], image=entry["image"], options=tuple(entry.get("options", ()))
    )


def _path(folder: Path, stated: str) -> Path:
    return Path(folder, Path(stated).expanduser())
