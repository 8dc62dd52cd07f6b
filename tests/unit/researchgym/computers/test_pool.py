from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import NoSuchComputerError
from pytest_innovatorbench.researchgym.computers import capacity
from pytest_innovatorbench.researchgym.computers.gpus import Gpu
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE, Inventory, Machine
from pytest_innovatorbench.researchgym.computers.locks import LeasesUnwritableError
from pytest_innovatorbench.researchgym.computers.pool import Lease, LeaseCancelledError, Pool
from pytest_innovatorbench.tasks.model import Role

CPU, GPU = Role(), Role(gpus=1)
PATIENCE = 20.0

# Another process: takes what the inventory of the test has, says so, and keeps it until told.
OTHER = """
import sys
from pathlib import Path
from tests.unit.researchgym.computers.test_pool import CPU, GPU, GPUS, PAIR, Pool
from pytest_innovatorbench.tasks.model import Role
folder, needs = Path(sys.argv[1]), {"gpu": [GPU], "pair": [CPU, CPU]}[sys.argv[2]]
inventory = PAIR if sys.argv[2] == "pair" else GPUS
with Pool(inventory, folder).lease(needs, attempt="other", say=lambda text: print(text, flush=True)):
    print("has it", flush=True)
    sys.stdin.readline()
"""


def machine(name: str, gpus: int = 0, *, share: bool = False) -> Machine:
    return Machine(name=name, gpus=tuple(Gpu(index=index) for index in range(gpus)), is_shared=share)


PAIR = Inventory(machines=(machine("a"), machine("b")), file=Path("computers.yaml"))
GPUS = Inventory(machines=(machine("box", 1, share=True),), file=Path("computers.yaml"))


@pytest.fixture(autouse=True)
def _no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "local_gpus", tuple)


