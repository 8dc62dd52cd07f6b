from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.changes import changed_tasks
from pytest_innovatorbench.authoring.selection import select_tasks
from pytest_innovatorbench.errors import SettingsError, UnknownNameError
from pytest_innovatorbench.tasks.benchmark import open_benchmark

NAMES = ("a", "b", "my_task")


@dataclass(frozen=True)
class Repository:
    folder: Path
    root: Path

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self, path: str, text: str = "new\n") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "more", "--allow-empty")

    def changed(self, reference: str = "main") -> list[str]:
        return changed_tasks(self.root, reference, NAMES)


@pytest.fixture(params=["", "bench/marks"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """A benchmark that is a repository, or lies in one, on a branch of its own."""
    made = Repository(tmp_path / "all", tmp_path / "all" / request.param)
    made.root.mkdir(parents=True)
    made.git("init", "-q")
    for name in NAMES:
        made.write(f"evaluations/{name}/task.yaml", f"title: {name}\n")
        made.write(f"gym/{name}/task/task_description.md", f"# {name} and what there is to say of it\n")
        made.write(f"tests/test_{name}.py", f"# {name}\n")
    made.write("evaluations/base/base_eval.py")
    made.write(".gitignore", "*.log\n")
    made.write("README.md")
    made.commit()
    made.git("checkout", "-q", "-b", "topic")
    return made


def test_nothing_is_changed_on_a_fresh_branch_nor_by_other_files(repository: Repository) -> None:
    assert repository.changed() == []
    repository.write("README.md", "other")
    repository.write("gym/README.md")
    repository.write("tests/conftest.py")
    repository.write("gym/a/run.log")
    assert repository.changed() == []


@pytest.mark.parametrize(
    "path",
    [
        "evaluations/a/task.yaml",
        "gym/a/data/datasets/ü x\n.csv",
        "gym/a/task/repositories/base/code.py",
        "tests/test_a.py",
    ],
)
@pytest.mark.parametrize("state", ["committed", "staged", "untracked"])
def test_every_file_of_a_task_counts_however_far_it_is(repository: Repository, path: str, state: str) -> None:
    repository.write(path)
    if state != "untracked":
        repository.git("add", "-A")
    if state == "committed":
        repository.commit()
    assert repository.changed() == ["a"]


def test_what_happened_on_the_other_branch_does_not_count(repository: Repository) -> None:
    repository.write("gym/my_task/more")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("gym/a/more")
    repository.commit()
    repository.git("checkout", "-q", "topic")
    assert repository.changed() == ["my_task"]


def test_a_file_that_moves_changes_both_tasks(repository: Repository) -> None:
    file = "task/task_description.md"
    (repository.root / "gym/b" / file).rename(repository.root / "gym/a" / "copied.md")
    repository.commit()
    assert repository.changed() == ["a", "b"]


def test_deleted_tasks_are_no_error(repository: Repository) -> None:
    shutil.rmtree(repository.root / "evaluations/a")
    shutil.rmtree(repository.root / "gym/a")
    repository.write("gym/b/more")
    benchmark = open_benchmark(repository.root)
    assert select_tasks(benchmark, [], "main") == ["b"]


def test_what_all_evaluators_rest_on_changes_all(repository: Repository) -> None:
    repository.write("evaluations/base/scoring.py")
    assert repository.changed() == list(NAMES)


def test_unknown_commits_and_options_in_their_place_are_one_line(repository: Repository) -> None:
    for reference in ("nowhere", "--upload-pack=x", "a\nb", ""):
        with pytest.raises(SettingsError) as caught:
            repository.changed(reference)
        assert str(caught.value).startswith("git knows no commit '")
        assert str(caught.value).endswith(": name the tasks, or another commit")
        assert "\n" not in str(caught.value)


def test_histories_without_a_common_commit_are_told(repository: Repository) -> None:
    repository.git("checkout", "-q", "--orphan", "other")
    repository.write("README.md", "another beginning")
    repository.commit()
    apart = "topic and the present commit have no common one; fetch more of the history: name the tasks"
    with pytest.raises(SettingsError, match=apart):
        repository.changed("topic")


def test_a_folder_that_is_no_repository_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SettingsError, match=r"is in no git repository \(not a git repository"):
        changed_tasks(tmp_path, "main", NAMES)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="git is not installed: install it, or name the tasks"):
        changed_tasks(tmp_path, "main", NAMES)


def test_a_task_of_which_only_the_gym_is_there_is_one(repository: Repository) -> None:
    repository.write("gym/half/task/task_description.md")
    benchmark = open_benchmark(repository.root)
    assert select_tasks(benchmark, []) == ["a", "b", "half", "my_task"]
    assert select_tasks(benchmark, ["*a*"], "main") == ["half"]
    with pytest.raises(UnknownNameError, match="unknown task 'c'"):
        select_tasks(benchmark, ["c"])
