"""The examples in docs/agents.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.plugin.conftest import Bench

DOCS = Path(__file__).parents[2] / "docs" / "agents.md"
SCRIPT = 'echo "${2}0" > data/outputs/score.txt'


@pytest.fixture
def example() -> str:
    """The agent in Python."""
    found = re.search(r"```python\n# conftest\.py\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(autouse=True)
def task(bench: Bench) -> None:
    """A task whose score is ten times the seed that its script was given."""
    bench.tree.add_task()
    bench.tree.write("gym/toy/task/scripts/train.sh", SCRIPT)


@pytest.mark.parametrize("agent", ["patient", "patient:task/scripts/train.sh"])
def test_agent_of_a_conftest(bench: Bench, example: str, agent: str) -> None:
    bench.pytester.makeconftest(example)
    result, report = bench.report("--ibench-seeds=6-6", agent=agent)
    assert result.ret == 0
    (attempt,) = report["attempts"]
    assert attempt["status"] == "scored"
    assert [score for _, score in attempt["curve"]] == [60, 70, 70]
    assert (attempt["evals"], attempt["max_evals"]) == (2, 3)


def test_agent_of_an_entry_point(bench: Bench, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = 'PATIENT = AgentKind(name="patient", make=make_patient, argument="[SCRIPT]")\n'
    library = bench.pytester.mkdir("library")
    (library / "my_agents.py").write_text(example + kind)
    metadata = library / "my_agents-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-agents\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[pytest_innovatorbench.agents]\npatient = my_agents:PATIENT\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(library))
    result, report = bench.report("--ibench-seeds=7-7", agent="patient")
    assert result.ret == 0
    assert report["attempts"][0]["final"] == 70
    unknown = bench.run(agent="nobody")
    unknown.stderr.fnmatch_lines(["*known: baseline, *, oracle, patient, *"])


def test_program_with_arguments(bench: Bench) -> None:
    program = bench.tree.write(
        "my_agent.sh",
        """
        #!/bin/sh
        set -e
        test "$(pwd) $IBENCH_TASK $IBENCH_SEED $1 $2" = "/workspace toy 5 --verbose two words"
        test -f "$IBENCH_TASK_DESCRIPTION"
        python3 -c 'print(30)' > data/outputs/score.txt
        ibench-tool eval --json | grep '"overall_score": 30.0'
        ibench-tool status | grep '2 evaluations'
        ibench-tool hint && exit 1
        echo 50 > data/outputs/score.txt
        """,
        mode=0o755,
    )
    result, report = bench.report("--ibench-seeds=5-5", agent=f'command:{program} --verbose "two words"')
    assert result.ret == 0
    (attempt,) = report["attempts"]
    assert (attempt["ending"], attempt["error"]) == ("finished", None)
    assert (attempt["first"], attempt["final"], attempt["evals"]) == (30, 50, 1)


def test_folder_as_a_program(bench: Bench) -> None:
    bench.tree.write("agent/run", "#!/bin/sh\n. /agent/rest.sh\n", mode=0o755)
    bench.tree.write("agent/rest.sh", "echo 20 > data/outputs/score.txt; ibench-tool finish; sleep 60\n")
    _, report = bench.report(agent="command:./agent")
    (attempt,) = report["attempts"]
    assert (attempt["final"], attempt["ending"]) == (20, "finished")
    assert attempt["seconds"] < 30