class Asking:
    """Somebody who asks for computers in a thread."""

    def __init__(self, pool: Pool, needs: list[Role], name: str = "asking") -> None:
        self.said: list[str] = []
        self.lease: Lease | None = None
        self.error: BaseException | None = None
        self.cancel: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._ask, args=(pool, needs, name), daemon=True)
        self._thread.start()

    def _ask(self, pool: Pool, needs: list[Role], name: str) -> None:
        try:
            self.lease = pool.lease(needs, attempt=name, say=self.said.append, listen=self._listen)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def _listen(self, cancel: Callable[[], None]) -> Callable[[], None]:
        self.cancel = cancel
        return lambda: None

    def wait_until_it_waits(self) -> None:
        until(lambda: bool(self.said))

    def end(self) -> Lease:
        self._thread.join(PATIENCE)
        assert self.lease is not None, self.error
        return self.lease


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def start_other(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(needs: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", OTHER, str(tmp_path), needs]
        root = Path(__file__).parents[4]
        other = subprocess.Popen(argv, cwd=root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(other)
        return other

    yield start
    for other in started:
        other.kill()
        other.communicate()


def line_of(other: subprocess.Popen[str]) -> str:
    assert other.stdout is not None
    return other.stdout.readline().strip()


def test_a_gpu_is_given_to_one_at_a_time_and_the_next_says_for_what_it_waits(tmp_path: Path) -> None:
    pool = Pool(GPUS, tmp_path)
    first = pool.lease([GPU], attempt="first")
    assert first.grants[0].gpus == (Gpu(index=0),)
    second = Asking(pool, [GPU])
    second.wait_until_it_waits()
    assert second.said[0].startswith(
        "waits for 1 GPU for role 'main' (GPU 0 of box is used by first (process "
    )
    time.sleep(0.3)
    assert second.lease is None
    first.release()
    assert second.end().grants[0].gpus == (Gpu(index=0),)


def test_a_release_is_noticed_at_once(tmp_path: Path) -> None:
    pool = Pool(GPUS, tmp_path)
    first = pool.lease([GPU], attempt="first")
    second = Asking(pool, [GPU])
    second.wait_until_it_waits()
    began = time.monotonic()
    first.release()
    second.end().release()
    assert time.monotonic() - began < 0.15


def test_a_shared_computer_serves_many_but_each_gpu_one(tmp_path: Path) -> None:
    two = Inventory(machines=(machine("box", 2, share=True),), file=tmp_path)
    pool = Pool(two, tmp_path)
    leases = [pool.lease([GPU], attempt=f"{n}") for n in range(2)]
    leases += [pool.lease([CPU], attempt=f"{n}") for n in range(5)]
    assert [[gpu.index for gpu in lease.grants[0].gpus] for lease in leases] == [[0], [1], [], [], [], [], []]


def test_a_whole_computer_is_given_to_one(tmp_path: Path) -> None:
    whole = Inventory(machines=(machine("box", 2),), file=tmp_path)
    pool = Pool(whole, tmp_path)
    first = pool.lease([GPU], attempt="first")
    second = Asking(pool, [CPU])
    second.wait_until_it_waits()
    assert "(box is used by first (process " in second.said[0]
    first.release()
    second.end()


def test_a_lease_is_given_back_once(tmp_path: Path) -> None:
    pool = Pool(GPUS, tmp_path)
    with pool.lease([GPU], attempt="first") as lease:
        lease.release()
    with pool.lease([GPU], attempt="second"):
        lease.release()
        third = Asking(pool, [GPU])
        third.wait_until_it_waits()
    third.end()


def test_whoever_comes_first_is_served_first(tmp_path: Path) -> None:
    pool = Pool(GPUS, tmp_path)
    held = pool.lease([GPU], attempt="first")
    waiting = []
    for number in range(6):
        waiting.append(Asking(pool, [GPU], f"w{number}"))
        waiting[-1].wait_until_it_waits()
    for asking in waiting:
        assert not any(other.lease for other in waiting)
        held.release()
        held = asking.end()
        asking.lease = None
    held.release()


def test_two_that_need_two_computers_each_do_not_stop_each_other(tmp_path: Path) -> None:
    pool = Pool(PAIR, tmp_path)
    done: list[int] = []

    def work(number: int) -> None:
        for _ in range(10):
            with pool.lease([CPU, CPU], attempt=f"{number}") as lease:
                assert [grant.machine.name for grant in lease.grants] == ["a", "b"]
                time.sleep(0.001)
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(done) == [0, 1, 2, 3]


def test_a_large_demand_is_not_starved_by_small_ones(tmp_path: Path) -> None:
    pool = Pool(PAIR, tmp_path)
    one = pool.lease([CPU], attempt="one")
    large = Asking(pool, [CPU, CPU], "large")
    large.wait_until_it_waits()
    late = Asking(pool, [CPU], "late")  # b is free, but promised
    late.wait_until_it_waits()
    time.sleep(0.3)
    assert late.lease is None
    one.release()
    large.end().release()
    late.end()


def test_those_who_want_something_else_pass(tmp_path: Path) -> None:
    both = Inventory(machines=(machine("box", 1, share=True), machine("plain", share=True)), file=tmp_path)
    pool = Pool(both, tmp_path)
    held = pool.lease([GPU], attempt="first")
    waiting = Asking(pool, [GPU])
    waiting.wait_until_it_waits()
    with pool.lease([CPU], attempt="other") as lease:
        assert lease.grants[0].machine.name == "plain"
    held.release()
    waiting.end()


def test_a_wait_can_be_ended_and_leaves_its_place(tmp_path: Path) -> None:
    pool = Pool(GPUS, tmp_path)
    held = pool.lease([GPU], attempt="first")
    given_up, behind = Asking(pool, [GPU]), None
    given_up.wait_until_it_waits()
    behind = Asking(pool, [GPU])
    behind.wait_until_it_waits()
    began = time.monotonic()
    given_up.cancel()
    until(lambda: given_up.error is not None)
    assert time.monotonic() - began < 0.15
    assert isinstance(given_up.error, LeaseCancelledError)
    held.release()
    behind.end()
    assert list((tmp_path / "queue").iterdir()) == []


def test_what_can_never_be_had_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NoSuchComputerError, match="no computer has 2 GPUs for role 'main'"):
        Pool(GPUS, tmp_path).lease([Role(gpus=2)], attempt="first")


def test_without_a_file_nothing_is_locked_or_written(tmp_path: Path) -> None:
    pool = Pool(THIS_MACHINE, tmp_path / "leases")
    leases = [pool.lease([CPU], attempt=f"{n}") for n in range(20)]
    assert {lease.grants[0].machine.name for lease in leases} == {"local"}
    assert not (tmp_path / "leases").exists()


def test_locks_lie_in_the_users_cache_and_are_theirs_alone() -> None:
    with Pool(GPUS).lease([GPU], attempt="first"):
        folder = Path.home() / ".cache" / "innovatorbench" / "leases"
        assert folder.stat().st_mode & 0o077 == 0
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir() if file.is_file()} == {0o600}


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = f"leases cannot be kept in {tmp_path}/file/leases: Not a directory: set XDG_CACHE_HOME to a folder that can be written"
    with pytest.raises(LeasesUnwritableError) as caught:
        Pool(GPUS, tmp_path / "file" / "leases").lease([GPU], attempt="first")
    assert str(caught.value) == said


def test_another_process_waits_too(
    tmp_path: Path, start_other: Callable[[str], subprocess.Popen[str]]
) -> None:
    held = Pool(GPUS, tmp_path).lease([GPU], attempt="mine")
    other = start_other("gpu")
    assert "GPU 0 of box is used by mine (process " in line_of(other)
    held.release()
    assert line_of(other) == "has it"
    waiting = Asking(Pool(GPUS, tmp_path), [GPU])
    waiting.wait_until_it_waits()
    assert "used by other" in waiting.said[0]
    other.communicate("\n", timeout=PATIENCE)
    waiting.end()


def test_what_a_killed_process_had_is_free(
    tmp_path: Path, start_other: Callable[[str], subprocess.Popen[str]]
) -> None:
    other = start_other("gpu")
    assert line_of(other) == "has it"
    waiting = Asking(Pool(GPUS, tmp_path), [GPU])
    waiting.wait_until_it_waits()
    other.kill()
    waiting.end()


def test_a_killed_process_that_waited_holds_up_nobody(
    tmp_path: Path, start_other: Callable[[str], subprocess.Popen[str]]
) -> None:
    pool = Pool(PAIR, tmp_path)
    held = pool.lease([CPU], attempt="first")
    other = start_other("pair")
    assert line_of(other).startswith("waits for")
    behind = Asking(pool, [CPU])
    behind.wait_until_it_waits()
    assert behind.lease is None
    other.kill()
    assert behind.end().grants[0].machine.name == "b"
    held.release()


def test_those_of_other_processes_who_came_first_are_served_first(
    tmp_path: Path, start_other: Callable[[str], subprocess.Popen[str]]
) -> None:
    pool = Pool(GPUS, tmp_path)
    held = pool.lease([GPU], attempt="first")
    other = start_other("gpu")
    assert line_of(other).startswith("waits for")
    behind = Asking(pool, [GPU])
    behind.wait_until_it_waits()
    held.release()
    assert line_of(other) == "has it"
    assert behind.lease is None
    other.communicate("\n", timeout=PATIENCE)
    behind.end()
