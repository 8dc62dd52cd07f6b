"""What attempts are given, in real runs, with an nvidia-smi of the test's own."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.computers.gpus import local_gpus
from pytest_innovatorbench.researchgym.computers.inventory import THIS_MACHINE
from pytest_innovatorbench.researchgym.computers.pool import Pool
from pytest_innovatorbench.tasks.model import Role
from tests.plugin.conftest import Bench

# Notes when it had the GPU, in a file that both attempts can be compared by.
SOLUTION = """
began=$(date +%s.%N)
sleep 0.7
echo "$began $(date +%s.%N) gpu=$CUDA_VISIBLE_DEVICES" > data/outputs/note
echo 75 > data/outputs/score.txt
"""
ONE_GPU = "{domain: LD, resources: {gpus: 1, gpu_memory_gb: 20}}"


@pytest.fixture
def gpus(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with one GPU of 24 GB, as far as anybody can tell."""
    folder = bench.pytester.path / "programs"
    script = "#!/bin/sh\nprintf '0, GPU-aaaa, 24576\\n'\n"
    Path(folder).mkdir()
    (folder / "nvidia-smi").write_text(script)
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def notes(bench: Bench) -> list[tuple[float, float, str]]:
    """When each attempt had the GPU, and which, in order."""
    found = []
    for folder in bench.records():
        began, ended, gpu = (folder / "workspace/upper/data/outputs/note").read_text().split()
        found.append((float(began), float(ended), gpu))
    return sorted(found)


def start(bench: Bench, run_id: str) -> subprocess.Popen[bytes]:
    """Start a run of its own."""
    argv = [sys.executable, "-m", "pytest", "--ibench-agent=oracle", f"--ibench-run-id={run_id}"]
    return subprocess.Popen(argv, cwd=bench.pytester.path, stdout=subprocess.DEVNULL)


def given(folder: Path) -> dict[str, Any]:
    """The event that says what an attempt was given."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return next(event for event in events if event["kind"] == "computers")


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize("how", ["--ibench-concurrency=3", "-n2"])
def test_attempts_queue_for_one_gpu_and_never_overlap(bench: Bench, how: str) -> None:
    bench.tree.add_task(manifest=ONE_GPU, solution=SOLUTION)
    result = bench.run("--ibench-seeds=3", how)
    result.assert_outcomes(passed=3)
    times = notes(bench)
    assert [gpu for _, _, gpu in times] == ["gpu=GPU-aaaa"] * 3
    for before, after in itertools.pairwise(times):
        assert before[1] <= after[0]
    told = [given(folder) for folder in bench.records()]
    assert {gpu["uuid"] for event in told for gpu in event["given"][0]["gpus"]} == {"GPU-aaaa"}
    # Whoever waited did not pay for it.
    assert max(event["waited"] for event in told) > 0.5
    for folder in bench.records():
        assert json.loads((folder / "result.json").read_text())["result"]["seconds"] < 5


@pytest.mark.usefixtures("gpus")
def test_an_attempt_says_for_what_it_waits(bench: Bench) -> None:
    bench.tree.add_task(manifest=ONE_GPU, solution=SOLUTION)
    result = bench.run("--ibench-seeds=2", "--ibench-concurrency=2")
    result.stdout.re_match_lines(
        [
            r"toy-oracle-\d: waits for 1 GPU with 20 GB for role 'main' \(GPU 0 of local is used by toy-oracle-\d \(process \d+\)\)"
        ]
    )


@pytest.mark.usefixtures("gpus")
def test_two_runs_share_one_gpu(bench: Bench) -> None:
    bench.tree.add_task(manifest=ONE_GPU, solution=SOLUTION)
    runs = [start(bench, run_id) for run_id in "ab"]
    assert [run.wait(120) for run in runs] == [0, 0]
    (first, second) = notes(bench)
    assert first[1] <= second[0]


def test_without_gpus_the_task_is_skipped_with_the_reason(bench: Bench) -> None:
    bench.tree.add_task("needy", manifest=ONE_GPU)
    bench.tree.add_task("plain")
    for args in ((), ("-n2",), ("--ibench-concurrency=2",)):
        result = bench.run("-rs", *args)
        result.assert_outcomes(passed=1, skipped=1)
        result.stdout.re_match_lines(
            [
                r"SKIPPED \[1\].*: no computer has 1 GPU with 20 GB for role 'main'; there is local \(local, no GPU\)"
            ]
        )


def test_agents_that_only_hand_in_need_no_gpu(bench: Bench) -> None:
    bench.tree.add_task(manifest=ONE_GPU, solution=None)
    bench.tree.write("evaluations/toy/data/outputs/score.txt", "60")
    bench.run(agent="baseline,nop,oracle").assert_outcomes(passed=3)


def test_programs_see_no_gpu_where_they_were_given_none(bench: Bench) -> None:
    solution = 'echo "${CUDA_VISIBLE_DEVICES-unset}|$IBENCH_COMPUTER" > data/outputs/note; echo 1 > data/outputs/score.txt'
    bench.tree.add_task(solution=solution)
    bench.run().assert_outcomes(passed=1)
    (folder,) = bench.records()
    assert (folder / "workspace/upper/data/outputs/note").read_text() == "|local\n"
    assert given(folder)["given"] == [{"name": "local", "kind": "local", "role": "main", "gpus": []}]


AGENT = """
from pytest_innovatorbench import Action, AgentKind

