"""What the computers of an inventory have, found out where the file does not say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.computers.container import image_problem
from pytest_innovatorbench.researchgym.computers.gpus import QUERY, Gpu, local_gpus, parse_gpus
from pytest_innovatorbench.researchgym.computers.ssh import SshTransport

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.computers.inventory import Machine, SshAccess

_SECONDS = 60.0
# The shell finds nvidia-smi where the login does; one that is absent is no GPU.
_ASK = f"command -v {QUERY[0]} >/dev/null || exit 0; exec {' '.join(QUERY)}"


def gpus_of(machine: Machine) -> tuple[Gpu, ...]:
    """Return the GPUs of a machine, with what its driver knows of them; none if it cannot be asked."""
    if machine.ssh is not None:
        return _remote_gpus(machine.ssh)[0] if machine.gpus is None else machine.gpus
    if not machine.gpus and machine.gpus is not None:
        return ()
    found = local_gpus()
    if machine.gpus is None or not found:
        return machine.gpus or found
    listed = {gpu.index: gpu for gpu in machine.gpus}
    return tuple(_merged(gpu, listed[gpu.index]) for gpu in found if gpu.index in listed)


def why_not(machine: Machine) -> str | None:
    """Return why a machine cannot be used, after trying to reach it; ``None`` if it answers."""
    if machine.container is not None:
        return image_problem(machine.container)
    return None if machine.ssh is None else _remote_gpus(machine.ssh)[1]


def _merged(found: Gpu, listed: Gpu) -> Gpu:
    return replace(found, memory_gb=listed.memory_gb or found.memory_gb)


@cache
def _remote_gpus(access: SshAccess) -> tuple[tuple[Gpu, ...], str | None]:
    """Return the GPUs of a machine, and why it could not be asked; asked once per process."""
    transport = SshTransport(access)
    try:
        done = transport.run(["sh", "-c", _ASK], timeout=_SECONDS)
    except MachineFaultError as error:
        return (), error.message
    finally:
        transport.close()
    return (parse_gpus(done.output.decode(errors="replace")) if done.status == 0 else ()), None
