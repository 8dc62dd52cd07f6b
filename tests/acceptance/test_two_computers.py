"""An attempt on two machines reached by SSH, whose harness is killed while one of them trains."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_innovatorbench.researchgym.computers.inventory import read_inventory
from pytest_innovatorbench.researchgym.computers.placement import Return
from pytest_innovatorbench.researchgym.computers.pool import Pool
from pytest_innovatorbench.runs.events import read_events
from tests.acceptance.conftest import Bench, running, wait_until
from tests.sshd import SshServer, below

EPOCHS = int(os.environ.get("IBENCH_TEST_TRAINING", "20"))
"""Seconds for which the second machine trains; nothing is different at 60."""
ROLES = """
domain: LD
resources: {disk_gb: 1, roles: {prepare: {}, train: {gpus: 1, outputs: true}}}
"""
NVIDIA_SMI = "#!/bin/sh\necho '0, GPU-5b1e, 81559'\n"
TRAIN = """
echo "$IBENCH_COMPUTER $CUDA_VISIBLE_DEVICES" >>data/runs
echo 10 >data/outputs/score.txt
for epoch in $(seq "$1"); do
    sleep 1
    echo "epoch $epoch of $2"
done
echo 70 >data/outputs/score.txt
"""
AGENT = """
from pytest_innovatorbench import Action, AgentKind

class Trainer:
    binds = ()

    def __init__(self):
        self.steps = 0
        self.data = ""

    def state(self):
        return {"steps": self.steps, "data": self.data}

    def restore(self, state):
        self.steps, self.data = state["steps"], state["data"]

    def run(self, gym):
        while self.steps < len(STEPS):
            name, arguments = STEPS[self.steps]
            self.steps += 1  # a step that was cut short is not taken again
            if "command" in arguments:
                arguments = {**arguments, "command": arguments["command"].replace("DATA", self.data)}
            seen = gym.act(Action(name=name, arguments=arguments))
            assert seen.success, seen.message
            self.data = self.data or seen.message.strip()

JOB = "box:job"
STEPS = [
    ("run_command", {"command": "echo corpus >>data/prepared; cat data/prepared", "wait_for_completion": True}),
    ("create_session", {"computer_ip": "train", "session_id": "job"}),
    ("run_command", {"command": "bash train.sh EPOCHS DATA-MARKER", "session_id": JOB}),
    ("run_command", {"command": "until [ -e data/outputs/score.txt ]; do sleep 0.1; done",
                     "computer_ip": "train", "wait_for_completion": True}),
    ("eval", {}),
    *REST
]

def pytest_ibench_agents():
    return [AgentKind(name="trainer", make=lambda request: Trainer())]
"""
WAIT = [("sleep", {"sleep_time": 600, "until": "box:job"})]
REST = [
    ("list_sessions", {}),
    *WAIT,
    ("get_session_output", {"session_id": "box:job", "start_lines": 1000}),
    ("run_command", {"command": "cat data/prepared", "wait_for_completion": True}),
    ("eval", {}),
]


@pytest.fixture
def hosts() -> Iterator[dict[str, SshServer]]:
    """A machine without GPU, and one whose ``nvidia-smi`` tells of one."""
    servers: dict[str, SshServer] = {}
    with tempfile.TemporaryDirectory(prefix="ibench-sshd-") as place:
        try:
            for name in ("desk", "box"):
                folder = Path(place, name)
                (folder / "bin").mkdir(parents=True)
                servers[name] = SshServer(folder)
            program = servers["box"].folder / "bin/nvidia-smi"
            program.write_text(NVIDIA_SMI)
            program.chmod(0o755)
            yield servers
        finally:
            for server in servers.values():
                server.stop()


def listed(name: str, server: SshServer, way: str = "sync") -> dict[str, Any]:
    """An entry of the inventory."""
    return {
        "name": name,
        "kind": "ssh",
        "gpus": "auto",
        "host": server.address,
        "port": server.port,
        "user": server.user,
        "key": str(server.folder / "user_key"),
        "known_hosts": str(server.known_hosts),
        "python": "/usr/bin/python3",
        "workspace": {way: str(server.folder / "work")},
    }


class Lab:
    """A benchmark, two machines for it, and runs of pytest."""

    def __init__(self, bench: Bench, hosts: dict[str, SshServer]) -> None:
        self.bench = bench
        self.marker = f"{os.getpid()}-{bench.pytester.path.name}"
        self.record = bench.pytester.path / ".ibench/runs/cut/attempts/toy-trainer-0"
        bench.tree.add_task(manifest=ROLES)
        bench.tree.write("gym/toy/train.sh", TRAIN)
        self.write_agent(WAIT)
        self.list_computers(hosts)

    def write_agent(self, rest: list[Any], epochs: int = EPOCHS) -> None:
        """Write an agent that has the rest of its steps still to think of."""
        text = AGENT.replace("EPOCHS", str(epochs)).replace("MARKER", self.marker)
        self.bench.pytester.makeconftest(text.replace("*REST", f"*{rest!r},"))

    def list_computers(self, hosts: dict[str, SshServer], *others: dict[str, Any]) -> None:
        computers = [listed(name, server) for name, server in hosts.items()]
        self.bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [*computers, *others]}))

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        argv = ["--ibench-agent=trainer", "--ibench-run-id=cut", "--ibench-computers=lab.yaml", *args]
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *argv],
            cwd=self.bench.pytester.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )

    def is_waiting(self) -> bool:
        """Whether the agent waits for the training."""
        return any(event["arguments"].get("until") for event in self.events("action"))

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a harness whose agent waits for the training, with all that it started itself."""
        wait_until(lambda: self.is_waiting() or self.events("ended"), 60)
        assert self.is_waiting(), self.events("observation")[-1:]
        started = below(process.pid)
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))

    def resume(self, *args: str) -> tuple[pytest.RunResult, dict[str, Any]]:
        file = self.bench.pytester.path / "again.json"
        argv = ["--ibench-resume=cut", f"--ibench-report=json:{file}", *args]
        result = self.bench.pytester.runpytest_subprocess(*argv, timeout=EPOCHS + 120)
        return result, json.loads(file.read_text())["attempts"][0]

    def events(self, kind: str) -> list[dict[str, Any]]:
        file = self.record / "events.jsonl"
        return [event for event in read_events(file) if event["kind"] == kind] if file.exists() else []

    def seen(self, number: int) -> str:
        """What the agent saw as the last but so many."""
        return str(self.events("observation")[-number]["message"])


