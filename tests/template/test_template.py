from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cookiecutter.main import cookiecutter  # type: ignore[import-untyped]  # it ships no types

from pytest_innovatorbench.errors import TaskError
from pytest_innovatorbench.tasks.benchmark import open_benchmark

if TYPE_CHECKING:
    from pytest_innovatorbench.tasks.model import Task

TEMPLATE = Path(__file__).parents[2] / "task_template"
ODD_TITLE = """It's a "title": 50 % \\n of {them} & <tags> \N{MICROSCOPE} # %s"""
# A second line must not get out of the key, heading or comment that the first stands in.
ODD_PAPER = "Of smoothing:\n# Hint\n'penalty': \"0\" \N{SNAKE}"

SHOW_PAPER = "from evaluations.toy.task.evaluation import TaskBenchmark as b; print(b.paper_name)"

FILES = {
    "evaluations/toy/README.md",
    "evaluations/toy/data/baselines/predictions.csv",
    "evaluations/toy/data/make_data.py",
    "evaluations/toy/data/outputs/predictions.csv",
    "evaluations/toy/data/references/truth.csv",
    "evaluations/toy/hint.md",
    "evaluations/toy/solution/run.sh",
    "evaluations/toy/solution/solve.py",
    "evaluations/toy/task.yaml",
    "evaluations/toy/task/config.py",
    "evaluations/toy/task/evaluation.py",
    "gym/toy/data/datasets/README.md",
    "gym/toy/data/datasets/test.csv",
    "gym/toy/data/datasets/train.csv",
    "gym/toy/task/repositories/smoother/smooth.py",
    "gym/toy/task/scripts/run.sh",
    "gym/toy/task/task_description.md",
    "tests/test_toy.py",
}


@dataclass(frozen=True, slots=True)
class Bakery:
    folder: Path

    def bake(self, template: Path = TEMPLATE, **values: str) -> Path:
        """Bake a template, with everything that cookiecutter writes in a folder of the test's own."""
        config = self.folder / "cookiecutter.yaml"
        config.write_text(
            f"replay_dir: '{self.folder}/replay'\ncookiecutters_dir: '{self.folder}/templates'\n"
        )
        return Path(
            cookiecutter(
                str(template),
                no_input=True,
                extra_context={"task_name": "toy", **values},
                output_dir=str(self.folder),
                config_file=str(config),
            )
        )


@pytest.fixture
def bakery(tmp_path: Path) -> Bakery:
    return Bakery(tmp_path)


def load(root: Path) -> Task:
    return open_benchmark(root).load("toy")


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTEST_ADDOPTS": "", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def baked_files(root: Path) -> set[str]:
    return {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}


def test_every_file_of_the_layout_is_there_and_nothing_else(bakery: Bakery) -> None:
    root = bakery.bake()
    assert baked_files(root) == FILES
    for script in ("evaluations/toy/solution/run.sh", "gym/toy/task/scripts/run.sh"):
        assert os.access(root / script, os.X_OK)


def test_bytecode_of_an_installed_template_stays_behind(bakery: Bakery) -> None:
    template = bakery.folder / "installed"
    shutil.copytree(TEMPLATE, template)
    compileall.compile_dir(str(template), quiet=2)
    assert list(template.rglob("*.pyc"))
    assert baked_files(bakery.bake(template)) == FILES


def test_no_placeholder_is_left(bakery: Bakery) -> None:
    root = bakery.bake()
    for name in baked_files(root):
        text = (root / name).read_text("utf-8")
        assert "cookiecutter" not in text, name
        assert "{{" not in text, name
        assert "{%" not in text, name


def test_nothing_is_written_to_the_home(bakery: Bakery) -> None:
    bakery.bake()
    assert list(Path.home().iterdir()) == []


def test_nothing_that_the_harness_would_have_to_assume_is_left_open(bakery: Bakery) -> None:
    task = load(bakery.bake())
    assert task.assumed == ()
    assert (task.id, task.version, task.domain) == ("toy", "1.0", "other")
    assert task.requirements is None


def test_values_arrive_where_they_belong(bakery: Bakery) -> None:
    root = bakery.bake(
        domain="RD",
        paper_url="https://example.org/?a=1&b='2'",
        training_hours="3.5",
        evaluation_seconds="90",
        gpus="8",
        gpu_memory_gb="80",
        hint_penalty="12.5",
    )
    task = load(root)
    assert task.domain == "RD"
    assert task.paper.url == "https://example.org/?a=1&b='2'"
    assert (task.limits.training_hours, task.limits.evaluation_seconds) == (3.5, 90)
    assert (task.resources.gpus, task.resources.gpu_memory_gb) == (8, 80)
    assert task.hint is not None
    assert task.hint.penalty == 12.5
    text = task.description.read_text("utf-8")
    for line in (
        "Training-time limit: 3.5 hours.",
        "Evaluation-time limit: 90 seconds.",
        "Number of GPUs: 8. Memory of each GPU: 80 GB.",
        "Viewing the hint costs 12.5 points.",
    ):
        assert line in text


