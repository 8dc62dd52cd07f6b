"""An agent that knows where everything lies and wants it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import COUNTS_FILES, Bench, events, printed, submitted

SECRET = "the-label-is-4711"  # noqa: S105 - what the agent looks for
PROGRAM = Path(__file__).with_name("programs") / "escapes.py"


def test_an_agent_gets_hold_of_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench.tree.add_task(hint=SECRET, evaluation=COUNTS_FILES, baseline=SECRET)
    bench.tree.write("evaluations/toy/data/references/labels.txt", SECRET)
    bench.tree.write("evaluations/toy/solution/run.sh", f"echo {SECRET} >data/outputs/score.txt")
    bench.run("--ibench-run-id=before", agent="oracle,baseline")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    home = bench.tree.write("home.txt", SECRET).rename(Path.home() / "notes.txt")
    temporary = bench.tree.write("temporary.txt", SECRET).rename(tmp_path / "temporary.txt")
    files = [str(file) for file in _files_with_secret(bench.pytester.path)]
    files += [str(home), str(temporary), f"/proc/{os.getpid()}/environ"]
    assert len(files) > 7, files
    with _services(tmp_path) as (services, heard):
        result, attempt = _attack(bench, files, services)
        reached = heard()
    assert result.ret == 1
    assert "tried 12" in printed(attempt)
    assert [line for line in printed(attempt).splitlines() if line.startswith("GOT")] == []
    assert reached == []
    assert SECRET not in json.dumps(events(attempt, "observation"))
    assert SECRET.encode() not in b"".join(submitted(attempt, 1).values())
    assert attempt["status"] == "violation"
    assert "stolen-0 points out of the workspace" in attempt["error"]
    marked = [name for name in submitted(attempt, 1) if name.startswith("marked-")]
    assert len(marked) == 5, "marks on files made the harness see something else than the agent"
    assert SECRET not in result.stdout.str()


PROBER = """
import json
from pathlib import Path

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.researchgym.model import Action

KNOWN = json.loads(Path("known.json").read_text())

def paths():
    for number, file in enumerate(KNOWN["files"]):
        yield file
        yield f"../../../../..{file}"
        yield f"link-{number}"
        yield f"root{file}"
        yield f"/proc/1/root{file}"
        yield f"/proc/self/cwd/../..{file}"

def calls():
    links = "; ".join(f"ln -s {file} link-{number}" for number, file in enumerate(KNOWN["files"]))
    yield "run_command", {"command": f"ln -s / root; {links}", "wait_for_completion": True}
    for path in paths():
        folder = path.rpartition("/")[0] or "."
        yield "open_file", {"path": path}
        yield "get_file_info", {"file_path": path}
        yield "search_file", {"search_term": KNOWN["secret"][6:14], "file_path": path}
        yield "edit_file", {"path": path, "start": 1, "end": -1, "content": "forged"}
        yield "parse_latex", {"file_path": path, "save_path": "stolen"}
        yield "create_file", {"filename": f"{folder}/forged", "content": "forged"}
        yield "list_files", {"path": folder}
        yield "find_file", {"file_name": "labels", "dir_path": folder}
        yield "web_browse", {"url": f"file://{path}"}
        yield "web_browse", {"url": f"corpus://{path}"}
        yield "web_browse", {"url": f"corpus://../../../../../..{path}"}
    for kind in ("pdf", "docx", "pptx", "image", "video", "audio"):
        yield f"parse_{kind}", {"file_path": KNOWN["files"][0]}
    for folder in ("/workspace", "/tmp", "/run", "/home", "/root", "/etc", "/var", "/opt", "/dev"):
        yield "search_dir", {"search_term": KNOWN["secret"][6:14], "dir_path": folder}
    yield "web_search", {"query": KNOWN["secret"].replace("-", " ")}
    for host in ("127.0.0.1", "localhost", "2130706433", "0177.1", "[::1]", "[::ffff:127.0.0.1]", "0", "u@127.0.0.1"):
        yield "web_browse", {"url": f"http://{host}:{KNOWN['port']}/"}
    yield "view_hint", {}

class Prober:
    binds = ()

    def run(self, gym):
        for name, arguments in calls():
            gym.act(Action(name=name, arguments=arguments))

def pytest_ibench_agents(settings):
    return [AgentKind(name="prober", make=lambda request: Prober())]
