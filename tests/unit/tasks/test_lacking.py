from __future__ import annotations

import pytest

from pytest_innovatorbench.tasks.benchmark import open_benchmark
from pytest_innovatorbench.tasks.lacking import lacks
from tests.conftest import Tree

MANIFEST = """
    environment: {conda: conda/small/conda.tar}
    resources: {downloads: [data/checkpoints/model, data/table.csv]}
    judge: {environment: [KEY_A, KEY_B]}
"""
POINTER = "version https://git-lfs.github.com/spec/v1\n"


@pytest.fixture
def toy(tree: Tree) -> Tree:
    tree.add_task(manifest=MANIFEST)
    return tree


def lacking(tree: Tree, **variables: str) -> list[str]:
    return list(lacks(open_benchmark(tree.root).load("toy"), variables))


def test_what_is_not_there_is_named(toy: Tree) -> None:
    assert lacking(toy, KEY_A="", KEY_B="x") == [
        "conda/small/conda.tar was not fetched: put it there",
        "gym/toy/data/checkpoints/model was not fetched: put it there",
        "gym/toy/data/table.csv was not fetched: put it there",
        "the evaluator's judge needs KEY_A: set it in the environment",
    ]


def test_what_is_there_is_not(toy: Tree) -> None:
    toy.write("conda/small/conda.tar", "x")
    toy.write("gym/toy/data/checkpoints/model/deep/weights.bin", "x")
    toy.write("gym/toy/data/table.csv", "x")
    assert lacking(toy, KEY_A="x", KEY_B="x") == []


@pytest.mark.parametrize(
    "line", ['api_key: str = ""', "api_key = ''  # yours", "    api_key: str | None = None"]
)
def test_a_judge_whose_key_stands_in_a_file_needs_one_there(tree: Tree, line: str) -> None:
    tree.add_task(manifest="judge: {environment: []}")
    assert lacking(tree) == []
    settings = tree.write("evaluations/base/data_classes.py", f"class Config:\n    x = 1\n{line}\n")
    said = "the evaluator's judge has no key: set api_key in evaluations/base/data_classes.py"
    assert lacking(tree) == [said]
    settings.write_text(f"class Config:\n{line.split('=', maxsplit=1)[0]} = 'key'\n")
    assert lacking(tree) == []


def test_pointers_and_empty_folders_count_as_nothing(toy: Tree) -> None:
    toy.write("conda/small/conda.tar", POINTER)
    toy.write("gym/toy/data/table.csv", POINTER)
    toy.write("gym/toy/data/checkpoints/model/.gitkeep", "")
    assert len(lacking(toy, KEY_A="x", KEY_B="x")) == 3
    toy.write("gym/toy/data/checkpoints/model/weights.bin", POINTER)
    assert len(lacking(toy, KEY_A="x", KEY_B="x")) == 3
