"""The published layout in miniature: imported, listed, validated and run."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.acceptance.conftest import Bench, by_task
from tests.conftest import Tree
from tests.unit.tasks.packing import add_special, pack_environment

SETTINGS = """
max_working_time: 12h
max_eval_time: 300
max_steps: 100
save_freq: -1
computer_pool:
  - {ip: 127.0.0.1, port: 8123, type: localhost_cpu, available: true}
"""

# Class attributes and dataclass fields, and what upstream's authors carry along.
CONFIG = """
from dataclasses import dataclass, field
from typing import Any, Dict, List

from evaluations.base.data_classes import Config


@dataclass
class TaskConfig(Config):
    task_name: str = "task_19"
    max_eval_time: int = 3000
    threshold = 0.5
    kinds: List[str] = field(default_factory=lambda: ["geometry", "maxflow"])

    @classmethod
    def from_dict(cls, values: Dict[str, Any]) -> "TaskConfig":
        return cls(**{key: value for key, value in values.items() if key in cls.__dataclass_fields__})

    def __str__(self):
        return f"{self.task_output_dir}"
"""

EVALUATION = """
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from evaluations.base.base_eval import BaseBenchmark

import parcel


class TaskBenchmark(BaseBenchmark):
    def __init__(self, config: Optional[Config] = None):
        super().__init__(config)
        self.outputs = Path(config.workspace) / "data" / "outputs"
        self.references = Path(config.eval_workspace) / config.task_name / "data" / "references"

    def run_1(self) -> Dict[str, Any]:
        answer = json.loads((self.outputs / "answer.json").read_text())
        reference = json.loads((self.references / "answer.json").read_text())
        score = 60 if answer == reference else 0
        kinds = ",".join(self.config.kinds)
        return {"score": score, "error": None, "test_set_result": {"score": score, "error": None, "message": kinds}}

    def run_2(self) -> Dict[str, Any]:
        return {"score": parcel.POINTS, "error": None, "message": os.environ["PYTHONPATH"]}
"""

JUDGED = """
import os
from evaluations.base.base_eval import BaseBenchmark


class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        model = self.config.model_name
        return {"score": 50 if self.config.api_key == "secret" else 0, "error": None, "message": model}
"""

BASE = """
import time


class Result:
    def __init__(self, **values):
        self.values = values

    def to_dict(self):
        return dict(self.values)


class BaseBenchmark:
    def __init__(self, config=None):
        self.config = config

    def validate(self):
        started = time.time()
        results = self.run_1()
        return [
            Result(
                task_name=self.config.task_name,
                status=True,
                execution_time=time.time() - started,
                eval_results=results,
                error_message=None,
            )
        ]
"""

BASE_SETTINGS = """
from dataclasses import dataclass


@dataclass
class Config:
    eval_workspace: str = "./evaluations"
    workspace: str = "/workspace"
    api_key: str = ""
    model_name: str = "o3"
"""

OWN = """

@dataclass
class TaskConfig(Config):
    task_name: str = "task_18"
    batch_size: int = 10
