"""Environments of tasks that several processes want at once, and builds that are cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.acceptance.conftest import Bench, running, wait_until

CHANGES = """
#!/bin/bash
set -x
file=$(python3 -c 'import parcel; print(parcel.__file__)')
echo POINTS=99 >"$file"; echo POINTS=99 >>"$file"; rm -f "$file"; mv "$file" /tmp/
chmod -R u+w "$(dirname "$file")"; echo POINTS=99 >"$(dirname "$file")/sitecustomize.py"
python3 -m pip uninstall -y parcel
python3 -c 'import parcel; print(parcel.POINTS)' >data/outputs/score.txt
"""


@pytest.fixture
def packaged(bench: Bench) -> Bench:
    """A task whose solution needs a package, which is a file beside the benchmark."""
    wheel = bench.pytester.path / "parcel-1.0-py3-none-any.whl"
    files = {
        "parcel.py": "POINTS = 64\n",
        "parcel-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n",
        "parcel-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, "parcel-1.0.dist-info/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, "parcel-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    bench.tree.add_task(solution="python3 -c 'import parcel; print(parcel.POINTS)' >data/outputs/score.txt")
    bench.tree.write("gym/toy/task/requirements.txt", f"{wheel}\n")
    return bench


def test_two_processes_build_an_environment_once_and_no_agent_changes_it(packaged: Bench) -> None:
    runs = [_start(packaged, f"--ibench-run-id=r{number}") for number in (1, 2)]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert all("64.0" in text for text in said)
    assert len(_environments()) == 1
    packaged.tree.write("agent.sh", CHANGES, mode=0o755)
    _, report = packaged.report(agent="command:./agent.sh,oracle")
    assert [attempt["final"] for attempt in report["attempts"]] == [64, 64]


def test_a_build_that_is_killed_leaves_no_process_and_is_begun_anew(packaged: Bench) -> None:
    run = _start(packaged)
    wait_until(_environments)
    time.sleep(0.3)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    wait_until(lambda: not _builders(), seconds=2)
    assert _builders() == [], "the build went on after the harness was killed"
    assert not list(_environments()[0].glob("ibench-ready"))
    assert list(_environments()[0].parent.glob("*.lock")), "nothing was left to be in the way"
    assert packaged.run().ret == 0


def test_a_terminated_run_ends_its_build(packaged: Bench) -> None:
    run = _start(packaged)
    wait_until(_environments)
    run.terminate()
    run.communicate(timeout=30)
    assert run.returncode == 2
    assert _builders() == []


def _start(bench: Bench, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ibench-agent=oracle", *args],
        cwd=bench.pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _environments() -> list[Path]:
    folder = Path.home() / ".cache/innovatorbench/environments"
    return [path for path in folder.glob("*") if path.is_dir()]


def _builders() -> list[str]:
    """Processes that work in the folder of environments."""
    return running(str(Path.home() / ".cache"))
