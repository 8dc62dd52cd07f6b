"""Attacks on whole runs of pytest: hostile tasks, outputs, agents and machines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Bench, bench

__all__ = ["Bench", "bench"]

ROOT = Path(__file__).parents[2]

# Scores the number of regular files and tells their names.
COUNTS_FILES = """
import os
from pathlib import Path

from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        outputs = Path(self.config.workspace, "data/outputs")
        found = [(folder, name) for folder, _, names in os.walk(outputs) for name in names]
        odd = [name for folder, name in found if not Path(folder, name).is_file() or Path(folder, name).is_symlink()]
        assert not odd, odd
        return {"score": min(len(found), 100), "error": None, "message": ascii(sorted(name for _, name in found)[:9])}
"""


def by_task(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The attempts of a report by task."""
    return {attempt["task"]: attempt for attempt in report["attempts"]}


def events(attempt: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The events of one kind in an attempt's record."""
    lines = Path(attempt["run_dir"], "events.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def printed(attempt: dict[str, Any]) -> str:
    """What the agent's program printed."""
    return "".join(event["message"] for event in events(attempt, "observation"))


def submitted(attempt: dict[str, Any], number: int) -> dict[str, bytes]:
    """The files of a kept submission."""
    with tarfile.open(Path(attempt["run_dir"], "submissions", f"{number:03}.tar")) as archive:
        files = [member for member in archive if member.isfile()]
        return {member.name: archive.extractfile(member).read() for member in files}  # type: ignore[union-attr]  # files have content


def running(marker: str) -> list[str]:
    """The command lines, anywhere on the machine, that hold a text."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if os.fsencode(marker) in words:
                found.append(os.fsdecode(words).replace("\0", " "))
    return found


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something holds; whoever asks checks whether it does."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def copy_project(target: Path) -> None:
    """Copy what belongs to the project, so that builds leave nothing in the working tree."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    tracked = done.stdout.decode()
    if not tracked:
        pytest.skip("not a git checkout, so what belongs to the project is not known")
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def git(folder: Path, *arguments: str) -> str:
    """Run git as an author of its own, and return what it prints."""
    who = ["-c", "user.name=Author", "-c", "user.email=author@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder, which becomes a repository if it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