def test_odd_texts_are_pasted_as_they_are(bakery: Bakery) -> None:
    root = bakery.bake(title=ODD_TITLE, paper_title=ODD_PAPER)
    task = load(root)
    paper = " ".join(ODD_PAPER.split())
    assert task.title == ODD_TITLE
    assert task.paper.title == paper
    assert task.description.read_text("utf-8").startswith(f"# {ODD_TITLE}\n")
    assert (
        (root / "evaluations/toy/hint.md").read_text("utf-8").splitlines()[2].startswith(f"Source: {paper} ")
    )
    shown = run(root, "-c", SHOW_PAPER)
    assert shown.stdout == f"{paper}\n", shown.stderr


def test_without_a_hint_nothing_speaks_of_one(bakery: Bakery) -> None:
    root = bakery.bake(hint="no")
    task = load(root)
    assert (task.hint, task.assumed) == (None, ())
    assert baked_files(root) == FILES - {"evaluations/toy/hint.md"}
    for name in ("evaluations/toy/task.yaml", "gym/toy/task/task_description.md"):
        assert "hint" not in (root / name).read_text("utf-8").lower()


def test_without_a_paper_there_is_none(bakery: Bakery) -> None:
    root = bakery.bake(paper_title="", paper_url="")
    task = load(root)
    assert (task.paper.title, task.paper.url) == ("", "")
    assert "Source" not in (root / "evaluations/toy/hint.md").read_text("utf-8")


def test_one_of_a_thing_is_in_the_singular(bakery: Bakery) -> None:
    root = bakery.bake(training_hours="1", evaluation_seconds="1", hint_penalty="1")
    text = load(root).description.read_text("utf-8")
    for line in ("limit: 1 hour.", "limit: 1 second.", "costs 1 point."):
        assert line in text


def test_a_title_opens_no_comment(bakery: Bakery) -> None:
    root = bakery.bake(title="Of <!-- and others")
    task = load(root)
    assert task.title == "Of <!-- and others"
    assert task.description.read_text("utf-8").splitlines()[0] == "# Of &lt;!-- and others"


def test_a_value_that_is_no_number_is_named_by_the_loader(bakery: Bakery) -> None:
    with pytest.raises(TaskError, match=r"resources\.gpus: \"many\" is not allowed"):
        load(bakery.bake(gpus="many"))


def test_unit_test_passes_by_unittest_and_by_pytest(bakery: Bakery) -> None:
    root = bakery.bake(title=ODD_TITLE, paper_title=ODD_PAPER)
    by_unittest = run(root, "-m", "unittest", "tests.test_toy")
    assert by_unittest.returncode == 0, by_unittest.stderr
    assert "Ran 8 tests" in by_unittest.stderr
    by_pytest = run(root, "-m", "pytest", "-p", "no:cacheprovider", "tests")
    assert by_pytest.returncode == 0, by_pytest.stdout
    assert "8 passed" in by_pytest.stdout


def test_oracle_scores_70_to_80_and_baseline_0(bakery: Bakery) -> None:
    root = bakery.bake(title=ODD_TITLE, paper_title=ODD_PAPER)
    report = bakery.folder / "report.json"
    done = run(
        bakery.folder,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--ibench-agent=oracle,baseline",
        f"--ibench-root={root}",
        f"--ibench-report=json:{report}",
    )
    assert done.returncode == 0, done.stdout
    attempts = {attempt["agent"]: attempt for attempt in json.loads(report.read_text("utf-8"))["attempts"]}
    assert attempts.keys() == {"oracle", "baseline"}
    assert {attempt["status"] for attempt in attempts.values()} == {"scored"}
    assert 70 <= attempts["oracle"]["final"] <= 80
    assert attempts["baseline"]["final"] == 0


def test_shipped_data_are_what_make_data_makes(bakery: Bakery) -> None:
    root = bakery.bake()
    data = [root / name for name in FILES if name.endswith(("truth.csv", "train.csv", "test.csv"))]
    before = {file: file.read_text("utf-8") for file in data}
    for file in data:
        file.unlink()
    run(root, "-m", "evaluations.toy.data.make_data")
    assert {file: file.read_text("utf-8") for file in data} == before


def test_shipped_outputs_are_what_the_solution_writes(bakery: Bakery) -> None:
    root = bakery.bake()
    workspace = root / "gym/toy"
    (workspace / "data/outputs").mkdir()
    for script, kept in (
        ("gym/toy/task/scripts/run.sh", "baselines"),
        ("evaluations/toy/solution/run.sh", "outputs"),
    ):
        subprocess.run(["bash", str(root / script)], cwd=workspace, check=True, timeout=60)
        written = (workspace / "data/outputs/predictions.csv").read_text("utf-8")
        assert written == (root / "evaluations/toy/data" / kept / "predictions.csv").read_text("utf-8")


def test_a_workspace_holds_no_answer(bakery: Bakery) -> None:
    root = bakery.bake()
    answers = set((root / "evaluations/toy/data/references/truth.csv").read_text("utf-8").splitlines()[1:])
    for file in (root / "gym").rglob("*"):
        if file.is_file():
            assert answers.isdisjoint(file.read_text("utf-8").splitlines()), file
