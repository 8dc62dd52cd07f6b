from __future__ import annotations

from pathlib import Path

import pytest

from pytest_innovatorbench.errors import TaskError, UnknownNameError, UserError
from pytest_innovatorbench.tasks.benchmark import builtin_root, find_root, open_benchmark
from pytest_innovatorbench.tasks.model import Hint, Paper, Role, TaskLimits
from tests.conftest import Tree


def load_problems(tree: Tree, task_id: str = "toy") -> list[str]:
    with pytest.raises(TaskError) as caught:
        open_benchmark(tree.root).load(task_id)
    assert caught.value.task_id == task_id
    return [str(problem) for problem in caught.value.problems]


def test_tasks_are_found_and_base_and_the_like_are_not(tree: Tree) -> None:
    tree.add_task("beta")
    tree.add_task("alpha", manifest=None)
    tree.write("evaluations/base/base_eval.py", "")
    tree.write("evaluations/.hidden/task.yaml", "")
    tree.write("evaluations/_draft/task.yaml", "")
    tree.write("evaluations/notes/readme.md", "")
    tree.write("evaluations/__init__.py", "")
    assert open_benchmark(tree.root).task_ids == ("alpha", "beta")


def test_a_folder_without_evaluations_is_no_benchmark(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"no evaluations/ folder in .*: give the benchmark with --ibench-root"
    ):
        open_benchmark(tmp_path)


def test_a_description_that_is_too_large(tree: Tree) -> None:
    tree.add_task()
    file = tree.root / "gym/toy/task/task_description.md"
    file.write_text(file.read_text() + " " * 100_000)
    remedy = "say what an agent has to know, and put data into data/"
    said = f"gym/toy/task/task_description.md: has more than 100,000 bytes ({remedy})"
    assert load_problems(tree) == [said]


def test_a_task_with_everything(tree: Tree) -> None:
    tree.add_task(
        manifest="""
        version: 2
        title: A toy
        domain: DF
        paper: {title: On toys}
        limits: {working_hours: 2, training_hours: 1, evaluation_seconds: 60, evals: 5, steps: 9}
        resources: {memory_gb: 4}
        network: open
        environment: {requirements: task/needs.txt}
        hint: {penalty: 15}
        calibration: {reference: 75}
        judge: {environment: [KEY]}
        """,
        hint="think",
    )
    tree.write("gym/toy/task/needs.txt", "")
    task = open_benchmark(tree.root).load("toy")
    assert (task.version, task.title, task.domain, task.network) == ("2", "A toy", "DF", "open")
    assert task.paper == Paper(title="On toys")
    assert task.limits == TaskLimits(
        working_hours=2, training_hours=1, evaluation_seconds=60, evals=5, steps=9
    )
    assert task.requirements == tree.root / "gym/toy/task/needs.txt"
    assert task.hint == Hint(file=tree.root / "evaluations/toy/hint.md", penalty=15)
    assert (task.reference_points, task.judge, task.assumed) == (75, ("KEY",), ())


def test_the_plain_form_of_resources_is_one_role(tree: Tree) -> None:
    tree.add_task(manifest="resources: {computers: 2, gpus: 1, gpu_memory_gb: 24, memory_gb: 4}")
    role = Role(name="main", computers=2, gpus=1, gpu_memory_gb=24, memory_gb=4)
    assert open_benchmark(tree.root).load("toy").resources.needs == (role, role)


def test_roles_keep_their_order_and_share_what_holds_for_all(tree: Tree) -> None:
    roles = "{prepare: {memory_gb: 2}, train: {computers: 2, gpus: 1, outputs: true}}"
    tree.add_task(manifest=f"resources: {{memory_gb: 4, roles: {roles}}}")
    train = Role(name="train", computers=2, gpus=1, memory_gb=4, outputs=True)
    needs = open_benchmark(tree.root).load("toy").resources.needs
    assert needs == (Role(name="prepare", memory_gb=2), train, train)


def test_a_task_without_a_manifest_takes_the_description_and_the_published_defaults(tree: Tree) -> None:
    tree.add_task(manifest=None, hint="think")
    tree.write(
        "gym/toy/task/task_description.md",
        "# Constraint\n- Training: at most 2 hours\n- Evaluation: 10 minutes\n",
    )
    task = open_benchmark(tree.root).load("toy")
    assert task.limits == TaskLimits(training_hours=2, evaluation_seconds=600)
    assert task.domain == "other"
    assert task.hint is not None
    assert task.hint.penalty == 0
    assert task.assumed == (
        "limits.training_hours: 2, as the description says",
        "limits.evaluation_seconds: 600, as the description says",
        "limits.working_hours: 48, the published default",
        "limits.evals: 3, the published default",
        "limits.steps: 4000, the published default",
        "hint.penalty: 0 points, as none is stated",
    )


