"""The walk through a first task in CONTRIBUTING.md, its commands run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, commit, copy_project, git

PAGE = ROOT / "CONTRIBUTING.md"
PROMISED = 10 * 60  # seconds, with the reading


def commands() -> list[str]:
    """Return the commands of the walk, in order."""
    section = PAGE.read_text("utf-8").partition("## A first task\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def script() -> str:
    """Return a script that stops at the first command that does not end as the page says."""
    lines = []
    for number, command in enumerate(commands()):
        expected = re.search(r"# ends with (\d)", command)
        checked = (
            f"status=0; {command.partition('  #')[0]} || status=$?; test $status = {expected[1]}"
            if expected
            else command
        )
        lines += [f"echo '=== {number}'", checked]
    return "\n".join(["set -euo pipefail", *lines, ""])


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], float]:
    """The clone after the walk, what each command printed, and how long it all took."""
    folder = tmp_path_factory.mktemp("clone") / "project"
    copy_project(folder)
    commit(folder, "Begin")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "GIT"))
    }
    who = {
        f"GIT_{role}_{key}": "author@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for key in ("NAME", "EMAIL")
    }
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", script()],
        cwd=folder,
        env={**clean, **who},
        capture_output=True,
        text=True,
        check=False,
        timeout=PROMISED,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return folder, re.split(r"^=== \d+\n", done.stdout, flags=re.MULTILINE)[1:], time.monotonic() - started


def printed(walked: tuple[Path, list[str], float], command: str) -> list[str]:
    """Return what each call of a command printed."""
    return [text for line, text in zip(commands(), walked[1], strict=True) if line.startswith(command)]


@pytest.mark.slow
def test_every_command_ends_as_the_page_says(walked: tuple[Path, list[str], float]) -> None:
    folder, _, seconds = walked
    assert seconds < PROMISED / 2
    assert git(folder, "log", "-1", "--format=%s").strip() == "Add the task jump"
    assert "TEMPLATE" not in git(folder, "show", "HEAD")
    assert git(folder, "status", "--porcelain", "evaluations", "gym", "tests") == ""


@pytest.mark.slow
def test_the_template_is_named_and_then_nothing(walked: tuple[Path, list[str], float]) -> None:
    first, second = printed(walked, "ibench validate jump")
    assert "IB111 error: still the template's: say why the question matters" in first
    assert "error" not in second
    (changed,) = printed(walked, "ibench validate --changed")
    assert changed.startswith("jump\n")
    assert "error" not in changed


@pytest.mark.slow
def test_the_page_tells_what_calibrate_proposes(walked: tuple[Path, list[str], float]) -> None:
    before, after = printed(walked, "ibench calibrate jump")
    (line,) = [command for command in commands() if "proposes ScoreCurve" in command]
    assert line.partition("proposes ")[2] in before
    assert re.search(r"^baseline +44\.0 ", before, re.MULTILINE)
    assert "proposed" not in after
    assert re.search(r"^reference +79\.2 ", after, re.MULTILINE)


@pytest.mark.slow
def test_oracle_and_baseline_score_what_they_should(walked: tuple[Path, list[str], float]) -> None:
    (run,) = printed(walked, "pytest --ibench-agent")
    assert "2 passed" in run
    assert len(re.findall(r"^jump +DA +(?:79\.2|0\.0) ", run, re.MULTILINE)) == 2