"""

JUDGE = "IBENCH_JUDGE_API_KEY, IBENCH_JUDGE_API_ENDPOINT, IBENCH_JUDGE_API_VERSION, IBENCH_JUDGE_MODEL"

SOLUTION = """
set -e
command -v python
python -c 'import json, parcel; json.dump(parcel.POINTS, open("data/outputs/answer.json", "w"))'
if touch conda/bin/mine || rm -rf conda/bin/python; then exit 7; fi
"""


def lay_out(tree: Tree) -> Path:
    """A task on a CPU, one with a judge, and one for GPUs."""
    for name in ("task_1", "task_18", "task_19"):
        tree.write(f"research_gym/configs/tasks/{name}.yaml", SETTINGS)
        tree.write(f"evaluations/{name}/task/config.py", CONFIG.replace("task_19", name))
        tree.write(f"evaluations/{name}/task/evaluation.py", JUDGED if name == "task_18" else EVALUATION)
        tree.write(f"evaluations/{name}/data/references/answer.json", "7")
        tree.write(f"evaluations/{name}/solution/run.sh", SOLUTION)
        tree.write(f"gym/{name}/task/task_description.md", "# Task\nWork inside /workspace/conda.\n")
        (tree.root / "gym" / name / "data" / "checkpoints").mkdir(parents=True)
    for name in ("visualsketchpad", "vllm_retriever"):
        pack_environment(tree.root / "conda" / name / "conda.tar")
    return tree.root


def content(root: Path) -> dict[str, str]:
    """Everything below a folder but what Python leaves beside sources."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_only_manifests_are_written_and_the_report_says_what_is_needed(bench: Bench, tmp_path: Path) -> None:
    root = lay_out(Tree(tmp_path / "dataset"))
    before = content(root)
    done = bench.ibench("import", str(root))
    assert done.ret == 0
    added = {f"evaluations/{name}/task.yaml" for name in ("task_1", "task_18", "task_19")}
    after = content(root)
    assert {*after} - {*before} == added
    assert before.items() <= after.items()
    assert [line.rstrip() for line in done.outlines] == [
        "task_1                       DC      12 h  written",
        "    needs a CPU and 100 GB of memory for role 'cpu'",
        "    needs 8 GPUs with 80 GB each and 1800 GB of memory for role 'gpu'",
        "    needs Llama-3.1-8B-Instruct in gym/task_1/data/checkpoints",
        "    missing: conda/llamafactory/conda.tar was not fetched: put it there",
        "    missing: gym/task_1/data/checkpoints was not fetched: put it there",
        "task_18                      SC      12 h  written",
        "    needs a CPU and 100 GB of memory for role 'main'",
        "    needs a key for GPT-4.1 and GPT-4.1-mini that the agent's code can use",
        f"    missing: the evaluator's judge needs {JUDGE}: set it in the environment",
        "task_19                      SC      12 h  written",
        "    needs a CPU and 100 GB of memory for role 'main'",
        "    needs a key for GPT-4o that the agent's code can use",
        "3 tasks: 3 written",
    ]
    written = yaml.safe_load((root / "evaluations/task_1/task.yaml").read_text())
    assert written["paper"]["url"] == "https://arxiv.org/abs/2508.06960"
    assert written["limits"] == {
        "working_hours": 12,
        "evaluation_seconds": 300,
        "evaluation_memory_gb": 100,
        "evals": 3,
        "steps": 100,
    }
    assert written["resources"]["roles"]["gpu"]["computers"] == 1


def test_imported_tasks_are_listed_and_run_unchanged(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay_out(bench.tree)
    bench.ibench("import", str(root))
    listed = bench.ibench("list")
    assert listed.ret == 0
    listed.stdout.fnmatch_lines(
        [
            "task_1 *DC*12 h*8 GPU*",
            "    cannot run here: conda/llamafactory/conda.tar was not fetched: put it there",
            "    cannot run here: no computer has 8 GPUs with 80 GB each and 1800 GB of memory*",
            "task_18 *SC*",
            "    cannot run here: the evaluator's judge needs IBENCH_JUDGE_API_KEY, *",
            "task_19 *SC*12 h*CPU*A workflow for geometry, graphs and functions",
        ]
    )
    validated = bench.ibench("validate", "task_19", "--select=IB702,IB102,IB301", "-v")
    assert validated.ret == 0
    assert "IB702" not in validated.stdout.str()  # looked at, and nothing to say
    result, report = bench.report("-rs")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*SKIPPED*conda/llamafactory/conda.tar was not fetched: put it there; gym/task_1/data/checkpoints was*",
            "*SKIPPED*the evaluator's judge needs IBENCH_JUDGE_API_KEY*",
        ]
    )
    attempt = by_task(report)["task_19"]
    assert (attempt["status"], attempt["final"]) == ("scored", 67.0)

    for name in ("API_KEY", "API_ENDPOINT", "API_VERSION", "MODEL"):
        monkeypatch.setenv(f"IBENCH_JUDGE_{name}", "secret")
    result, report = bench.report("--ibench-task=task_18")
    assert by_task(report)["task_18"]["final"] == 50.0


def test_a_dataset_may_have_the_base_of_its_evaluators_and_their_key(bench: Bench) -> None:
    root = lay_out(bench.tree)
    bench.tree.write("evaluations/base/base_eval.py", BASE)
    settings = bench.tree.write("evaluations/base/data_classes.py", BASE_SETTINGS)
    bench.tree.write(
        "evaluations/task_18/task/config.py", "from evaluations.base.data_classes import *\n" + OWN
    )
    bench.ibench("import", str(root))
    no_key = "the evaluator's judge has no key: set api_key in evaluations/base/data_classes.py"
    assert f"    cannot run here: {no_key}" in bench.ibench("list").outlines
    settings.write_text(BASE_SETTINGS.replace('""', '"secret"'))
    _, report = bench.report("--ibench-task=task_18")
    assert by_task(report)["task_18"]["final"] == 50.0


