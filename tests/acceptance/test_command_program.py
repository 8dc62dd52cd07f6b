"""Programs that the command agent must not, or cannot, run: one line, before anything runs."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Bench

PROGRAMS = {
    "missing": ("command:./gone.sh", "there is no program *gone.sh: give a path: command:./my_agent.sh"),
    "not_executable": ("command:./plain.sh", "*plain.sh is not executable: chmod +x *plain.sh"),
    "hidden": (
        "command:evaluations/toy/spy.sh",
        "*spy.sh is hidden from agents: keep the agent outside evaluations/",
    ),
    "link_to_hidden": (
        "command:./link.sh",
        "*spy.sh is hidden from agents: keep the agent outside evaluations/",
    ),
    "folder_of_evaluators": ("command:.", "* holds the evaluators: keep the agent in a folder of its own"),
    "folder_above": ("command:..", "* holds *: *"),
    "hidden_folder": ("command:evaluations/toy", "* hidden from agents: keep the agent outside evaluations/"),
    "link_to_hidden_folder": ("command:./peek", "* hidden from agents: keep the agent outside evaluations/"),
    "empty_folder": ("command:./empty", "*empty holds no executable 'run': add one, or name a file"),
    "open_quote": ("command:./a 'b", "agent command:./a 'b: No closing quotation: close the quote"),
    "blank": ("command: ", "*command*"),
    "device": ("command:/dev/null", "there is no program /dev/null*"),
    "nul": ("command:./a\tb\x01", "there is no program *"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_program_is_refused_before_anything_runs(bench: Bench, name: str) -> None:
    argument, message = PROGRAMS[name]
    bench.tree.add_task()
    bench.tree.add_task("other")
    bench.tree.write("plain.sh", "#!/bin/sh\n")
    for path in ("run", "evaluations/toy/run", "evaluations/toy/spy.sh"):
        bench.tree.write(path, "#!/bin/sh\ncat /agent/*/* /agent/*\n", mode=0o755)
    (bench.pytester.path / "empty").mkdir()
    (bench.pytester.path / "link.sh").symlink_to("evaluations/toy/spy.sh")
    (bench.pytester.path / "peek").symlink_to("evaluations/toy")
    result = bench.run(agent=f"oracle,{argument}")
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert result.ret == 4
    assert not (bench.pytester.path / ".ibench").exists(), "something ran"


def test_a_folder_with_the_records_of_other_attempts_is_refused(bench: Bench) -> None:
    bench.tree.add_task()
    bench.tree.write("agent/run", "#!/bin/sh\nfind /agent -name '*.tar'\n", mode=0o755)
    bench.run("--ibench-run-dir=agent/runs")
    result = bench.run("--ibench-run-dir=agent/runs", agent="command:./agent")
    result.stderr.fnmatch_lines(["ERROR: * holds the records of runs: *"])
    assert result.ret == 4
