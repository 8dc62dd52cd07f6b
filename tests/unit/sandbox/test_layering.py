from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.unit.sandbox.conftest import MakeOverlay


def test_folders_of_ones_own_can_be_layered(sandbox: Sandbox, make_overlay: MakeOverlay) -> None:
    overlay = make_overlay()
    (overlay.lower / "a/b").mkdir(parents=True)
    assert sandbox.overlay_problem(overlay.lower, overlay.upper) is None
    assert list(overlay.upper.iterdir()) == []
    assert sorted(path.name for path in overlay.lower.iterdir()) == ["a"]
    assert sorted(path.name for path in overlay.upper.parent.iterdir()) == ["o-lower", "o-upper", "o-work"]


@pytest.mark.parametrize("where", ["", "a", "a/b"])
def test_files_of_another_user_cannot(sandbox: Sandbox, make_overlay: MakeOverlay, where: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    overlay = make_overlay()
    (overlay.lower / "a/b").mkdir(parents=True)
    os.chown(overlay.lower / where, 12345, 12345)
    problem = sandbox.overlay_problem(overlay.lower, overlay.upper)
    assert problem == f"{overlay.lower / where} belongs to another user"


def test_the_system_belongs_to_another_user(sandbox: Sandbox, make_overlay: MakeOverlay) -> None:
    if os.geteuid() == 0:
        pytest.skip("it belongs to root")
    overlay = make_overlay()
    problem = sandbox.overlay_problem(Path("/usr/share"), overlay.upper)
    assert problem == "/usr/share belongs to another user"


def test_a_folder_cannot_be_layered_over_itself(sandbox: Sandbox, make_overlay: MakeOverlay) -> None:
    overlay = make_overlay()
    (overlay.lower / "in").mkdir()
    expected = f"{overlay.lower} and {overlay.lower / 'in'} lie inside each other"
    assert sandbox.overlay_problem(overlay.lower, overlay.lower / "in") == expected


def test_a_file_system_that_cannot_take_the_writes_is_found_out(
    sandbox: Sandbox, make_overlay: MakeOverlay
) -> None:
    overlay = make_overlay()
    lower = Path(f"/proc/{os.getpid()}/task")  # stands for every file system that does not stack
    problem = sandbox.overlay_problem(lower, overlay.upper)
    assert problem is not None
    assert problem.startswith("an overlay cannot be ")
