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
