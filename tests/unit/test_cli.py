from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Tree


def ibench(*args: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_innovatorbench", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_list_shows_tasks_and_what_is_wrong_with_the_broken(tree: Tree) -> None:
    tree.add_task("good", manifest="{domain: DF, title: A good one, limits: {working_hours: 2}}")
    shown = ibench("list", "--root", tree.root)
    assert (shown.returncode, shown.stdout.split()) == (
        0,
        ["good", "DF", "2", "h", "CPU", "A", "good", "one"],
    )
    tree.add_task("bad", manifest="domain: XX")
    shown = ibench("list", "--root", tree.root)
    assert shown.returncode == 2
    assert "bad                          BROKEN" in shown.stdout
    assert 'evaluations/bad/task.yaml: domain: "XX" is not allowed' in shown.stdout
    assert shown.stderr == "ibench: 1 of 2 tasks are broken: see above\n"


def test_list_finds_the_benchmark_it_stands_in_or_the_built_in_tasks(tree: Tree, tmp_path: Path) -> None:
    tree.add_task("mine")
    assert ibench("list", cwd=tree.root).stdout.startswith("mine ")
    assert "loss_noisy_labels" in ibench("list", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["list", "--root", "nowhere"],
            "no evaluations/ folder in nowhere: give the benchmark with --ibench-root",
        ),
        (["report", "nowhere"], "nowhere is no run: give a folder below .ibench/runs"),
        (
            ["report", "nowhere", "--to", "xml:a"],
            "cannot make a report of 'xml:a': use json:PATH, md:PATH or html:PATH",
        ),
        (["grade", "nothing.tar", "--task", "loss_noisy_labels"], "nothing.tar is no kept submission"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    shown = ibench(*arguments, cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"ibench: {message}")
    assert shown.stderr.count("\n") == 1


def test_grading_again_gives_the_same_score(tree: Tree, tmp_path: Path) -> None:
    tree.add_task()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--ibench-agent=oracle",
            "--ibench-run-id=r",
            "-p",
            "no:cacheprovider",
        ],
        cwd=tree.root,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    archive = tree.root / ".ibench/runs/r/attempts/toy-oracle-0/submissions/001.tar"
    shown = ibench("grade", archive, "--task", "toy", cwd=tree.root)
    assert json.loads(shown.stdout)["score"] == 75
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(archive.read_bytes()[:700])
    assert (
        "damaged.tar is no kept submission" in ibench("grade", damaged, "--task", "toy", cwd=tree.root).stderr
    )


def test_doctor_tells_what_the_machine_can_do() -> None:
    shown = ibench("doctor")
    assert shown.returncode == 0, shown.stderr
    assert "bubblewrap, works" in shown.stdout


def test_every_command_has_help() -> None:
    for command in ([], ["list"], ["report"], ["grade"], ["doctor"]):
        shown = ibench(*command, "--help")
        assert shown.returncode == 0
        assert "Usage:" in shown.stdout
