"""New tasks, made by the command."""

from __future__ import annotations

import compileall
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES
from pytest_innovatorbench.authoring.validation import validate
from pytest_innovatorbench.tasks.benchmark import open_benchmark

ROOT = Path(__file__).parents[3]
COMMAND = "from pytest_innovatorbench.cli.new_task import main; main()"
HOSTILE = """It's "{{ cookiecutter.x }}" {% raw %} {# \N{MICROSCOPE} <!-- \\n %s ' --- """


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who makes tasks in a benchmark.

    Attributes:
        root: The benchmark.
        packages: Folder of the installed package.
    """

    root: Path
    packages: Path = ROOT

    @property
    def environment(self) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        return {**kept, "PYTHONPATH": str(self.packages), "PATH": programs, "PYTHONDONTWRITEBYTECODE": "1"}

    def make(
        self, *arguments: str, preexec_fn: Callable[[], None] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=cwd or self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=preexec_fn,
        )

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))


@pytest.fixture
def author(tmp_path: Path) -> Author:
    (tmp_path / "my benchmark").mkdir()
    return Author(tmp_path / "my benchmark")


def test_a_new_task_has_its_places_and_nothing_else_is_written(author: Author) -> None:
    done = author.make("my_task")
    assert done.returncode == 0, done.stderr
    files = {path for path in author.left() if (author.root / path).is_file()}
    assert files == {
        "evaluations/my_task/README.md",
        "evaluations/my_task/data/baselines/predictions.csv",
        "evaluations/my_task/data/make_data.py",
        "evaluations/my_task/data/outputs/predictions.csv",
        "evaluations/my_task/data/references/truth.csv",
        "evaluations/my_task/hint.md",
        "evaluations/my_task/solution/run.sh",
        "evaluations/my_task/solution/solve.py",
        "evaluations/my_task/task.yaml",
        "evaluations/my_task/task/config.py",
        "evaluations/my_task/task/evaluation.py",
        "gym/my_task/data/datasets/README.md",
        "gym/my_task/data/datasets/test.csv",
        "gym/my_task/data/datasets/train.csv",
        "gym/my_task/task/repositories/smoother/smooth.py",
        "gym/my_task/task/scripts/run.sh",
        "gym/my_task/task/task_description.md",
        "tests/test_my_task.py",
    }
    assert list(Path.home().iterdir()) == []


def test_it_says_what_it_made_and_what_to_type_next(author: Author) -> None:
    assert author.make("my_task").stdout == (
        "Made the task my_task, which works as it is:\n"
        "  gym/my_task                              6 files\n"
        "  tests/test_my_task.py                    1 file\n"
        "  evaluations/my_task                      11 files\n"
        "Next: replace what validate names, until it names nothing; then see what it scores.\n"
        "  ibench validate my_task\n"
        "  ibench calibrate my_task\n"
        "  pytest --ibench-agent=oracle,baseline --ibench-task=my_task --ibench-root=.\n"
    )


def test_commands_for_another_folder_say_which(author: Author, tmp_path: Path) -> None:
    done = author.make("my_task", "--root", "my benchmark", cwd=tmp_path)
    assert done.stdout.splitlines()[-3:] == [
        "  ibench validate my_task --root 'my benchmark'",
        "  ibench calibrate my_task --root 'my benchmark'",
        "  pytest --ibench-agent=oracle,baseline --ibench-task=my_task --ibench-root='my benchmark'",
    ]


def test_the_new_task_works(author: Author, tmp_path: Path) -> None:
    command = author.make("my_task", "--title", HOSTILE).stdout.splitlines()[-1]
    unit = author.type(f"{shlex.quote(sys.executable)} -m unittest tests.test_my_task")
    assert unit.returncode == 0, unit.stderr
    report = tmp_path / "report.json"
    done = author.type(f"{command} --ibench-report=json:{report}")
    assert done.returncode == 0, done.stdout + done.stderr
    finals = {one["agent"]: one["final"] for one in json.loads(report.read_text("utf-8"))["attempts"]}
    assert finals.keys() == {"oracle", "baseline"}
    assert 70 <= finals["oracle"] <= 80
    assert finals["baseline"] == 0


@pytest.mark.parametrize("arguments", [(), ("--no-hint", "--gpus=8", "--repository=starter")])
def test_validate_names_what_is_left_of_the_template_and_nothing_else(
    author: Author, arguments: tuple[str, ...]
) -> None:
    (author.root / "starter").mkdir()
    (author.root / "starter/code.py").write_text("pass\n")
    assert author.make("my_task", *arguments).returncode == 0
    rules = [rule for rule in BUILTIN_RULES if rule.cost in {"reading", "evaluations"}]
    (results,) = validate(author.root, ["my_task"], rules, Options())
    found = [(checked.rule.code, finding) for checked in results.checked for finding in checked.findings]
    assert {code for code, _ in found} == {"IB111"}, found
    named = {(finding.file, finding.line) for _, finding in found}
    for file in filter(Path.is_file, author.root.rglob("*.*")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            assert ("TEMPLATE" in line) == ((str(file.relative_to(author.root)), number) in named)
    data = {str(file.relative_to(author.root)) for file in author.root.rglob("*.csv")}
    assert len(data) == 5
    assert {file for file, line in named if line is None} == data


def test_answers_arrive(author: Author) -> None:
    (author.root / "starter").mkdir()
    (author.root / "starter/code.py").write_text("pass\n")
    done = author.make(
        "my_task",
        *("--title", HOSTILE),
        *("--domain", "ld"),
        *("--paper-title", f"On\n{HOSTILE}"),
        *("--paper-url", "https://example.org/?a='1'&b={{2}}"),
        *("--training-hours", "12.50"),
        *("--evaluation-seconds", "1.2e3"),
        *("--gpus", "8"),
        *("--gpu-memory-gb", "80"),
        *("--hint-penalty", "12.5"),
        *("--repository", "starter"),
    )
    assert done.returncode == 0, done.stderr
    assert "Copied starter: 1 files, 5 bytes\n" in done.stdout
    task = open_benchmark(author.root).load("my_task")
    assert (task.title, task.domain) == (" ".join(HOSTILE.split()), "LD")
    assert task.paper.title == " ".join(f"On {HOSTILE}".split())
    assert task.paper.url == "https://example.org/?a='1'&b={{2}}"
    assert (task.limits.training_hours, task.limits.evaluation_seconds) == (12.5, 1200)
    assert (task.resources.gpus, task.resources.gpu_memory_gb) == (8, 80)
    assert task.hint is not None
    assert task.hint.penalty == 12.5
    assert task.assumed == ()
    text = task.description.read_text("utf-8")
    assert text.startswith(f"# {task.title.replace('<!--', '&lt;!--')}\n")
    for line in ("limit: 12.5 hours.", "limit: 1200 seconds.", "GPUs: 8. Memory of each GPU: 80 GB."):
        assert line in text
    shown = author.type(
        f"{shlex.quote(sys.executable)} -c "
        "'from evaluations.my_task.task.evaluation import TaskBenchmark as b; print(ascii(b.paper_name))'"
    )
    assert shown.stdout == f"{task.paper.title!a}\n", shown.stderr


def test_without_a_hint_there_is_none(author: Author) -> None:
    assert author.make("my_task", "--no-hint").returncode == 0
    task = open_benchmark(author.root).load("my_task")
    assert task.hint is None
    assert task.assumed == ()
    assert "hint" not in task.description.read_text("utf-8")
    assert not (author.root / "evaluations/my_task/hint.md").exists()


@pytest.mark.parametrize("place", ["gym/my_task", "evaluations/My_Task", "tests/test_MY_task.py"])
def test_an_existing_task_is_never_overwritten(author: Author, place: str) -> None:
    (author.root / place).parent.mkdir()
    (author.root / place).write_text("mine")
    done = author.make("my_task")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"ibench-new-task: {place} exists already: take another name, or remove that task first\n"
    )
    assert author.left() == [place.split("/", maxsplit=1)[0], place]
    assert (author.root / place).read_text() == "mine"


def test_a_second_task_stands_beside_the_first(author: Author) -> None:
    assert author.make("one").returncode == 0
    before = {path: (author.root / path).stat().st_mtime_ns for path in author.left() if "one" in path}
    assert author.make("two").returncode == 0
    assert open_benchmark(author.root).task_ids == ("one", "two")
    assert {path: (author.root / path).stat().st_mtime_ns for path in before} == before


def test_without_a_terminal_a_name_is_needed(author: Author) -> None:
    for arguments in ((), ("--no-input",)):
        done = author.make(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "ibench-new-task: no name is given: write it as the first argument, such as my_task\n"
        )
    assert author.left() == []


def test_a_benchmark_that_is_no_folder_is_refused(author: Author) -> None:
    done = author.make("my_task", "--root", "no where")
    assert (done.returncode, done.stderr) == (
        2,
        "ibench-new-task: the benchmark 'no where' is no folder: mkdir 'no where'\n",
    )


def test_a_folder_with_braces_is_refused_as_cookiecutter_would_render_it(author: Author) -> None:
    (author.root / "{{ 7 * 7 }}").mkdir()
    done = author.make("my_task", "--root", "{{ 7 * 7 }}")
    assert done.returncode == 2
    assert re.search(r"braces in .* would be taken for a template: rename the folder\n$", done.stderr)
    assert author.left() == ["{{ 7 * 7 }}"]


def test_a_parent_that_is_a_file_leaves_nothing(author: Author) -> None:
    (author.root / "tests").write_text("mine")
    done = author.make("my_task")
    assert done.returncode == 2
    assert "the task could not be made: Not a directory" in done.stderr
    assert author.left() == ["tests"]


def test_an_installed_package_makes_tasks_too(author: Author, tmp_path: Path) -> None:
    packages = tmp_path / "site"
    shutil.copytree(
        ROOT / "pytest_innovatorbench",
        packages / "pytest_innovatorbench",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    template = packages / "pytest_innovatorbench/_template"
    shutil.copytree(ROOT / "task_template", template, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(str(template), quiet=2)
    assert list(template.rglob("*.pyc"))
    (template / "{{cookiecutter.task_name}}/gym/{{cookiecutter.task_name}}/installed.txt").write_text("yes")
    done = Author(author.root, packages).make("my_task")
    assert done.returncode == 0, done.stderr
    assert (author.root / "gym/my_task/installed.txt").exists()
    assert list(author.root.rglob("*.pyc")) == []


def test_help_tells_every_option(author: Author) -> None:
    done = author.make("--help")
    assert done.returncode == 0
    for option in ("--title", "--no-hint", "--gpu-memory-gb", "--repository", "--root", "--no-input"):
        assert option in done.stdout


def test_help_imports_nothing_heavy(author: Author) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", COMMAND, "--help"],
        cwd=author.root,
        env=author.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert imported.isdisjoint({"cookiecutter", "jinja2", "jsonschema", "yaml", "rich", "numpy"})
