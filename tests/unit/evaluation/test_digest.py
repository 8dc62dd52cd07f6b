from __future__ import annotations

from pathlib import Path

import pytest

from pytest_innovatorbench.evaluation import digest as room
from pytest_innovatorbench.evaluation.digest import digest
from tests.unit.evaluation.repository import TASK, Repository


def test_the_digest_follows_what_is_graded_with(repository: Repository) -> None:
    repository.returns("{'score': 1}")
    seen = [digest(repository.target())]
    assert seen[0].startswith("sha256:")
    assert digest(repository.target()) == seen[0]
    for path in ("data/references/labels.txt", "task/evaluation.py", "data/references/new.txt", "hint.md"):
        repository.write(f"evaluations/{TASK}/{path}", "something else")
        seen.append(digest(repository.target()))
    for name in ("base_eval.py", "data_classes.py"):
        repository.write(f"evaluations/base/{name}", "")
    seen.append(digest(repository.target()))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "path",
    [
        "evaluations/{}/solution/solve.py",
        "evaluations/{}/data/outputs/sample.txt",
        "evaluations/{}/task/__pycache__/evaluation.cpython-311.pyc",
        "evaluations/other/task/evaluation.py",
        "gym/{}/data/datasets/more.txt",
    ],
)
def test_the_digest_ignores_the_rest(repository: Repository, path: str) -> None:
    repository.returns("{'score': 1}")
    before = digest(repository.target())
    repository.write(path.format(TASK), "anything")
    assert digest(repository.target()) == before


def test_the_same_repository_elsewhere_has_the_same_digest(tmp_path: Path, repository: Repository) -> None:
    repository.returns("{'score': 1}")
    other = Repository(tmp_path / "elsewhere", repository.sandbox)
    other.returns("{'score': 1}")
    assert digest(other.target()) == digest(repository.target())


def test_files_are_read_once_per_process(repository: Repository) -> None:
    repository.returns("{'score': 1}")
    digest(repository.target())
    misses = room._read.cache_info().misses
    for _ in range(100):
        digest(repository.target())
    assert room._read.cache_info().misses == misses