@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_the_packed_python_is_what_agent_and_evaluator_have(bench: Bench, sandbox: str) -> None:
    bench.tree.add_task(
        manifest="{environment: {conda: conda/a/conda.tar}}",
        solution="python -c 'import parcel; print(parcel.POINTS)' >data/outputs/score.txt; command -v python >&2",
    )
    pack_environment(bench.tree.root / "conda/a/conda.tar", points="42")
    evaluation = bench.tree.root / "evaluations/toy/task/evaluation.py"
    evaluation.write_text("import parcel\n" + evaluation.read_text())
    _, report = bench.report(f"--ibench-sandbox={sandbox}")
    assert by_task(report)["toy"]["final"] == 42.0, by_task(report)["toy"]


def test_validation_looks_at_the_archive_that_a_task_names(bench: Bench) -> None:
    root = lay_out(bench.tree)
    bench.ibench("import", str(root))
    with tarfile.open(root / "conda/visualsketchpad/conda.tar", "w") as archive:
        add_special(archive, "workspace/conda/bin", tarfile.SYMTYPE, "/etc")
    validated = bench.ibench("validate", "task_19", "--select=IB702")
    assert validated.ret == 1
    validated.stdout.fnmatch_lines(["*'workspace/conda/bin' points out of the folder, to '/etc'*"])


def test_a_hostile_archive_is_a_fault_of_the_machine(bench: Bench) -> None:
    bench.tree.add_task(manifest="{environment: {conda: conda/a/conda.tar}}")
    bench.tree.write("conda/a/conda.tar", "no archive" * 100)
    result, report = bench.report()
    assert result.ret == 1
    attempt = by_task(report)["toy"]
    assert (attempt["status"], attempt["fault"]) == ("unscoreable", "machine")
    assert "conda.tar must not be unpacked" in attempt["error"]


def test_what_others_wrote_is_kept_and_what_we_wrote_is_renewed(bench: Bench) -> None:
    root = lay_out(bench.tree)
    mine = bench.tree.write("evaluations/task_1/task.yaml", "domain: LD\n")
    assert "    evaluations/task_1/task.yaml was there and is not ours; delete it to have it written" in (
        bench.ibench("import", str(root)).outlines
    )
    assert mine.read_text() == "domain: LD\n"
    ours, changed = (root / f"evaluations/task_{number}/task.yaml" for number in (18, 19))
    bench.tree.write("research_gym/configs/tasks/task_18.yaml", "max_steps: 7\n")
    changed.write_text(changed.read_text().replace("evals: 3", "evals: 5"))
    again = bench.ibench("import", str(root))
    assert again.outlines[-1] == "3 tasks: 2 kept, 1 written"
    assert yaml.safe_load(ours.read_text())["limits"]["steps"] == 7
    assert yaml.safe_load(changed.read_text())["limits"]["evals"] == 5
    assert bench.ibench("import", str(root)).outlines[-1] == "3 tasks: 2 kept, 1 unchanged"


def test_into_leaves_the_dataset_as_it_is(bench: Bench, tmp_path: Path) -> None:
    root = lay_out(Tree(tmp_path / "dataset"))
    before = content(root)
    done = bench.ibench("import", str(root), "--into", str(bench.tree.root))
    assert done.outlines[-1] == "3 tasks: 3 written"
    assert content(root) == before
    _, report = bench.report("--ibench-task=task_19")
    assert by_task(report)["task_19"]["final"] == 67.0
    assert content(root) == before
    again = bench.ibench("import", str(root), "--into", str(bench.tree.root))
    assert again.outlines[-1] == "3 tasks: 3 unchanged"


def test_what_cannot_be_imported_says_why(bench: Bench) -> None:
    done = bench.ibench("import", str(bench.tree.root))
    remedy = "give the folder with gym/, evaluations/ and conda/"
    assert done.errlines == [f"ibench: no evaluations/task_N in {bench.tree.root}: {remedy}"]
    assert done.ret == 2
    root = lay_out(bench.tree)
    for name in ("gym/task_2", "evaluations/task_99"):
        (root / name).mkdir()
    bench.tree.write("research_gym/configs/tasks/task_1.yaml", "max_steps: many\nmax_working_time: [1\n")
    bench.tree.write("research_gym/configs/tasks/task_18.yaml", "task: {max_working_time: soon}\n")
    bench.tree.write("gym/task_19/task/task_description.md", "")
    done = bench.ibench("import", str(root))
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        [
            "task_1 *  48 h  written",
            "    research_gym/configs/tasks/task_1.yaml: line *; the published limits are taken",
            "task_2 *left out",
            "    evaluations/task_2 is missing",
            "task_18 *  24 h  written",
            "    research_gym/configs/tasks/task_18.yaml: max_working_time: 'soon' is not understood; 24 is taken",
            "task_19 *written, BROKEN",
            "    gym/task_19/task/task_description.md: is empty *",
            "task_99 *left out",
            "    is not one of the published twenty: write its task.yaml by hand",
        ],
        consecutive=False,
    )
