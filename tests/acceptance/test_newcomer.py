"""A newcomer's session, in an empty repository, with the installed commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import git
from tests.acceptance.newcomer_texts import METRICS, TEXTS

ANSWERS = ["--title=Learn from labels that are often wrong", "--domain=DA", "--training-hours=1", "--gpus=0"]
ANSWERS += ["--evaluation-seconds=60", "--hint", "--hint-penalty=5"]


@dataclass(frozen=True, slots=True)
class Session:
    """A terminal in a repository.

    Attributes:
        root: The repository.
    """

    root: Path

    def type(self, program: str, *arguments: str, status: int = 0, folder: Path | None = None) -> str:
        """Run an installed command, which has to end with a status, and return what it printed."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
        programs = Path(sys.executable).parent
        done = subprocess.run(
            [
                shutil.which(program, path=f"{programs}{os.pathsep}{os.environ['PATH']}") or program,
                *arguments,
            ],
            cwd=folder or self.root,
            env={**clean, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == status, (
            f"{program} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def findings(self, *, status: int) -> list[dict[str, Any]]:
        """Return what ``ibench validate`` finds."""
        document = json.loads(self.type("ibench", "validate", "flips", "--format=json", status=status))
        (task,) = document["tasks"]
        return [finding for finding in task["findings"] if finding["severity"] == "error"]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    root = tmp_path / "my benchmark"
    root.mkdir()
    git(root, "init", "-q")
    return Session(root)


def replace_what_is_named(session: Session, named: set[str]) -> None:
    """Write one's own text into each file that still holds the template's, and make one's own data."""
    shutil.rmtree(session.root / "gym/flips/task/repositories/smoother")
    for name, text in TEXTS.items():
        file = session.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    manifest = session.root / "evaluations/flips/task.yaml"
    above, marker, _ = manifest.read_text("utf-8").partition("# TEMPLATE: ")
    assert marker
    manifest.write_text(above + METRICS, "utf-8")
    session.type("python", "evaluations/flips/data/make_data.py")
    submit(session, "task/scripts/run.sh", "baselines")
    submit(session, str(session.root / "evaluations/flips/solution/run.sh"), "outputs")
    written = {str(file.relative_to(session.root)) for file in session.root.rglob("*.*") if file.is_file()}
    moved = {"gym/flips/task/repositories/smoother/smooth.py"}
    assert named - moved <= written


def submit(session: Session, script: str, folder: str) -> None:
    """Run a program in a copy of the workspace and keep what it submits."""
    workspace = session.root.parent / folder
    shutil.copytree(session.root / "gym/flips", workspace)
    (workspace / "data/outputs").mkdir(parents=True, exist_ok=True)
    session.type("sh", script, folder=workspace)
    kept = session.root / "evaluations/flips/data" / folder
    shutil.copy(workspace / "data/outputs/predictions.csv", kept)


@pytest.mark.slow
def test_from_nothing_to_a_task_that_passes(session: Session) -> None:
    told = session.type("ibench-new-task", "flips", "--no-input", *ANSWERS)
    assert "ibench validate flips" in told
    session.type("pytest", "--ibench-agent=oracle,baseline")  # it works as it is

    findings = session.findings(status=1)
    assert {finding["code"] for finding in findings} == {"IB111"}
    named = {finding["file"] for finding in findings}
    assert {name for name in named if not name.endswith(".csv")} == {
        *(name for name in TEXTS if "majority" not in name),
        "evaluations/flips/task.yaml",
        "gym/flips/task/repositories/smoother/smooth.py",
    }

    replace_what_is_named(session, named)
    assert session.findings(status=0) == []
    said = session.type("ibench", "validate", "flips", "--attack", "--repeat=2")
    assert re.search(r"^1 task: 3 notes", said, re.MULTILINE), said

    survey = session.type("ibench", "calibrate", "flips")
    assert survey.rstrip().endswith("flips: in band")
    assert re.search(r"^baseline +0\.0 ", survey, re.MULTILINE)
    assert "proposed" not in survey

    session.type("python", "-m", "unittest", "tests.test_flips")
    assert session.findings(status=0) == []
    cache = session.type("ibench", "validate", "flips", "--select=IB107")  # .gitignore does not name it yet
    assert "  evaluations/flips/task/__pycache__: IB107 warning: " in cache
    assert "remove it, and name it in .gitignore" in cache
    (session.root / ".gitignore").write_text("__pycache__/\n.ibench/\n")

    run = session.type("pytest", "--ibench-agent=oracle,baseline")
    assert "2 passed" in run
    scores = re.findall(r"^flips +DA +(\d+\.\d) ", run, re.MULTILINE)
    assert [70 <= float(score) <= 80 or float(score) == 0 for score in scores] == [True, True]
    checked = session.type("pytest", "--ibench-validate", "--ibench-task=flips")
    assert " passed" in checked
    assert "failed" not in checked
    git(session.root, "add", "-A")
    assert "Traceback" not in run + checked
