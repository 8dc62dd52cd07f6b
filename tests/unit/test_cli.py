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


def test_doctor_tells_what_computers_there_are_and_whether_they_answer(tmp_path: Path) -> None:
    reached = "{name: far, kind: ssh, host: 127.0.0.1, port: 1, known_hosts: known, workspace: {sync: /w}}"
    jar = "{name: jar, kind: container, engine: podman, image: none-such}"
    local = (
        "{name: desk, kind: local, gpus: [3], gpu_memory_gb: 24, share: true, memory_gb: 64, roles: [train]}"
    )
    (tmp_path / "known").touch()
    (tmp_path / "lab.yaml").write_text(f"computers: [{local}, {reached}, {jar}]")
    shown = ibench("doctor", "--computers", "lab.yaml", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    desk, far, jar = shown.stdout.splitlines()[-3:]
    words = "local, GPU 3 (24 GB), 64 GB of memory, for train, for several attempts at once, answers"
    assert desk == f"{'computer desk':22} {words}"
    assert far.startswith(f"{'computer far':22} ssh, no GPU, unusable: ")
    assert jar.startswith(f"{'computer jar':22} container, no GPU, unusable: ")


def test_list_tells_which_tasks_cannot_run_here_and_why(tree: Tree) -> None:
    tree.add_task("needy", manifest="{domain: LD, resources: {roles: {prepare: {}, train: {gpus: 2}}}}")
    tree.add_task("plain")
    (tree.root / "lab.yaml").write_text(
        "computers: [{name: a, kind: local}, {name: b, kind: local, gpus: [0, 1]}]"
    )
    shown = ibench("list", cwd=tree.root).stdout.splitlines()
    assert shown[0].split() == ["needy", "LD", "48", "h", "2", "GPU", "needy"]
    assert shown[1] == (
        "    cannot run here: no computer has 2 GPUs for role 'train'; there is local (local, no GPU):"
        " list computers that suit in a file for --ibench-computers"
    )
    assert shown[2].startswith("plain")
    assert "cannot run" not in ibench("list", "--computers", "lab.yaml", cwd=tree.root).stdout
    (tree.root / "lab.yaml").write_text("computers: []")
    wrong = ibench("list", "--computers", "lab.yaml", cwd=tree.root)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert wrong.stderr.startswith("ibench: lab.yaml: computers: [] is not allowed")


def test_every_command_has_help() -> None:
    for command in ([], ["list"], ["report"], ["grade"], ["doctor"]):
        shown = ibench(*command, "--help")
        assert shown.returncode == 0
        assert "Usage:" in shown.stdout
