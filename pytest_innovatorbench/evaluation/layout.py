"""What an evaluator finds in its sandbox, and what it does not."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import py_compile
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.sandbox.model import Bind, Jail, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.evaluation.target import EvaluationTarget

EVALUATIONS = "/bench/evaluations"
BASE = f"{EVALUATIONS}/base"
LIBRARY = "/bench/lib"
WORKER = f"{LIBRARY}/pytest_innovatorbench/evaluation/worker.py"
START = """\
import sys
sys.path.insert(0, sys.argv[1])
import worker
worker.main(int(sys.argv[2]), *sys.argv[3:])
"""
WORKSPACE = "/workspace"

_OWN = Path(__file__).parent
_OUTPUTS = "data/outputs"
_HIDDEN = {"solution", "__pycache__", "data", _OUTPUTS}
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    # The score should not depend on how many cores sum up a matrix product.
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def furnish(target: EvaluationTarget, outputs: Path) -> Jail:
    """Describe the sandbox of one evaluation.

    The submission is at all three places that the published authoring page and tasks read it from;
    the author's sample outputs and solution are at none. Everything is read-only.

    Args:
        target: The task.
        outputs: Folder with the submission.
    """
    _compile()
    own = f"{EVALUATIONS}/{target.task_id}"
    places = (f"{own}/{_OUTPUTS}", f"{WORKSPACE}/{_OUTPUTS}", f"{WORKSPACE}/{target.task_id}/{_OUTPUTS}")
    return Jail(
        binds=(
            *target.binds,
            Bind(source=_OWN, dest=f"{LIBRARY}/pytest_innovatorbench/evaluation"),
            Bind(source=target.base, dest=BASE),
            *_contents(target.folder, own),
            *(_contents(target.gym, WORKSPACE) if target.gym is not None else ()),
            *(Bind(source=outputs, dest=place) for place in places),
        ),
        environment=_ENVIRONMENT | _judge_environment(target),
        cwd=BASE,
        network=target.judge,
        limits=Limits(memory=target.memory, processes=target.processes),
    )


def spread(jail: Jail, task_id: str, folder: Path) -> Jail:
    """Lay the task out on the host, for an evaluator that runs without confinement.

    There a bind is a link, and code that resolves its own path would walk through it to the author's
    sample outputs. So the code is copied, beside links to the rest.

    Args:
        jail: What `furnish` gave.
        task_id: Folder name of the task.
        folder: Empty folder for the copy.
    """
    own = f"{EVALUATIONS}/{task_id}"
    rest: list[Bind] = []
    for bind in jail.binds:
        if not bind.dest.startswith(f"{own}/"):
            rest.append(bind)
            continue
        place = folder / bind.dest[len(own) + 1 :]
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.name == "task":
            shutil.copytree(bind.source, place)
        else:
            place.symlink_to(bind.source.absolute())
    return Jail(
        binds=(*rest, Bind(source=folder, dest=own)),
        environment=jail.environment,
        cwd=jail.cwd,
        network=jail.network,
        limits=jail.limits,
    )


def visible(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what an evaluator sees of a task's folder: relative paths, not below each other."""
    for name, below in (("", folder), ("data/", folder / "data")):
        if below.is_dir():
            for entry in sorted(below.iterdir()):
                path = name + entry.name
                if path not in _HIDDEN and (entry.is_dir() or entry.is_file()):
                    yield path, entry


@cache
def _compile() -> None:
    """Have bytecode ready, which evaluators cannot write and pytest writes for itself alone."""
    for file in (_OWN / "worker.py", *_OWN.glob("contract/*.py")):
        with contextlib.suppress(OSError):  # an installation that others own
            if not _is_compiled(file):
                py_compile.compile(str(file), quiet=2)


def _is_compiled(file: Path) -> bool:
    bytecode = Path(importlib.util.cache_from_source(str(file)))
    return bytecode.is_file() and bytecode.stat().st_mtime_ns >= file.stat().st_mtime_ns


def _contents(folder: Path, dest: str) -> Iterator[Bind]:
    for path, source in visible(folder):
        yield Bind(source=source, dest=f"{dest}/{path}")


def _judge_environment(target: EvaluationTarget) -> dict[str, str]:
    names = target.judge_environment if target.judge else ()
    return {name: os.environ[name] for name in names if name in os.environ}