class TwoHands:
    binds = ()

    def run(self, gym):
        def at(computer, command):
            return gym.act(Action(name="run_command", arguments={
                "command": command, "computer_ip": computer, "wait_for_completion": True}))
        assert at("prepare", "echo 7 > data/raw; echo $IBENCH_COMPUTER:$CUDA_VISIBLE_DEVICES >> who").success
        assert at("gpubox", "echo $(( $(cat data/raw) * 10 )) > data/outputs/score.txt").success
        assert at("train", "echo $IBENCH_COMPUTER:$CUDA_VISIBLE_DEVICES >> who").success
        assert "unknown computer 'lab'" in at("lab", "true").message
        assert gym.computers.describe().startswith("desk (role prepare, no GPU); gpubox (role train, GPU 3)")

def pytest_ibench_agents(settings):
    return [AgentKind(name="two-hands", make=lambda request: TwoHands())]
"""
ROLES = "{domain: LD, resources: {roles: {prepare: {}, train: {gpus: 1, outputs: true}}}}"
TWO = "computers: [{name: gpubox, kind: local, gpus: [3]}, {name: desk, kind: local}]"


def test_an_attempt_works_on_two_computers(bench: Bench) -> None:
    bench.tree.add_task(manifest=ROLES)
    bench.pytester.makeconftest(AGENT)
    bench.tree.write("computers.yaml", TWO)
    result, report = bench.report("--ibench-computers=computers.yaml", agent="two-hands")
    result.assert_outcomes(passed=1)
    assert report["attempts"][0]["final"] == 70
    (folder,) = bench.records()
    assert (folder / "workspace/copy/who").read_text() == "desk:\ngpubox:3\n"
    assert [(one["name"], one["role"]) for one in given(folder)["given"]] == [
        ("desk", "prepare"),
        ("gpubox", "train"),
    ]


def test_attempts_that_need_two_computers_each_take_turns(bench: Bench) -> None:
    bench.tree.add_task(
        manifest="{domain: LD, resources: {computers: 2}}", solution="echo 5 > data/outputs/score.txt"
    )
    bench.tree.write("computers.yaml", "computers: [{name: a, kind: local}, {name: b, kind: local}]")
    bench.run(
        "--ibench-computers=computers.yaml", "--ibench-seeds=4", "--ibench-concurrency=4"
    ).assert_outcomes(passed=4)


def test_a_file_of_computers_that_is_wrong_stops_the_run(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("computers.yaml", "computers: [{name: a, kind: vm}]")
    result = bench.run("--ibench-computers=computers.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ['ERROR: *computers.yaml: computers.0.kind: "vm" is not allowed (give local, ssh or container)']
    )


def test_the_file_of_computers_can_stand_in_the_ini_file(bench: Bench) -> None:
    bench.tree.add_task("pair", manifest="{domain: LD, resources: {computers: 2}}")
    bench.pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\nibench_computers = lab.yaml\n")
    bench.tree.write("lab.yaml", "computers: [{name: a, kind: local}, {name: b, kind: local}]")
    bench.run().assert_outcomes(passed=1)


@pytest.mark.usefixtures("gpus")
def test_whoever_is_stopped_while_waiting_ends_at_once(bench: Bench) -> None:
    bench.tree.add_task(manifest=ONE_GPU)
    local_gpus.cache_clear()
    with Pool(THIS_MACHINE).lease([Role(gpus=1)], attempt="test"):
        run = start(bench, "a")
        until_prepared(bench)
        time.sleep(0.5)
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == pytest.ExitCode.INTERRUPTED
        assert time.monotonic() - began < 5
    local_gpus.cache_clear()
    (folder,) = bench.records()
    result = json.loads((folder / "result.json").read_text())["result"]
    assert (result["status"], result["seconds"]) == ("interrupted", 0.0)
    assert result["error"] == "interrupted while waiting for computers"


def until_prepared(bench: Bench) -> None:
    deadline = time.monotonic() + 60
    while not any((folder / "events.jsonl").is_file() for folder in bench.records()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
