"""The program that runs an evaluator inside its sandbox and sends one message about it.

    python -S -c START FOLDER FD TASK EVALUATIONS WORKSPACE LIBRARY [SITE_PACKAGES ...]

START, which the harness has, imports this module from FOLDER, as a program would be compiled each time.

FD takes an empty line when the interpreter is up and one line of JSON at the end. EVALUATIONS is the
folder of that name, LIBRARY holds this package, SITE_PACKAGES the task's own. The task's interpreter
runs this file alone, so it needs the standard library only, any Python from 3.8 on, and imports as
little as it can: json alone would double the time it takes to start.
"""

from __future__ import annotations

import _ctypes  # a fifth of what ctypes costs
import builtins
import os
import sys
from _json import encode_basestring_ascii  # what json.encoder itself is made of

TYPE_CHECKING = False  # importing typing would cost as much as the interpreter's start
if TYPE_CHECKING:
    from typing import Any

    from pytest_innovatorbench.evaluation.contract.base_eval import BenchmarkResult

PR_SET_DUMPABLE = 4
DEEPEST = 50
LONGEST_TRACEBACK = 8_000
# What build tools leave in an environment; none of it leads to packages that an evaluator needs.
HARMLESS_PTH = {
    "_editable_impl_pytest_innovatorbench.pth",
    "_virtualenv.pth",
    "distutils-precedence.pth",
}
NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def main(fd: int, task: str, evaluations: str, workspace: str, library: str, *sites: str) -> None:
    """Evaluate, send the message and end at once, without waiting for threads the author left."""
    seal()
    os.set_inheritable(fd, False)  # noqa: FBT003 - the standard library's own signature
    os.write(fd, b"\n")
    del sys.modules[__name__]  # authors may have a module of this name
    set_up_imports(evaluations[: evaluations.rindex("/")], library, sites)
    message = evaluate(task, evaluations, workspace)
    flush()
    send(fd, message.encode("ascii") + b"\n")
    os._exit(0)


def seal() -> None:
    """Keep programs that the evaluator starts, such as a submission under test, out of this process.

    They run as the same user: without this they could write to its pipe through /proc, or trace it.
    """
    program = _ctypes.dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]  # typeshed forgets None
    prctl = _ctypes.dlsym(program, "prctl")
    if _ctypes.call_function(prctl, (PR_SET_DUMPABLE, 0, 0, 0, 0)):
        raise OSError("the process could not be sealed")


def set_up_imports(root: str, library: str, sites: tuple[str, ...]) -> None:
    """Let ``evaluations`` and the task's packages be found, and nothing from the working folder."""
    os.chdir(root)
    own = __file__[: __file__.rindex("/")]
    sys.path[:] = [root, *(path for path in sys.path if path != own), *sites, library]
    os.environ["PYTHONPATH"] = os.pathsep.join(sites)  # for Pythons that the evaluator starts
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # the site module that has them is not loaded
    for folder in sites:
        names = {entry.name for entry in os.scandir(folder) if entry.name.endswith(".pth")}
        if names - HARMLESS_PTH:
            import_module("site").addsitedir(folder)


def evaluate(task: str, evaluations: str, workspace: str) -> str:
    """Run the task's evaluator and return the message about it."""
    during = "importing config.py"
    try:
        config = import_module(f"evaluations.{task}.task.config")
        during = "importing evaluation.py"
        # The published authoring page annotates with Config in evaluation.py without importing it.
        vars(builtins)["Config"] = import_module("evaluations.base.data_classes").Config
        evaluation = import_module(f"evaluations.{task}.task.evaluation")
        during = "making TaskConfig"
        settings = config.TaskConfig(eval_workspace=evaluations, workspace=workspace)
        during = "making TaskBenchmark"
        benchmark = evaluation.TaskBenchmark(settings)
        during = "validate"
        return encode({"results": [describe(result) for result in benchmark.validate()]})
    except BaseException as error:  # noqa: BLE001 - also sys.exit: all of it goes into the message
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        return encode({"during": during, "missing": missing, **describe_exception(error)})


def describe(result: BenchmarkResult) -> dict[str, object]:
    """Describe one result; a benchmark repository with a base of its own has no more than to_dict."""
    described = {"metric": result.to_dict(), "run": getattr(result, "run", None)}
    exception = getattr(result, "exception", None)
    return described if exception is None else {**described, **describe_exception(exception)}


def describe_exception(error: BaseException) -> dict[str, object]:
    """Return the type of an exception and its traceback."""
    traceback = import_module("traceback")  # needed by few, and as large as the rest together
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {"raised": type(error).__name__, "traceback": "".join(lines)[-LONGEST_TRACEBACK:]}


def import_module(name: str) -> Any:  # noqa: ANN401 - what authors write
    """Import a module; importlib, which also can, takes as long as all of the contract."""
    __import__(name)
    return sys.modules[name]


def encode(value: object, depth: int = 0) -> str:
    """Write a value as JSON: NaN and infinities as Python does, what JSON has no form for as text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return encode_basestring_ascii(str(value))
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return NOT_FINITE.get(float.__repr__(value)) or float.__repr__(value)
    return encode_inner(value, depth + 1) if depth < DEEPEST else '"..."'


def encode_inner(value: object, depth: int) -> str:
    """Write a container, or what can be made into one."""
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{encode(str(key))}:{encode(item, depth)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(encode(item, depth) for item in value) + "]"
    if hasattr(value, "tolist"):  # scalars and arrays of numpy and torch
        return encode(value.tolist(), depth)
    return encode(str(value)[:1000])


def flush() -> None:
    """Write out what the author printed; a stream that they closed is their affair."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue


def send(fd: int, message: bytes) -> None:
    """Write all of a message to a pipe."""
    while message:
        message = message[os.write(fd, message) :]
