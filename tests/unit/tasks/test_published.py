from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pytest_innovatorbench.tasks.benchmark import open_benchmark
from pytest_innovatorbench.tasks.importing import import_dataset
from pytest_innovatorbench.tasks.lacking import lacks
from pytest_innovatorbench.tasks.published import facts, manifest
from tests.conftest import Tree

JUDGED = "import openai\n"


def limits(tree: Tree, configuration: str) -> tuple[dict[str, object], list[str]]:
    tree.write("research_gym/configs/tasks/task_5.yaml", configuration)
    values, unread = manifest(facts()["task_5"], "task_5", tree.root)
    return values["limits"], unread


def test_all_twenty_are_imported_and_each_says_what_it_lacks(tree: Tree) -> None:
    for name in facts():
        tree.add_task(name, manifest=None)
    assert [one.outcome for one in import_dataset(tree.root)] == ["written"] * 20
    benchmark = open_benchmark(tree.root)
    tasks = [benchmark.load(name) for name in facts()]
    assert Counter(task.domain for task in tasks) == {"DC": 4, "DF": 3, "DA": 5, "LD": 3, "RD": 2, "SC": 3}
    assert [task.limits.working_hours for task in tasks] == [
        *(48, 48, 48, 48, 6, 48, 8, 48, 48, 48),
        *(48, 48, 48, 48, 24, 48, 24, 24, 12, 12),
    ]
    gpus = [sum(need.gpus for need in task.resources.needs) for task in tasks]
    assert gpus == [8] * 5 + [16] + [8] * 11 + [0, 0, 1]
    assert [task.id for task in tasks if task.web.mode == "open" and task.network == "none"] == [
        *("task_1", "task_2", "task_3", "task_4", "task_8", "task_9")
    ]
    assert all(list(lacks(task)) for task in tasks)
    # Of those whose source is on the web, agents that browse do not see it.
    assert {task.id for task in tasks if not task.web.block} == {"task_9"}


def test_the_configuration_goes_before_what_is_published(tree: Tree) -> None:
    text = "task:\n  max_working_time: 90 minutes\n  max_eval_time: 20m\n  max_eval_num: 2\nmax_steps: 5000\n"
    assert limits(tree, text) == (
        {
            "working_hours": 1.5,
            "evaluation_seconds": 1200,
            "evaluation_memory_gb": 100,
            "evals": 2,
            "steps": 5000,
        },
        [],
    )


@pytest.mark.parametrize(
    ("stated", "hours"),
    [("48", 48), ("48h", 48), ("172800", 48), ("2 days", 48), ("172800 s", 48), ("0.5", 0.5)],
)
def test_times_are_read_as_people_write_them(tree: Tree, stated: str, hours: float) -> None:
    values, unread = limits(tree, f"max_working_time: {stated}")
    assert (values["working_hours"], unread) == (hours, [])


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("max_working_time: soon", "max_working_time: 'soon' is not understood; 6 is taken"),
        ("max_working_time: -4", "max_working_time: -4 is not understood; 6 is taken"),
        ("max_working_time: true", "max_working_time: True is not understood; 6 is taken"),
        ("max_working_time: 4 weeks", "max_working_time: '4 weeks' is not understood; 6 is taken"),
        ("max_working_time: 2000h", "max_working_time: '2000h' is not understood; 6 is taken"),
        ("max_eval_time: 100000", "max_eval_time: 100000 is not understood; 5000 is taken"),
        ("max_steps: 0", "max_steps: 0 is not understood; 4000 is taken"),
        ("max_eval_num: [3]", "max_eval_num: [3] is not understood; 3 is taken"),
    ],
)
def test_what_is_not_understood_is_said(tree: Tree, line: str, shown: str) -> None:
    _, unread = limits(tree, line)
    assert unread == [f"research_gym/configs/tasks/task_5.yaml: {shown}"]


def test_a_configuration_that_is_missing_is_said(tmp_path: Path) -> None:
    _, unread = manifest(facts()["task_5"], "task_5", tmp_path)
    assert unread[0].startswith("research_gym/configs/tasks/task_5.yaml: does not exist (")
    assert unread[0].endswith("; the published limits are taken")


def test_a_judge_is_found_in_the_evaluator_and_its_key_where_the_benchmark_has_it(tree: Tree) -> None:
    tree.write("evaluations/task_5/task/config.py", "api_key = 1\n")
    assert "judge" not in manifest(facts()["task_5"], "task_5", tree.root)[0]
    tree.write("evaluations/task_5/task/judging.py", JUDGED)
    values, _ = manifest(facts()["task_5"], "task_5", tree.root)
    assert values["judge"]["environment"][0] == "IBENCH_JUDGE_API_KEY"
    for name in ("base_eval.py", "data_classes.py"):
        tree.write(f"evaluations/base/{name}", "")
    values, _ = manifest(facts()["task_5"], "task_5", tree.root)
    assert values["judge"] == {"environment": []}
