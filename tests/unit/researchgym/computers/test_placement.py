from __future__ import annotations

import re

import pytest

from pytest_innovatorbench.errors import NoSuchComputerError
from pytest_innovatorbench.researchgym.computers import capacity
from pytest_innovatorbench.researchgym.computers.gpus import Gpu
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, Inventory, Machine
from pytest_innovatorbench.researchgym.computers.placement import (
    Grant,
    Return,
    Unit,
    check,
    could_use,
    place,
)
from pytest_innovatorbench.tasks.model import Role

CPU, GPU = Role(), Role(gpus=1)


@pytest.fixture(autouse=True)
def _no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "local_gpus", tuple)


def machine(name: str, *gpus: float, roles: tuple[str, ...] = (), memory: float | None = None) -> Machine:
    listed = tuple(Gpu(index=index, memory_gb=size) for index, size in enumerate(gpus))
    return Machine(name=name, kind="local", gpus=listed, roles=roles, memory_gb=memory)


def listed(*machines: Machine) -> Inventory:
    return Inventory(machines=machines)


def names(grants: tuple[Grant, ...] | None) -> list[str] | None:
    if grants is None:
        return None
    return [f"{g.machine.name}{''.join(f':{gpu.index}' for gpu in g.gpus)}" for g in grants]


def test_what_needs_no_gpu_leaves_them_to_others() -> None:
    there = listed(machine("big", 80, 80), machine("small", 24), machine("plain"))
    assert names(place([CPU], there)) == ["plain"]
    assert names(place([GPU], there)) == ["small:0"]
    assert names(place([Role(gpus=1, gpu_memory_gb=40)], there)) == ["big:0"]


def test_the_smallest_gpus_that_are_large_enough_are_given() -> None:
    there = listed(machine("a", 80, 24, 40, 24))
    assert names(place([Role(gpus=2)], there)) == ["a:1:3"]
    assert names(place([Role(gpus=2, gpu_memory_gb=30)], there)) == ["a:2:0"]
    assert place([Role(gpus=3, gpu_memory_gb=30)], there) is None


def test_each_need_has_a_computer_of_its_own_also_where_the_first_choice_must_give_way() -> None:
    there = listed(machine("any"), machine("trainer", roles=("train",)))
    prepare, train = Role(name="prepare"), Role(name="train")
    assert names(place([train, prepare], there)) == ["trainer", "any"]
    assert place([prepare, prepare], there) is None
    both = listed(machine("a", memory=64), machine("b", memory=8))
    assert names(place([Role(memory_gb=4), Role(memory_gb=32)], both)) == ["b", "a"]


def test_who_comes_back_is_given_the_same_and_nothing_else() -> None:
    there = listed(machine("a", 24, 24), machine("b", 24, 24))
    same = Return(gpus=1, computer="b", numbers=(1,))
    assert names(place([same], there)) == ["b:1"]
    assert names(place([GPU, same], there)) == ["a:0", "b:1"]
    assert place([same], there, lambda unit: unit.name != "GPU 1 of b") is None
    assert {unit.name for unit in could_use([same], there)} == {"b", "GPU 1 of b"}
    with pytest.raises(
        NoSuchComputerError, match=r"^no computer has 1 GPU for role 'main' on c, as before; "
    ):
        check([Return(gpus=1, computer="c", numbers=(1,))], there)


def test_what_is_not_free_is_not_given() -> None:
    there = listed(machine("a", 24, 24))
    busy = {"GPU 0 of a"}
    assert names(place([GPU], there, lambda unit: unit.name not in busy)) == ["a:1"]
    busy.add("a")
    assert place([GPU], there, lambda unit: unit.name not in busy) is None


def test_units_exclude_each_other_unless_both_share() -> None:
    alone, shared = Unit(identity="x", name="x"), Unit(identity="x", name="x", is_shared=True)
    assert alone.excludes(alone)
    assert alone.excludes(shared)
    assert not shared.excludes(shared)
    assert not alone.excludes(Unit(identity="y", name="y"))


def test_whoever_waits_may_be_given_all_that_suits() -> None:
    there = listed(machine("a", 24, 80), machine("b"))
    assert [unit.name for unit in could_use([Role(gpus=1, gpu_memory_gb=40)], there)] == ["a", "GPU 1 of a"]
    assert [unit.name for unit in could_use([CPU], there)] == ["a", "b"]
    assert could_use([Role(gpus=3)], there) == ()


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ([GPU], "no computer has 1 GPU for role 'main'; there is local (local, no GPU)"),
        (
            [Role(name="train", gpus=2, gpu_memory_gb=24, memory_gb=64)],
            "no computer has 2 GPUs with 24 GB each and 64 GB of memory for role 'train'; there is local (local, no GPU)",
        ),
        (
            [CPU, CPU],
            "2 computers are needed at once (a CPU for role 'main'; a CPU for role 'main'), and fewer suit",
        ),
    ],
)
def test_what_can_never_be_met_is_said_at_once(needs: list[Role], said: str) -> None:
    with pytest.raises(NoSuchComputerError) as caught:
        check(needs, THIS_MACHINE)
    assert str(caught.value) == f"{said}: list computers that suit in a file for --ibench-computers"


def test_what_there_is_instead_is_named() -> None:
    there = listed(machine("a", 24, 24, memory=8), machine("b", roles=("prepare", "train")))
    said = "no computer has 4 GPUs for role 'main'; there is a (local, GPUs 0 (24 GB), 1 (24 GB), 8 GB of memory), b (local, no GPU, for prepare and train)"
    with pytest.raises(NoSuchComputerError, match=re.escape(said)):
        check([Role(gpus=4)], there)


def test_this_machine_alone_serves_a_plain_task() -> None:
    assert names(place([CPU], THIS_MACHINE)) == ["local"]
    check([CPU], THIS_MACHINE)
