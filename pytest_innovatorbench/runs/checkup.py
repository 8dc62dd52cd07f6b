"""Checking that a machine can run attempts."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import IbenchError
from pytest_innovatorbench.researchgym.computers.capacity import why_not
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, Inventory, Machine
from pytest_innovatorbench.researchgym.computers.placement import describe_machine
from pytest_innovatorbench.runs.records import versions
from pytest_innovatorbench.sandbox import Jail, Sandbox, open_sandbox
from pytest_innovatorbench.sandbox.cgroups import find_bases
from pytest_innovatorbench.tasks.environment import base_python, cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 10


def checkup(inventory: Inventory = THIS_MACHINE) -> Iterator[str]:
    """Try what attempts need and yield a line on each.

    Args:
        inventory: The computers there are.

    Raises:
        SandboxUnavailableError: Agents cannot be confined here.
    """
    for name, version in versions().items():
        yield f"{name:22} {version}"
    yield f"{'python of sandboxes':22} {base_python()}"
    yield f"{'environments':22} {cache_folder()}"
    sandbox = open_sandbox("bubblewrap")
    yield f"{'sandbox':22} bubblewrap, {_try_out(sandbox)}"
    with tempfile.TemporaryDirectory(prefix="ibench-") as folder:
        lower, upper = Path(folder, "lower"), Path(folder, "upper")
        lower.mkdir()
        upper.mkdir()
        problem = sandbox.overlay_problem(lower, upper)
    yield f"{'workspaces':22} {'overlay' if problem is None else f'copied, as {problem}'}"
    yield f"{'limits':22} {_limits()}"
    for machine in inventory.machines:
        yield f"{f'computer {machine.name}':22} {_state(machine)}"


def _state(machine: Machine) -> str:
    problem = why_not(machine)
    shared = ", for several attempts at once" if machine.is_shared else ""
    return f"{describe_machine(machine)}{shared}, {'answers' if problem is None else f'unusable: {problem}'}"


def _try_out(sandbox: Sandbox) -> str:
    child = sandbox.spawn(Jail(), ["/bin/sh", "-c", "id -u"], stdout=subprocess.PIPE)
    try:
        status = child.wait(_SECONDS)
    except (TimeoutError, IbenchError):
        status = -1
    finally:
        child.kill()
    return "works" if status == 0 else "does not work"


def _limits() -> str:
    bases = find_bases()
    groups = [name for name in ("memory", "pids") if name in bases.controllers]
    return f"cgroups ({', '.join(groups)}) and rlimits" if groups else "rlimits alone"
