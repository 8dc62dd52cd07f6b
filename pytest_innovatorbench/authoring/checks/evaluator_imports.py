"""Telling an evaluator that is slow from one that does not even get imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.environment_programs import run
from pytest_innovatorbench.evaluation.layout import EVALUATIONS, LIBRARY, WORKER, furnish
from pytest_innovatorbench.runs.judge import evaluation_target
from pytest_innovatorbench.sandbox import open_sandbox

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.subject import Subject

LONGEST = 30.0  # seconds
_PROGRAM = """\
import sys
folder, task, evaluations, library, *sites = sys.argv[1:]
sys.path.insert(0, folder)
import worker
worker.set_up_imports(evaluations[:evaluations.rindex("/")], library, tuple(sites))
worker.import_module(f"evaluations.{task}.task.config")
worker.import_module(f"evaluations.{task}.task.evaluation")
"""


def imports_end(subject: Subject) -> bool:
    """Tell whether importing the evaluator comes to an end, well or not, within the time of an evaluation."""
    target = evaluation_target(subject.task)
    sandbox = open_sandbox(subject.options.sandbox)
    outputs = subject.scratch / "empty"
    outputs.mkdir(exist_ok=True)
    jail = furnish(target, outputs)

    def inside(path: str, below: str = "") -> str:
        return sandbox.inside(jail, path + below).removesuffix(below)

    argv = [
        *(inside(str(target.python)), "-S", "-c", _PROGRAM),
        *(inside(WORKER).removesuffix("/worker.py"), target.task_id, inside(EVALUATIONS, "/base")),
        inside(LIBRARY, "/pytest_innovatorbench/evaluation"),
        *(inside(str(folder)) for folder in target.site_packages),
    ]
    return run(sandbox, jail, argv, min(LONGEST, target.time_limit), subject.stop).status is not None