def lose_power(server: SshServer, *, keeps_files: bool) -> None:
    """End a machine with all that runs on it, and start it again."""
    server.stop()
    place = server.folder / "work"
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            if entry.name.isdigit() and os.fsencode(place) in told:
                os.kill(int(entry.name), signal.SIGKILL)
    wait_until(lambda: not running(str(place)))
    if not keeps_files:
        shutil.rmtree(place)
    server.start()


@pytest.fixture
def lab(bench: Bench, hosts: dict[str, SshServer]) -> Lab:
    return Lab(bench, hosts)


def test_the_harness_is_killed_while_the_second_machine_trains(lab: Lab, hosts: dict[str, SshServer]) -> None:
    lab.kill(lab.start())
    worked = max(event["t"] for event in read_events(lab.record / "events.jsonl"))
    training = f"corpus-{lab.marker}"
    assert running(training), "the training ended with the harness"
    lab.write_agent(REST)
    result, attempt = lab.resume()
    assert result.ret == 0, result.stdout.str()
    assert [attempt[key] for key in ("status", "first", "best", "final", "evals")] == [
        "scored",
        10,
        70,
        70,
        2,
    ]
    assert [score for _, score in attempt["curve"]] == [10, 70, 70]
    given = [[(one["name"], len(one["gpus"])) for one in event["given"]] for event in lab.events("computers")]
    assert given == [[("desk", 0), ("box", 1)]] * 2
    claimed = {event["computer"]: sorted(event["sessions"]) for event in lab.events("computer_claimed")}
    assert claimed == {"desk": ["main"], "box": ["job", "main"]}
    assert "box:job: busy for " in lab.seen(5)
    assert lab.seen(4).endswith(": the command in session 'box:job' ended.")
    epochs = [f"epoch {epoch} of {training}" for epoch in range(1, EPOCHS + 1)]
    assert lab.seen(3).splitlines() == epochs
    assert lab.seen(2) == "corpus\n"
    (resumed,) = lab.events("resumed")
    assert worked <= resumed["t"] <= worked + 0.01, "time was charged in which nothing ran"
    assert attempt["seconds"] < worked + EPOCHS + 10
    assert len(lab.events("action")) == 11, "one of them was cut short"
    assert running(training) == []
    for server in hosts.values():
        assert [path.name for path in (server.folder / "work").iterdir()] == ["programs"]


