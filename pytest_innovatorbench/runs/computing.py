"""From what an attempt was given to the computers its agent works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import NoSuchComputerError, UserError
from pytest_innovatorbench.researchgym.computers.base import Computer
from pytest_innovatorbench.researchgym.computers.belongings import Belongings
from pytest_innovatorbench.researchgym.computers.container import ContainerComputer
from pytest_innovatorbench.researchgym.computers.gpus import device_files, visibility
from pytest_innovatorbench.researchgym.computers.inventory import Kind, Machine
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.computers.placement import Grant, Return, check, describe_gpus
from pytest_innovatorbench.researchgym.computers.pool import Pool
from pytest_innovatorbench.researchgym.computers.remote import RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import SharedWorkspace, SyncedWorkspace
from pytest_innovatorbench.researchgym.computers.ssh import SshTransport
from pytest_innovatorbench.researchgym.computers.stations import Computers, Station
from pytest_innovatorbench.researchgym.computers.workspace import Workspace
from pytest_innovatorbench.runs.workspaces import collecting, folder_of, name_on, shared_place
from pytest_innovatorbench.sandbox.model import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.researchgym.computers.pool import Lease
    from pytest_innovatorbench.researchgym.computers.remote_workspace import RemoteWorkspace
    from pytest_innovatorbench.runs.plan import AttemptSpec
    from pytest_innovatorbench.runs.stop import Stop
    from pytest_innovatorbench.sandbox.model import Bind, Sandbox
    from pytest_innovatorbench.tasks.environment import Environment
    from pytest_innovatorbench.tasks.model import Role

GB = 2**30
_PROCESSES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the computers of an attempt have in common.

    Attributes:
        spec: The attempt.
        record: Its record.
        folder: The private folder of the workspace.
        sandbox: What confines those that are on this machine.
        environment: The task's Python environment.
        binds: What the agent brings along.
        workspace: The workspace of those that are on this machine, or share its file systems.
        place: Folder on a file system that this machine shares with another one.
    """

    spec: AttemptSpec
    record: Path
    folder: Path
    sandbox: Sandbox
    environment: Environment
    binds: Sequence[Bind]
    workspace: Workspace
    place: Path | None = None

    def is_common(self, machine: Machine) -> bool:
        """Tell whether a computer has the workspace of this machine."""
        access = machine.ssh
        return access is None or (access.is_shared and Path(access.workspace) == self.place)


def wait_for_computers(spec: AttemptSpec, stop: Stop, say: Callable[[str], None]) -> Lease:
    """Wait until an attempt can have what it needs.

    Args:
        spec: The attempt.
        stop: Ends the wait.
        say: Told for what it waits, if it has to.

    Raises:
        NoSuchComputerError: There are no such computers, now or ever.
        LeasesUnwritableError: There is no place to note who has which.
        LeaseCancelledError: The wait was ended.
    """
    return Pool(spec.inventory).lease(_needs(spec), attempt=spec.folder.name, say=say, listen=stop.listen)


def _needs(spec: AttemptSpec) -> Sequence[Role]:
    """Return what an attempt needs: where it goes on, what it had, unless that is not listed any more."""
    before = spec.beginning.computers
    if len(before) != len(spec.needs):
        return spec.needs
    same = [
        Return(**asdict(need), computer=former.name, numbers=former.gpus)
        for need, former in zip(spec.needs, before, strict=True)
    ]
    try:
        check(same, spec.inventory)
    except NoSuchComputerError:
        return spec.needs
    return same


def open_computers(
    spec: AttemptSpec,
    grants: Sequence[Grant],
    *,
    folder: Path,
    sandbox: Sandbox,
    environment: Environment,
    binds: Sequence[Bind],
) -> Computers:
    """Make the computers of an attempt; each starts when it is first needed.

    Args:
        spec: The attempt.
        grants: What it was given.
        folder: The private folder of its workspace, which is there, in its record.
        sandbox: What confines computers on this machine.
        environment: The task's Python environment.
        binds: What the agent brings along.
    """
    place = shared_place(grants)
    site = Site(
        spec=spec,
        record=folder.parent,
        folder=folder,
        sandbox=sandbox,
        environment=environment,
        binds=binds,
        workspace=Workspace(
            spec.task.gym,
            folder,
            is_shared=len(grants) > 1 or grants[0].machine.kind != "local",
            copy=place / name_on(spec.task, folder.parent) if place else None,
        ),
        place=place,
    )
    _check_binds(site, grants[0].machine)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    evaluated = collecting(grants)
    stations = (
        _station(site, index, grant, has_outputs=index == evaluated) for index, grant in enumerate(grants)
    )
    return Computers(
        stations=tuple(stations), is_workspace_shared=all(site.is_common(grant.machine) for grant in grants)
    )


