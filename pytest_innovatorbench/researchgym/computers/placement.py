"""Which computers an attempt could be given: what tasks need held against what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import NoSuchComputerError
from pytest_innovatorbench.researchgym.computers.capacity import gpus_of, why_not
from pytest_innovatorbench.researchgym.computers.gpus import Gpu
from pytest_innovatorbench.researchgym.computers.inventory import Inventory, Machine
from pytest_innovatorbench.tasks.model import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Something that is given to one attempt, or to several where it may be shared.

    Attributes:
        identity: The same in every process for the same thing.
        name: What it is called in messages.
        is_shared: Whether several attempts may have it.
    """

    identity: str
    name: str
    is_shared: bool = False

    def excludes(self, other: Unit) -> bool:
        """Tell whether not both can be had, by two attempts."""
        return self.identity == other.identity and not (self.is_shared and other.is_shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A computer that an attempt is given.

    Attributes:
        role: What it is for.
        machine: The computer.
        gpus: Those of its GPUs that the attempt may use.
    """

    role: Role
    machine: Machine
    gpus: tuple[Gpu, ...] = ()

    @property
    def units(self) -> tuple[Unit, ...]:
        """What nobody else can be given meanwhile."""
        machine = self.machine
        whole = Unit(identity=machine.identity, name=machine.name, is_shared=machine.is_shared)
        return (whole, *(_unit(machine, gpu) for gpu in self.gpus))


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Role):
    """What an attempt needs that goes on: the computer that it had, with the same GPUs.

    Attributes:
        computer: Name of the computer.
        numbers: Numbers of its GPUs.
    """

    computer: str
    numbers: tuple[int, ...] = ()


def place(
    needs: Sequence[Role], inventory: Inventory, is_free: Callable[[Unit], bool] = lambda _: True
) -> tuple[Grant, ...] | None:
    """Find a computer for each need, all or nothing.

    Args:
        needs: What each computer must have.
        inventory: What there is.
        is_free: Tells whether something can be had now.

    Returns:
        A grant for each need, in their order, or ``None``.
    """
    offers = [list(_offers(need, inventory, is_free)) for need in needs]
    given: dict[str, tuple[int, Grant]] = {}

    def serve(index: int, asked: set[str]) -> bool:
        """Give a need a computer, moving those that were served before to others (Kuhn's algorithm)."""
        for grant in sorted(offers[index], key=lambda grant: grant.machine.name in given):
            name = grant.machine.name
            if name not in asked:
                asked.add(name)
                if name not in given or serve(given[name][0], asked):
                    given[name] = (index, grant)
                    return True
        return False

    if not all(serve(index, set()) for index in range(len(needs))):
        return None
    grants = dict(given.values())
    return tuple(grants[index] for index in range(len(needs)))


def could_use(needs: Sequence[Role], inventory: Inventory) -> tuple[Unit, ...]:
    """Return everything of which some may be given to an attempt."""
    found = {
        unit.identity: unit
        for need in needs
        for machine in inventory.machines
        for gpus in (_fitting(need, machine),)
        if _suits(need, machine) and len(gpus) >= need.gpus
        for unit in Grant(role=need, machine=machine, gpus=gpus if need.gpus else ()).units
    }
    return tuple(found.values())


def check(needs: Sequence[Role], inventory: Inventory) -> None:
    """Check that needs can be met once all computers are free.

    Raises:
        NoSuchComputerError: They cannot; the message says what is missing.
    """
    if place(needs, inventory) is not None:
        return
    remedy = f"list computers that suit in {inventory.file or 'a file for --ibench-computers'}"
    for need in needs:
        if place([need], inventory) is None:
            there = ", ".join(f"{one.name} ({describe_machine(one)})" for one in inventory.machines)
            missing = f"no computer has {describe_need(need)}; there is {there}"
            raise NoSuchComputerError(missing, remedy=remedy)
    wanted = "; ".join(map(describe_need, needs))
    raise NoSuchComputerError(
        f"{len(needs)} computers are needed at once ({wanted}), and fewer suit", remedy=remedy
    )


def describe_need(need: Role) -> str:
    """Return what a computer must have, in words."""
    parts = [f"{need.gpus} GPU" + "s" * (need.gpus > 1)] if need.gpus else ["a CPU"]
    if need.gpus and need.gpu_memory_gb:
        parts[0] += f" with {need.gpu_memory_gb:g} GB" + " each" * (need.gpus > 1)
    if need.memory_gb:
        parts.append(f"{need.memory_gb:g} GB of memory")
    where = f" on {need.computer}, as before" if isinstance(need, Return) else ""
    return " and ".join(parts) + f" for role {need.name!r}{where}"


def describe_gpus(gpus: Sequence[Gpu]) -> str:
    """Return what GPUs there are, in words."""
    if not gpus:
        return "no GPU"
    told = [f"{gpu.index} ({gpu.memory_gb:g} GB)" if gpu.memory_gb else str(gpu.index) for gpu in gpus]
    return f"GPU{'s' * (len(gpus) > 1)} {', '.join(told)}"


def describe_machine(machine: Machine) -> str:
    """Return of what kind a machine is and what it has, in words."""
    is_unknown = machine.ssh is not None and machine.gpus is None and why_not(machine) is not None
    facts = [machine.kind, "not reached" if is_unknown else describe_gpus(gpus_of(machine))]
    facts += [f"{machine.memory_gb:g} GB of memory"] if machine.memory_gb else []
    facts += [f"for {' and '.join(machine.roles)}"] if machine.roles else []
    return ", ".join(facts)


def _offers(need: Role, inventory: Inventory, is_free: Callable[[Unit], bool]) -> Iterator[Grant]:
    """Yield what could serve a need, with the least left idle first."""
    suiting = [machine for machine in inventory.machines if _suits(need, machine)]
    # Whoever asks for no GPU should not keep those from theirs who do; nor is nvidia-smi asked then.
    spare = (lambda machine: len(gpus_of(machine))) if need.gpus else (lambda machine: machine.gpus != ())
    for machine in sorted(suiting, key=spare) if len(suiting) > 1 else suiting:
        whole = Grant(role=need, machine=machine)
        fitting = _fitting(need, machine) if need.gpus else ()
        free = tuple(gpu for gpu in fitting if is_free(_unit(machine, gpu)))
        if len(free) >= need.gpus and is_free(whole.units[0]):
            yield Grant(role=need, machine=machine, gpus=free[: need.gpus])


def _suits(need: Role, machine: Machine) -> bool:
    has_memory = not need.memory_gb or machine.memory_gb is None or machine.memory_gb >= need.memory_gb
    is_meant = not isinstance(need, Return) or machine.name == need.computer
    return has_memory and is_meant and (not machine.roles or need.name in machine.roles)


def _fitting(need: Role, machine: Machine) -> tuple[Gpu, ...]:
    """Return the GPUs that are large enough, the smallest first."""
    if not need.gpus:
        return ()
    large = [gpu for gpu in gpus_of(machine) if gpu.memory_gb >= need.gpu_memory_gb]
    if isinstance(need, Return):
        large = [gpu for gpu in large if gpu.index in need.numbers]
    return tuple(sorted(large, key=lambda gpu: (gpu.memory_gb, gpu.index)))


def _unit(machine: Machine, gpu: Gpu) -> Unit:
    return Unit(identity=machine.gpu_identity(gpu), name=f"GPU {gpu.index} of {machine.name}")