def test_everything_wrong_with_a_task_is_said_at_once(tree: Tree) -> None:
    tree.write("evaluations/toy/task.yaml", "domain: XX")
    tree.write("evaluations/toy/task.yml", "domain: LD")
    assert load_problems(tree) == [
        'evaluations/toy/task.yaml: domain: "XX" is not allowed (give one of DC, DF, DA, LD, RD, SC, other)',
        "evaluations/toy/task.yml: stands beside task.yaml (delete one of the two)",
        "evaluations/toy/task/evaluation.py: is missing (write it, with class TaskBenchmark)",
        "evaluations/toy/task/config.py: is missing (write it, with class TaskConfig)",
        "gym/toy: is missing (create what the agent starts from)",
        "gym/toy/task/task_description.md: is missing (write the description for the agent)",
    ]


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ("id: other", "two tasks may not share an id"),
        ("hint: {penalty: 1}", "hint: there is no hint.md (write it or leave hint out)"),
        (
            "resources: {gpus: 1, roles: {train: {gpus: 1}}}",
            "resources.gpus: stands beside roles, which say it for each role (move gpus into the roles)",
        ),
        (
            "resources: {roles: {a: {outputs: true}, b: {outputs: true}}}",
            "resources.roles.b.outputs: the outputs of 'a' count already (leave outputs: true to one role)",
        ),
        ("environment: {requirements: none.txt}", "there is no 'none.txt' in gym/toy (name a file there)"),
        ("environment: {requirements: ../../secret}", "'../../secret' leaves gym/toy (name a file there)"),
        (
            "metrics: [{name: loss, baseline: 1, reference: 2, direction: minimize}]",
            "metrics.0: the reference is not better than the baseline (swap them or set direction)",
        ),
    ],
)
def test_parts_that_contradict_each_other(tree: Tree, manifest: str, problem: str) -> None:
    tree.add_task(manifest=manifest)
    found = load_problems(tree)
    assert len(found) == 1
    assert problem in found[0]


def test_a_name_python_cannot_import_is_refused(tree: Tree) -> None:
    tree.add_task("my-task")
    assert load_problems(tree, "my-task") == [
        "evaluations/my-task: is not a name Python can import (rename it: letters, digits and _)"
    ]


def test_selection(tree: Tree) -> None:
    for name, domain in (("task_1", "LD"), ("task_10", "DF"), ("other_1", "LD")):
        tree.add_task(name, manifest=f"domain: {domain}")
    benchmark = open_benchmark(tree.root)
    assert benchmark.select(["all"]) == ["other_1", "task_1", "task_10"]
    assert benchmark.select(["task_1"]) == ["task_1"]
    assert benchmark.select(["task_*"]) == ["task_1", "task_10"]
    assert benchmark.select(["domain:ld", "task_10"]) == ["other_1", "task_1", "task_10"]
    with pytest.raises(UnknownNameError, match="unknown task 'task_2': known: all, other_1, task_1, task_10"):
        benchmark.select(["task_1", "task_2"])
    with pytest.raises(UnknownNameError, match="unknown domain 'QQ'"):
        benchmark.select(["domain:QQ"])
    with pytest.raises(UnknownNameError, match="unknown task 'domain:RD'"):
        benchmark.select(["domain:RD"])


def test_the_built_in_tasks_are_the_fallback(tree: Tree, tmp_path: Path) -> None:
    assert find_root(tmp_path / "nowhere") == builtin_root()
    tree.write("evaluations/x/task.yaml", "")
    tree.write("gym/x/y", "")
    assert find_root(tree.root) == tree.root
    assert {"loss_noisy_labels", "filter_noisy_pool"} <= set(open_benchmark(builtin_root()).task_ids)


def test_the_built_in_tasks_load_with_nothing_assumed() -> None:
    benchmark = open_benchmark(builtin_root())
    for task_id in benchmark.task_ids:
        assert benchmark.load(task_id).assumed == ()


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (
            "environment: {conda: ../conda.tar}",
            "environment.conda: '../conda.tar' leaves the benchmark (name a conda.tar below ",
        ),
        (
            "environment: {conda: /conda.tar}",
            "environment.conda: '/conda.tar' leaves the benchmark (name a conda.tar below ",
        ),
        (
            "environment: {conda: a/conda.tar, requirements: task/task_description.md}",
            "environment.conda: stands beside requirements (leave one of the two out)",
        ),
        (
            "resources: {downloads: [data, ../other]}",
            "resources.downloads.1: '../other' leaves gym/toy (name what belongs there)",
        ),
    ],
)
def test_what_has_to_be_fetched_stays_in_its_folder(tree: Tree, manifest: str, problem: str) -> None:
    tree.add_task(manifest=manifest)
    with pytest.raises(TaskError) as raised:
        open_benchmark(tree.root).load("toy")
    assert problem in str(raised.value)


def test_a_packed_environment_goes_before_requirements_that_nobody_stated(tree: Tree) -> None:
    tree.add_task(manifest="{environment: {conda: conda/a/conda.tar}, resources: {downloads: [data/x]}}")
    tree.write("gym/toy/task/requirements.txt", "")
    task = open_benchmark(tree.root).load("toy")
    assert task.requirements is None
    assert task.conda == tree.root.resolve() / "conda/a/conda.tar"
    assert task.downloads == (tree.root.resolve() / "gym/toy/data/x",)