def _check_binds(site: Site, first: Machine) -> None:
    if first.ssh is None:
        return
    agent = f"agent {site.spec.agent!r}"
    remedy = "list a local computer or a container for the task's first role"
    if any(bind.is_live for bind in site.binds):
        raise UserError(
            f"{agent} needs a socket of this machine, which {first.name} cannot have as it is reached by SSH",
            remedy=f"{remedy}, or use an agent that works by actions",
        )
    if site.binds and first.is_shared:
        raise UserError(
            f"{agent} brings files, which other attempts on {first.name} could read",
            remedy=f"leave out share: true there, or {remedy}",
        )


def _station(site: Site, index: int, grant: Grant, *, has_outputs: bool) -> Station:
    folder = folder_of(site.folder, index, grant)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # there, where the attempt goes on
    computer = _OPEN[grant.machine.kind](site, grant, folder)
    remote = computer if isinstance(computer, RemoteComputer) else None
    return Station(
        name=grant.machine.name,
        role=grant.role.name,
        computer=computer,
        gpus=describe_gpus(grant.gpus),
        has_outputs=has_outputs,
        tree=remote.tree if remote and not site.is_common(grant.machine) else site.workspace.tree,
        discard=remote.discard if remote and grant.machine.ssh else None,
        take_up=remote.take_up if remote else None,
    )


def _variables(site: Site, grant: Grant) -> dict[str, str]:
    spec = site.spec
    return {
        "IBENCH_SEED": str(spec.seed),
        "IBENCH_TASK": spec.task.id,
        "IBENCH_BEGINNING": spec.beginning.kind,
        "IBENCH_COMPUTER": grant.machine.name,
        **visibility(grant.gpus),
    }


def _memory(grant: Grant) -> int | None:
    return int(grant.role.memory_gb * GB) if grant.role.memory_gb else None


def _ssh(site: Site, grant: Grant, folder: Path) -> Computer:
    spec, access = site.spec, grant.machine.ssh
    assert access is not None  # noqa: S101 - it is of this kind
    name = name_on(spec.task, site.record)
    if access.is_shared:
        workspace: RemoteWorkspace = SharedWorkspace(spec.task.gym, Path(access.workspace, name))
        if site.is_common(grant.machine):
            site.workspace.tree()  # one copy, made here
    else:
        workspace = SyncedWorkspace(spec.task.gym, folder, int(spec.task.resources.disk_gb * GB))
    return RemoteComputer(
        SshTransport(access),
        workspace,
        name=name,
        root="~/.ibench" if access.is_shared else access.workspace,
        python=access.python,
        environment=_variables(site, grant),
        belongings=Belongings(site.binds if folder == site.folder else ()),
        is_alone=not grant.machine.is_shared,
    )


def _container(site: Site, grant: Grant, folder: Path) -> Computer:
    image = grant.machine.container
    assert image is not None  # noqa: S101 - it is of this kind
    station = folder / "station"
    station.mkdir(mode=0o700, exist_ok=True)
    # An environment that was built belongs to this machine's Python; a packed one has its own.
    packed = site.environment if site.environment.mount else None
    return ContainerComputer(
        image,
        name=f"{name_on(site.spec.task, site.record)}-{grant.machine.name}".lower(),
        record=site.record,
        folder=station,
        workspace=site.workspace,
        binds=(*(packed.binds if packed else ()), *site.binds),
        programs=str(packed.python.parent) if packed else "",
        environment=_variables(site, grant),
        memory=_memory(grant),
        network=site.spec.task.network == "open",
        gpus=grant.gpus,
    )


def _local(site: Site, grant: Grant, folder: Path) -> LocalComputer:
    spec = site.spec
    resources = spec.task.resources
    quota = int(resources.disk_gb * GB)
    return LocalComputer(
        site.sandbox,
        workspace_lower=spec.task.gym,
        folder=folder,
        binds=(*site.environment.binds, *site.binds),
        hidden=spec.hidden,
        environment=_variables(site, grant),
        places={
            "PATH": f"/ibench/bin:{site.environment.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "IBENCH_SOCKET": "/ibench/socket",
            "IBENCH_TASK_DESCRIPTION": "/workspace/task/task_description.md",
        },
        limits=Limits(memory=_memory(grant), processes=_PROCESSES, file_size=quota),
        network=spec.task.network == "open",
        disk_quota=quota,
        devices=device_files(grant.gpus),
        workspace=site.workspace,
    )


_OPEN: dict[Kind, Callable[[Site, Grant, Path], Computer]] = {
    "local": _local,
    "ssh": _ssh,
    "container": _container,
}
