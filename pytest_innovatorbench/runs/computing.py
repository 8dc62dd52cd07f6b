"""From what an attempt was given to the computers its agent works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.researchgym.computers.gpus import device_files, visibility
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.computers.placement import describe_gpus
from pytest_innovatorbench.researchgym.computers.pool import Pool
from pytest_innovatorbench.researchgym.computers.stations import Computers, Station
from pytest_innovatorbench.researchgym.computers.workspace import Workspace
from pytest_innovatorbench.sandbox.model import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_innovatorbench.researchgym.computers.base import Computer
    from pytest_innovatorbench.researchgym.computers.placement import Grant
    from pytest_innovatorbench.researchgym.computers.pool import Lease
    from pytest_innovatorbench.runs.plan import AttemptSpec
    from pytest_innovatorbench.runs.stop import Stop
    from pytest_innovatorbench.sandbox.model import Bind, Sandbox
    from pytest_innovatorbench.tasks.environment import Environment

GB = 2**30
_PROCESSES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the computers of an attempt have in common.

    Attributes:
        spec: The attempt.
        folder: The private folder of the workspace.
        sandbox: What confines those that are on this machine.
        environment: The task's Python environment.
        binds: What the agent brings along.
        workspace: The workspace of those that are on this machine.
    """

    spec: AttemptSpec
    folder: Path
    sandbox: Sandbox
    environment: Environment
    binds: Sequence[Bind]
    workspace: Workspace


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
    return Pool(spec.inventory).lease(spec.needs, attempt=spec.folder.name, say=say, listen=stop.listen)


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
        folder: The private folder of its workspace, which is there.
        sandbox: What confines computers on this machine.
        environment: The task's Python environment.
        binds: What the agent brings along.
    """
    site = Site(
        spec=spec,
        folder=folder,
        sandbox=sandbox,
        environment=environment,
        binds=binds,
        workspace=Workspace(spec.task.gym, folder, is_shared=len(grants) > 1),
    )
    collecting = next((index for index, grant in enumerate(grants) if grant.role.outputs), 0)
    stations = (
        _station(site, index, grant, has_outputs=index == collecting) for index, grant in enumerate(grants)
    )
    return Computers(stations=tuple(stations))


def _station(site: Site, index: int, grant: Grant, *, has_outputs: bool) -> Station:
    folder = site.folder
    if index:
        folder = folder.with_name("computers") / grant.machine.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # there, where the attempt goes on
    computer = _open(site, grant, folder)
    return Station(
        name=grant.machine.name,
        role=grant.role.name,
        computer=computer,
        gpus=describe_gpus(grant.gpus),
        has_outputs=has_outputs,
        tree=site.workspace.tree if isinstance(computer, LocalComputer) else None,
    )


def _open(site: Site, grant: Grant, folder: Path) -> Computer:
    if grant.machine.kind == "local":
        return _local(site, grant, folder)
    raise UserError(
        f"{grant.machine.name}: computers of kind {grant.machine.kind} cannot be used yet",
        remedy="list it as local, or leave it out",
    )


def _local(site: Site, grant: Grant, folder: Path) -> LocalComputer:
    spec = site.spec
    resources = spec.task.resources
    quota = int(resources.disk_gb * GB)
    memory = grant.role.memory_gb
    own = {
        "IBENCH_SEED": str(spec.seed),
        "IBENCH_TASK": spec.task.id,
        "IBENCH_BEGINNING": spec.beginning.kind,
        "IBENCH_COMPUTER": grant.machine.name,
    }
    return LocalComputer(
        site.sandbox,
        workspace_lower=spec.task.gym,
        folder=folder,
        binds=(*site.environment.binds, *site.binds),
        hidden=spec.hidden,
        environment={**own, **visibility(grant.gpus)},
        places={
            "PATH": f"/ibench/bin:{site.environment.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "IBENCH_SOCKET": "/ibench/socket",
            "IBENCH_TASK_DESCRIPTION": "/workspace/task/task_description.md",
        },
        limits=Limits(memory=int(memory * GB) if memory else None, processes=_PROCESSES, file_size=quota),
        network=spec.task.network == "open",
        disk_quota=quota,
        devices=device_files(grant.gpus),
        workspace=site.workspace,
    )
