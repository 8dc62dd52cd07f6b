from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.sandbox import Bind, Jail, Limits, Sandbox, open_sandbox
from pytest_innovatorbench.sandbox.cgroups import find_bases

if TYPE_CHECKING:
    from tests.unit.sandbox.conftest import MakeOverlay, Run

PATH = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def sandbox() -> Sandbox:
    return open_sandbox("none")


def test_a_jail_is_a_folder_with_links(sandbox: Sandbox, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    jail = Jail(
        environment=PATH,
        binds=(Bind(source=tmp_path, dest="/workspace/data"),),
        folders=("/workspace", "/run/home"),
        cwd="/workspace",
    )
    inside = sandbox.inside(jail, "/workspace/data/a")
    assert inside.endswith("/workspace/data/a")
    assert Path(inside).read_text() == "1"
    assert Path(sandbox.inside(jail, "/run/home")).is_dir()
    assert sandbox.inside(jail, "/usr/bin/env") == "/usr/bin/env"
    assert run(jail, "sh", "-c", "pwd -P; cat data/a") == (0, f"{Path(inside).parents[1]}\n1")


def test_the_environment_is_the_given_one_alone(run: Run) -> None:
    assert run(Jail(environment={**PATH, "A": "1"}), "env") == (0, "PATH=/usr/bin:/bin\nA=1\n")


def test_the_exit_status_passes_through(run: Run) -> None:
    assert run(Jail(environment=PATH), "sh", "-c", "exit 7") == (7, "")
    assert run(Jail(environment=PATH), "sh", "-c", "kill -9 $$") == (137, "")


def test_killing_ends_the_process_group(sandbox: Sandbox) -> None:
    marker = f"1000.{os.getpid()}"
    script = f"sleep {marker} & (trap '' TERM HUP; sleep {marker}) & echo up; wait"
    child = sandbox.spawn(Jail(environment=PATH), ["bash", "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"up\n"
        child.kill()
        assert child.stdout.read() == b""  # nobody is left who could write to it
    child.kill()
    assert child.wait(0) == 137


def test_what_detached_itself_ends_too_where_there_are_control_groups(sandbox: Sandbox) -> None:
    if not find_bases().controllers:
        pytest.skip("no control group can be made here")
    script = "setsid sleep 1000 & echo up; sleep 0.1; exit 4"
    child = sandbox.spawn(Jail(environment=PATH), ["bash", "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"up\n"
        assert child.wait(10) == 4
        assert child.stdout.read() == b""


def test_a_file_cannot_outgrow_its_cap(run: Run, tmp_path: Path) -> None:
    jail = Jail(environment=PATH, limits=Limits(file_size=1000))
    command = f"sleep 0.2; head -c 5000 /dev/zero > '{tmp_path}/a'"
    assert run(jail, "bash", "-c", command)[0] != 0
    assert (tmp_path / "a").stat().st_size == 1000


def test_there_are_no_overlays(sandbox: Sandbox, make_overlay: MakeOverlay) -> None:
    overlay = make_overlay()
    assert sandbox.overlay_problem(overlay.lower, overlay.upper) == "there are no overlays without a sandbox"
    with pytest.raises(MachineFaultError, match=r"^there are no overlays without a sandbox$"):
        sandbox.spawn(Jail(overlay=overlay), ["true"])


def test_what_cannot_be_started_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(MachineFaultError, match=r"^the process could not be started$") as caught:
        sandbox.spawn(Jail(environment=PATH), ["no-such-program"])
    assert "no-such-program" in caught.value.detail
    with pytest.raises(MachineFaultError, match=r"^the jail could not be set up$") as caught:
        sandbox.spawn(Jail(binds=(Bind(source=tmp_path / "gone", dest="/a"),)), ["true"])
    assert caught.value.detail == f"{tmp_path / 'gone'} does not exist"


def test_waiting_has_an_end(sandbox: Sandbox) -> None:
    child = sandbox.spawn(Jail(environment=PATH), ["sleep", "100"])
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        child.wait(0.05)
    assert time.monotonic() - began < 5
    child.kill()
