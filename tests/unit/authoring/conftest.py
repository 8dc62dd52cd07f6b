"""A good task, which tests break in one place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter  # type: ignore[import-untyped]  # it ships no types

from benchmarks.ground import leave_nothing_of_the_template
from tests.unit.authoring.good import TASK, Good

TEMPLATE = Path(__file__).parents[3] / "task_template"


@pytest.fixture(scope="session")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baked")
    config = folder / "cookiecutter.yaml"
    config.write_text(f"replay_dir: '{folder}/replay'\ncookiecutters_dir: '{folder}/templates'\n")
    root = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context={"task_name": TASK},
            output_dir=str(folder),
            config_file=str(config),
        )
    )
    leave_nothing_of_the_template(root)
    return root


@pytest.fixture
def good(baked: Path, tmp_path: Path) -> Iterator[Good]:
    root = tmp_path / "benchmark"
    shutil.copytree(baked, root, symlinks=True)
    with ExitStack() as stack:
        yield Good(root, stack)


@pytest.fixture
def goods(baked: Path, tmp_path: Path) -> Iterator[Callable[[], Good]]:
    """Make several, one after the other."""
    with ExitStack() as stack:

        def make() -> Good:
            root = tmp_path / f"benchmark-{len(list(tmp_path.iterdir()))}"
            shutil.copytree(baked, root, symlinks=True)
            return Good(root, stack)

        yield make