@pytest.mark.parametrize(
    ("keeps_files", "files_are", "score"),
    [(True, "as they were", 20), (False, "as they were fetched last", 10)],
)
def test_a_machine_that_was_lost_meanwhile_is_started_anew_and_the_agent_told(
    lab: Lab, hosts: dict[str, SshServer], *, keeps_files: bool, files_are: str, score: int
) -> None:
    lab.write_agent(WAIT, 600)
    process = lab.start()
    wait_until(lab.is_waiting, 60)
    (file,) = (hosts["box"].folder / "work").glob("ibench-toy-*/workspace/data/outputs/score.txt")
    file.write_text("20")  # after the evaluation, so that nobody has fetched it
    lab.kill(process)
    lose_power(hosts["box"], keeps_files=keeps_files)
    assert running(f"corpus-{lab.marker}") == []
    look = {"command": "head -n 1 train.sh; echo $CUDA_VISIBLE_DEVICES", "computer_ip": "box"}
    lab.write_agent(
        [
            ("list_sessions", {}),
            ("open_file", {"path": "data/prepared"}),
            ("run_command", {**look, "wait_for_completion": True}),
        ]
    )
    result, attempt = lab.resume()
    assert result.ret == 0, result.stdout.str()
    remark = f"box was started anew: all that ran on it has ended; its files are {files_are}"
    assert lab.seen(3).splitlines() == [
        f"[{remark}]",
        "desk:main: idle, the last command ended with 0",
        "box:main: idle",
    ]
    assert lab.seen(2).endswith("corpus")
    assert lab.seen(1).splitlines() == [TRAIN.splitlines()[1], "GPU-5b1e"]
    assert [event["computer"] for event in lab.events("computer_claimed")] == ["desk"]
    assert [event["error"] for event in lab.events("computer_lost")] == [
        remark.replace(" was started anew", "")
    ]
    assert (attempt["status"], attempt["evals"], attempt["final"]) == ("scored", 1, score)


def test_a_machine_that_others_have_meanwhile_is_waited_for(lab: Lab, hosts: dict[str, SshServer]) -> None:
    lab.kill(lab.start())
    lab.write_agent(REST[:1])
    lab.list_computers(hosts, {"name": "spare", "kind": "local", "gpus": [7]})
    inventory = read_inventory(lab.bench.tree.root / "lab.yaml")
    box = Return(gpus=1, computer="box", numbers=(0,))
    queue = Path.home() / ".cache/innovatorbench/leases/queue"
    with ThreadPoolExecutor() as threads, Pool(inventory).lease([box], attempt="another"):
        resuming = threads.submit(lab.resume)
        wait_until(lambda: list(queue.glob("*")), 30)
        time.sleep(1)
    result, attempt = resuming.result()
    assert result.ret == 0, result.stdout.str()
    (*_, event) = lab.events("computers")
    assert [one["name"] for one in event["given"]] == ["desk", "box"]
    assert event["waited"] >= 1
    assert attempt["status"] == "scored"


@pytest.mark.parametrize("way", ["sync", "shared"])
def test_snapshots_hold_what_lies_on_the_second_machine(
    lab: Lab, hosts: dict[str, SshServer], way: str
) -> None:
    look = {"command": "cat data/runs; ls -a data/outputs", "computer_ip": "box", "wait_for_completion": True}
    lab.write_agent([("run_command", look), ("eval", {})], 0)
    computers = [listed("desk", hosts["desk"]), listed("box", hosts["box"], way)]
    lab.bench.tree.write("lab.yaml", yaml.safe_dump({"computers": computers}))
    assert lab.start("--ibench-snapshot-every=eval").wait(60) == 0
    assert lab.events("snapshot_failed") == []
    taken = [event["id"] for event in lab.events("snapshot")]
    assert [event["layer"] for event in lab.events("snapshot")] == ["copy", "copy"]
    left = [list((server.folder / "work").glob("ibench-*")) for server in hosts.values()]
    assert [len(names) for names in left] == [0, int(way == "shared")], "what is shared lies here as well"
    assert lab.bench.ibench("snapshots", "restore", taken[0], "seen").ret == 0
    restored = lab.bench.pytester.path / "seen"
    assert (restored / "data/runs").read_text() == "box GPU-5b1e\n"
    assert (restored / "train.sh").read_text() == TRAIN.lstrip()
    file = lab.bench.pytester.path / "branch.json"
    argv = [
        f"--ibench-from-snapshot={taken[0]}",
        "--ibench-computers=lab.yaml",
        f"--ibench-report=json:{file}",
    ]
    result = lab.bench.pytester.runpytest_subprocess(*argv, "--ibench-run-id=branch", timeout=60)
    assert result.ret == 0, result.stdout.str()
    attempt = json.loads(file.read_text())["attempts"][0]
    assert (attempt["status"], attempt["evals"]) == ("scored", 2)
    lab.record = Path(attempt["run_dir"])
    assert lab.seen(2).split() == ["box", "GPU-5b1e", ".", "..", "score.txt"]
