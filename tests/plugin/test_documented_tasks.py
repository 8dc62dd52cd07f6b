"""The evaluator in docs/tasks.md works as it stands there, in a repository with nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.plugin.conftest import Bench

DOCS = Path(__file__).parents[2] / "docs" / "tasks.md"


@pytest.fixture(autouse=True)
def task(bench: Bench) -> None:
    blocks = re.findall(r"```python\n# (evaluations/\S+)\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for path, text in blocks:
        bench.tree.write(path, text)
    bench.tree.write("evaluations/my_task/data/references/answers.txt", "a b c d e f g h i j\n")
    bench.tree.write("evaluations/my_task/data/baselines/answers.txt", "a b c d e - - - - -\n")
    bench.tree.write("evaluations/my_task/data/outputs/answers.txt", "a b c d e f g h i -\n")
    bench.tree.write("gym/my_task/task/task_description.md", "# Task\n\nAnswer.\n")


def test_anchors_score_as_they_should(bench: Bench) -> None:
    result, report = bench.report(agent="oracle,baseline,nop")
    assert result.ret == 0
    assert {one["agent"]: one["final"] for one in report["attempts"]} == {
        "oracle": 80,
        "baseline": 0,
        "nop": 0,
    }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "data/outputs/answers.txt is missing"),
        ("echo a b > data/outputs/answers.txt", "2 answers instead of 10"),
        ("mkdir data/outputs/answers.txt", "data/outputs/answers.txt is missing"),
        ("echo a a a a a a a a a a > data/outputs/answers.txt", "Accuracy 0.100."),
    ],
)
def test_agent_is_told_what_to_mend(bench: Bench, script: str, said: str) -> None:
    program = bench.tree.write("agent.sh", f"#!/bin/sh\n{script}\nibench-tool eval\n", mode=0o755)
    bench.run(agent=f"command:{program}")
    (record,) = bench.records()
    assert f"Score 0.00. {said}" in (record / "events.jsonl").read_text("utf-8")