"""


def test_no_action_reads_writes_or_reaches_more_than_commands_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.tree.add_task(
        manifest="web: {mode: open, corpus: data/corpus}", evaluation=COUNTS_FILES, baseline=SECRET
    )
    bench.tree.write("gym/toy/data/corpus/a.txt", "labels are what one looks for")
    bench.tree.write("evaluations/toy/data/references/labels.txt", SECRET)
    bench.tree.write("evaluations/toy/solution/run.sh", f"echo {SECRET} >data/outputs/score.txt")
    bench.run("--ibench-run-id=before", agent="oracle")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/")
    home = bench.tree.write("home.txt", SECRET).rename(Path.home() / "notes.txt")
    files = [str(file) for file in _files_with_secret(bench.pytester.path)]
    files += [str(home), f"/proc/{os.getpid()}/environ", "/etc/shadow"]
    before = {file: Path(file).read_bytes() for file in files if not file.startswith(("/proc", "/etc"))}
    listed = sorted(bench.pytester.path.glob("evaluations/**/*"))
    bench.pytester.makeconftest(PROBER)
    with _services(tmp_path) as (services, heard):
        known = {"secret": SECRET, "files": files, "port": services[0][1][1]}
        (bench.pytester.path / "known.json").write_text(json.dumps(known))
        _, report = bench.report("--ibench-run-id=attack", "--ibench-hints=deny", agent="prober")
        reached = heard()
    (attempt,) = report["attempts"]
    seen = events(attempt, "observation")
    assert len(seen) > 11 * 6 * len(files), "it gave up early"
    assert reached == []
    assert SECRET not in json.dumps(seen)
    assert not [event["message"] for event in seen if event.get("num_matches")]
    assert {file: Path(file).read_bytes() for file in before} == before
    assert sorted(bench.pytester.path.glob("evaluations/**/*")) == listed
    assert not Path("/etc/forged").exists()


def test_two_attempts_do_not_see_each_other(bench: Bench) -> None:
    bench.tree.add_task(evaluation=COUNTS_FILES)
    bench.tree.write(
        "agent.sh",
        """
        #!/bin/bash
        echo secret-of-$IBENCH_SEED | tee data/mine /tmp/mine /dev/shm/mine $HOME/mine >/dev/null
        touch /tmp/ready; sleep 1
        cat /workspace/data/* /tmp/* /dev/shm/* $HOME/* 2>/dev/null | sort -u
        ps ax | grep -c 'agent[.]sh'
        ls / /run/ibench/sessions /ibench
        """,
        mode=0o755,
    )
    _, report = bench.report("--ibench-seeds=2", "--ibench-concurrency=2", agent="command:./agent.sh")
    for seed, attempt in enumerate(report["attempts"]):
        lines = printed(attempt).splitlines()
        assert [line for line in lines if "secret" in line] == [f"secret-of-{seed}"]
        assert "1" in lines, lines


@pytest.mark.skipif(not os.access("/usr/src", os.W_OK), reason="needs a /usr/src that can be written")
def test_a_benchmark_below_usr_is_hidden_all_the_same(bench: Bench) -> None:
    """The working folder of many container images is /usr/src/app, and agents see /usr."""
    root = Path("/usr/src") / f"ibench-acceptance-{os.getpid()}"
    bench.tree.add_task(evaluation=COUNTS_FILES)
    bench.tree.write("evaluations/toy/data/references/labels.txt", SECRET)
    bench.tree.write("agent.sh", f"#!/bin/sh\nfind {root}; grep -r {SECRET} {root}\n", mode=0o755)
    try:
        shutil.copytree(bench.pytester.path, root)
        _, report = bench.report(
            f"--ibench-root={root}", f"--ibench-run-dir={root}/runs", agent="command:./agent.sh"
        )
    finally:
        shutil.rmtree(root)
    assert SECRET not in json.dumps(report)
    (record,) = report["attempts"]
    assert "labels.txt" not in str(record["error"])


def _attack(bench: Bench, files: list[str], services: list[Any]) -> tuple[pytest.RunResult, dict[str, Any]]:
    folder = bench.pytester.path / "agent"
    folder.mkdir()
    shutil.copy(PROGRAM, folder / "run")
    (folder / "run").chmod(0o755)
    known = {
        "secret": SECRET,
        "files": files,
        "services": services,
        "python": os.path.realpath(sys.executable),
    }
    (folder / "known.json").write_text(json.dumps(known))
    result, report = bench.report("--ibench-run-id=attack", agent="command:./agent")
    return result, report["attempts"][0]


def _files_with_secret(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and SECRET.encode() in file.read_bytes():
            yield file


@contextmanager
def _services(folder: Path) -> Iterator[tuple[list[Any], Any]]:
    """Listen on the host in every way an agent could try to reach; return who was heard."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0ibench-{os.getpid()}")
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(str(folder / "socket"))
        for listener in (abstract, named):
            listener.listen()

        def heard() -> list[str]:
            found = []
            for name, listener in {"tcp": tcp, "udp": udp, "abstract": abstract, "named": named}.items():
                listener.settimeout(0.05)
                try:
                    listener.recv(9) if name == "udp" else listener.accept()
                except TimeoutError:
                    continue
                found.append(name)
            return found

        services = [
            ("tcp", tcp.getsockname()),
            ("udp", udp.getsockname()),
            ("unix", f"@ibench-{os.getpid()}"),
            ("unix", str(folder / "socket")),
            ("unix", "/run/dbus/system_bus_socket"),
            ("unix", "/var/run/docker.sock"),
            ("tcp", ["169.254.169.254", 80]),
            ("tcp", ["1.1.1.1", 53]),
        ]
        yield services, heard
