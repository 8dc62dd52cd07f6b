"""What a task needs besides computers, and is not there yet."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.tasks.conda import is_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_innovatorbench.tasks.model import Task

_LOOKED_AT = 1000
_NO_KEY = re.compile(r"""^\s*api_key\b[^=\n]*=\s*(?:""|''|None)\s*(?:#.*)?$""", re.MULTILINE)


def lacks(task: Task, variables: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield what a task cannot be run without and is not there, with what to do about it.

    Args:
        task: The task.
        variables: The environment of the harness.
    """
    for file in (task.conda, *task.downloads):
        if file is not None and not _is_there(file):
            shown = file.relative_to(task.evaluations.parents[1])
            yield f"{shown} was not fetched: put it there"
    unset = [name for name in task.judge or () if not variables.get(name)]
    if unset:
        yield f"the evaluator's judge needs {', '.join(unset)}: set it in the environment"
    if task.judge == () and _has_no_key(task.evaluations.parent / "base" / "data_classes.py"):
        yield "the evaluator's judge has no key: set api_key in evaluations/base/data_classes.py"


def _has_no_key(settings: Path) -> bool:
    """Tell whether the benchmark's own settings, where published evaluators have keys, are without one."""
    return settings.is_file() and bool(_NO_KEY.search(settings.read_text("utf-8", errors="replace")))


def _is_there(path: Path) -> bool:
    """Tell whether a file is there, or a folder with files in it, and no pointer in place of one."""
    if path.is_file():
        return not is_pointer(path)
    if not path.is_dir():
        return False
    files = (file for _, file in zip(range(_LOOKED_AT), path.rglob("*"), strict=False) if file.is_file())
    kept = [file for file in files if file.name not in {".gitkeep", ".gitignore", "README.md"}]
    return bool(kept) and not any(map(is_pointer, kept))
