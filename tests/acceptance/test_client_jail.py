"""What programs of vendors could reach, if a model got at more of them than our actions."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.testing.model_server import ModelServer, Says, scripted
from tests.acceptance.conftest import Bench, events

# In place of a vendor's: it starts the server of our actions as told, and looks around.
SPY = """#!/usr/bin/python3 -I
import json, os, subprocess, sys

words = sys.argv
prompt = sys.stdin.read()
servers = json.load(open(words[words.index("--mcp-config") + 1]))["mcpServers"]
(server,) = servers.values()
process = subprocess.Popen([server["command"], *server["args"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def ask(number, method, given):
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": given}
    process.stdin.write(json.dumps(message).encode() + b"\\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())

hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "spy", "version": "1"}}
ask(1, "initialize", hello)
process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\\n')
call = {"name": "create_file", "arguments": {"filename": "data/outputs/score.txt", "content": "62\\n"}}
made = ask(2, "tools/call", call)

def look(path):
    try:
        return sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read()
    except OSError as error:
        return error.strerror

def write(path):
    try:
        open(path, "w").write("planted")
    except OSError as error:
        return error.strerror
    return "written"

found = {
    "seen": {path: look(path) for path in LOOKED_FOR},
    "written": {path: write(path) for path in WRITTEN_TO},
    "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    "environment": dict(os.environ),
    "user": os.getuid(),
    "made": made["result"]["content"][0]["text"],
    "prompt": prompt[:50],
}
print(json.dumps({"type": "spied", **found}))
"""


WRITTEN = "evaluations/toy/task/evaluation.py"


def put_program(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def spy(bench: Bench, monkeypatch: pytest.MonkeyPatch, *options: str) -> dict[str, Any]:
    """Run an attempt by the spy and return what it found."""
    place = bench.pytester.path
    bench.tree.add_task()
    home = place / "a-home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text("private")
    seen = [place, place / "evaluations", place / ".ibench", home, home / ".ssh/id_ed25519", Path(__file__)]
    seen += [Path("/etc/shadow"), place / "bin"]
    written = [home / "planted"] if options else [place / WRITTEN, place / "bin/claude", home / "planted"]
    text = SPY.replace("LOOKED_FOR", repr([*map(str, seen)])).replace(
        "WRITTEN_TO", repr([*map(str, written)])
    )
    put_program(place / "bin", "claude", text)
    monkeypatch.setenv("PATH", f"{place / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret-0123456789")
    monkeypatch.setenv("OTHER_SECRET", "not for vendors")
    _, report = bench.report(*options, agent="claude-code")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"], attempt["error"]) == ("scored", 62.0, None)
    (found,) = [event["event"] for event in events(attempt, "client") if "event" in event]
    return dict(found)


def test_a_program_in_the_vendors_place_reaches_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = spy(bench, monkeypatch)
    place = str(bench.pytester.path)
    bin_folder = f"{place}/bin"
    seen = found["seen"]
    # The program's own file is there, in folders that hold nothing else.
    assert seen.pop(bin_folder) == ["claude"]
    assert seen.pop(place) == ["bin"]
    assert set(seen.values()) == {"No such file or directory"}
    assert set(found["written"].values()) <= {
        "Read-only file system",
        "No such file or directory",
        "Permission denied",
    }
    assert len(found["processes"]) <= 4
    assert found["user"] == 1000
    assert found["environment"]["ANTHROPIC_API_KEY"]
    assert "OTHER_SECRET" not in found["environment"]
    assert found["environment"]["HOME"] == "/run/home"
    assert "score.txt" in found["made"]


def test_without_a_sandbox_it_runs_as_you(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    found = spy(bench, monkeypatch, "--ibench-sandbox=none")
    place = str(bench.pytester.path)
    assert "toy" in found["seen"][f"{place}/evaluations"]
    assert set(found["written"].values()) == {"written"}
    assert found["environment"]["HOME"] != str(Path.home())


def test_a_program_that_lies_among_records_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    program = put_program(bench.pytester.path / "evaluations/bin", "claude", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    result = bench.run(agent="claude-code")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*claude is installed at {program}, where agents must not see *"])


# Codex offers some models its tools in JavaScript, whatever is switched off: these, with our actions.
SCRIPT = """
const tried = [
    () => tools.apply_patch(PATCH),
    () => tools.exec_command({cmd: "touch TARGET"}),
    () => require("fs").writeFileSync("TARGET", "planted"),
    () => import("node:fs"),
    () => fetch("http://127.0.0.1:9"),
    () => tools.view_image({path: "TARGET"}),
];
for (const attempt of tried) {
    try { text("did " + JSON.stringify(await attempt())); } catch (error) { text("refused: " + error); }
}
const given = {filename: "data/outputs/score.txt", content: "68\\n"};
text(JSON.stringify(await tools.mcp__innovatorbench__create_file(given)));
"""


@pytest.mark.skipif(shutil.which("codex") is None, reason="Codex is not installed")
def test_tools_of_the_vendor_reach_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.tree.add_task()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    target = bench.pytester.path / "evaluations/toy/planted.txt"
    patch = f"*** Begin Patch\n*** Add File: {target}\n+planted\n*** End Patch\n"
    script = SCRIPT.replace("PATCH", json.dumps(patch)).replace("TARGET", str(target))
    says = (Says(calls=(("apply_patch!", patch),)), Says(calls=(("exec!", script),)), Says(text="Bye."))
    with ModelServer(scripted(*says)).running() as server:
        _, report = bench.report(f"--ibench-model-base-url={server.url}/v1", agent="codex:gpt-6.1-sol")
    (attempt,) = report["attempts"]
    assert (attempt["final"], attempt["error"]) == (68.0, None)
    outputs = [item for item in server.requests[2]["input"] if item["type"] == "custom_tool_call_output"]
    assert "patch rejected" in outputs[0]["output"]
    tried = [part["text"] for part in outputs[1]["output"] if part["text"].startswith(("did", "refused"))]
    assert len(tried) == 6
    assert [text for text in tried if text.startswith("did")] == []
    assert not target.exists()
