"""Attempts on computers that are no sandbox of this machine: containers, and machines reached by SSH."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.containers import IMAGE, OPTIONS, prepare_podman
from tests.plugin.conftest import Bench
from tests.sshd import SshServer

ROLES = "{domain: LD, resources: {roles: {prepare: {}, train: {gpus: 1, outputs: true}}}}"
AGENT = """
from pytest_innovatorbench import Action, AgentKind

class TwoHands:
    binds = ()

    def run(self, gym):
        def at(computer, command):
            seen = gym.act(Action(name="run_command", arguments={
                "command": command, "computer_ip": computer, "wait_for_completion": True}))
            assert seen.success, seen.message
            return seen.message
        raw = at("prepare", "echo 7; echo 1 > data/outputs/score.txt").strip()
        at("train", f"echo $(( {raw} * 10 )) > data/outputs/score.txt")
        at("train", "echo $IBENCH_COMPUTER:$CUDA_VISIBLE_DEVICES > data/outputs/who")
        gym.note("described", text=gym.computers.describe())

def pytest_ibench_agents(settings):
    return [AgentKind(name="two-hands", make=lambda request: TwoHands())]
"""


def described(bench: Bench) -> str:
    (folder,) = bench.records()
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return str(next(event["text"] for event in events if event["kind"] == "described"))


def test_an_attempt_in_a_container(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = prepare_podman(tmp_path, monkeypatch)
    solution = (
        "cat /sys/class/net/*/ifindex | wc -l; echo 70 > data/outputs/score.txt; id -u > data/outputs/id"
    )
    bench.tree.add_task(solution=solution)
    jar = {"name": "jar", "kind": "container", "engine": engine, "image": IMAGE, "options": list(OPTIONS)}
    bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [jar]}))
    result, report = bench.report("--ibench-computers=lab.yaml")
    result.assert_outcomes(passed=1)
    assert report["attempts"][0]["final"] == 70
    (folder,) = bench.records()
    assert (folder / "workspace/copy/data/outputs/id").read_text() == "0\n"
    assert "jar" in bench.ibench("doctor", "--computers", "lab.yaml").stdout.str()


def test_a_container_and_a_sandbox_have_one_workspace(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = prepare_podman(tmp_path, monkeypatch)
    bench.tree.add_task(manifest="{domain: LD, resources: {roles: {prepare: {}, train: {outputs: true}}}}")
    bench.pytester.makeconftest(AGENT)
    jar = {"name": "jar", "kind": "container", "engine": engine, "image": IMAGE, "options": list(OPTIONS)}
    desk = {"name": "desk", "kind": "local", "roles": ["prepare"]}
    bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [{**jar, "roles": ["train"]}, desk]}))
    result, report = bench.report("--ibench-computers=lab.yaml", agent="two-hands")
    result.assert_outcomes(passed=1)
    assert report["attempts"][0]["final"] == 70
    assert described(bench).endswith("All have the same workspace")


@pytest.mark.parametrize("is_shared", [False, True])
def test_an_attempt_here_and_on_a_machine_reached_by_ssh(
    bench: Bench, tmp_path: Path, *, is_shared: bool
) -> None:
    server = SshServer(tmp_path)
    try:
        bench.tree.add_task(manifest=ROLES)
        bench.pytester.makeconftest(AGENT)
        place = tmp_path / "works"
        access = server.access()
        box = {
            "name": "box",
            "kind": "ssh",
            "gpus": [2],
            "host": access.host,
            "port": access.port,
            "user": access.user,
            "key": str(access.key),
            "known_hosts": str(access.known_hosts),
            "workspace": {"shared" if is_shared else "sync": str(place)},
        }
        bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [box, {"name": "desk", "kind": "local"}]}))
        result, report = bench.report("--ibench-computers=lab.yaml", agent="two-hands")
        doctor = bench.ibench("doctor", "--computers", "lab.yaml")
    finally:
        server.stop()
    result.assert_outcomes(passed=1)
    assert report["attempts"][0]["final"] == 70
    told = described(bench)
    assert told.startswith("desk (role prepare, no GPU); box (role train, GPU 2).")
    if is_shared:
        assert told.endswith("All have the same workspace")
    else:
        assert "Each has a workspace of its own; the outputs on box are evaluated. Paths for " in told
        assert [path.name for path in place.iterdir()] == ["programs"]  # the attempt's is removed
    assert "ssh, GPU 2, answers" in doctor.stdout.str()


def listed(server: SshServer, place: Path, **options: object) -> dict[str, object]:
    """An entry of the inventory."""
    return {
        "name": "box",
        "kind": "ssh",
        "host": server.address,
        "port": server.port,
        "user": server.user,
        "key": str(server.folder / "user_key"),
        "known_hosts": str(server.known_hosts),
        "workspace": {"sync": str(place)},
        **options,
    }


SOLUTION = """
folder=$(dirname "$0")
stat -c %a "$folder" "$folder/../.." "$folder/answers" >data/outputs/modes
cat "$folder/answers/score" >data/outputs/score.txt
echo $IBENCH_COMPUTER >data/outputs/where
"""


def test_an_oracle_works_by_ssh_and_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    server = SshServer(tmp_path)
    place = tmp_path / "works"
    left = place / "ibench-other-0/brought/0"
    left.mkdir(parents=True)
    (left / "answers").write_text("of an attempt that was killed")
    left.chmod(0o500)
    try:
        bench.tree.add_task(solution=SOLUTION)
        bench.tree.write("evaluations/toy/solution/answers/score", "70")
        (bench.tree.root / "evaluations/toy/solution/answers").chmod(0o555)
        bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [listed(server, place)]}))
        result, report = bench.report("--ibench-computers=lab.yaml", agent="oracle,baseline")
    finally:
        server.stop()
    result.assert_outcomes(passed=2)
    assert {one["agent"]: one["final"] for one in report["attempts"]} == {"oracle": 70, "baseline": 0}
    (folder,) = (record for record in bench.records() if "oracle" in record.name)
    outputs = folder / "workspace/mirror/data/outputs"
    assert (outputs / "where").read_text() == "box\n"
    assert (outputs / "modes").read_text().split() == ["700", "700", "555"]
    assert sorted(path.name for path in place.iterdir()) == ["ibench-other-0", "programs"]
    assert list((place / "ibench-other-0").iterdir()) == []


@pytest.mark.parametrize("signalled", ["interrupted", "crashed"])
def test_what_an_oracle_brought_goes_with_it_however_it_ends(
    bench: Bench, tmp_path: Path, signalled: str
) -> None:
    server = SshServer(tmp_path)
    place = tmp_path / "works"
    solution = {
        "interrupted": "touch data/outputs/now; sleep 60",
        "crashed": "touch data/outputs/now; exit 3",
    }
    try:
        bench.tree.add_task(solution=solution[signalled])
        bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [listed(server, place)]}))
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--ibench-agent=oracle", "--ibench-computers=lab.yaml"],
            cwd=bench.pytester.path,
            stdout=subprocess.DEVNULL,
        )
        while process.poll() is None and not list(place.glob("ibench-*/workspace/data/outputs/now")):
            time.sleep(0.05)
        brought = list(place.glob("ibench-*/brought/0/run.sh"))
        if signalled == "interrupted":
            assert len(brought) == 1
            process.send_signal(signal.SIGINT)
        process.wait(60)
    finally:
        server.stop()
    assert list(place.glob("*/brought")) == []
    left = [path.name.partition("-")[0] for path in sorted(place.iterdir())]
    assert left == {"interrupted": ["ibench", "programs"], "crashed": ["programs"]}[signalled]


@pytest.mark.parametrize(
    ("agent", "options", "message"),
    [
        ("command:/bin/true", {}, "agent 'command:/bin/true' needs a socket of this machine, which box cannot have as it is reached by SSH: list a local computer or a container for the task's first role, or use an agent that works by actions"),
        ("oracle", {"share": True}, "agent 'oracle' brings files, which other attempts on box could read: leave out share: true there, or list a local computer or a container for the task's first role"),
    ],
)  # fmt: skip
def test_what_cannot_be_brought_by_ssh_is_said(
    bench: Bench, agent: str, options: dict[str, object], message: str
) -> None:
    bench.tree.add_task()
    box = {"name": "box", "kind": "ssh", "host": "127.0.0.1", "port": 1, "workspace": {"sync": "/w"}}
    bench.tree.write("lab.yaml", yaml.safe_dump({"computers": [{**box, **options}]}))
    _, report = bench.report("--ibench-computers=lab.yaml", agent=agent)
    assert report["attempts"][0]["error"] == message
