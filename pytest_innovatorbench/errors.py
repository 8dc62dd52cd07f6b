"""Every error that the project raises on purpose.

::

    IbenchError
    ├── UserError                    the user can mend it; shown as one line, never with a traceback
    │   ├── SettingsError            an option or ini value is wrong               (ValueError)
    │   ├── UnknownNameError         no such task, agent or sandbox                (LookupError)
    │   ├── TaskError                a task on disk is broken                      (ValueError)
    │   ├── InventoryError           the file of computers is broken               (ValueError)
    │   ├── NoSuchComputerError      no computers here can do what a task needs    (LookupError)
    │   ├── SandboxUnavailableError  this machine cannot confine an agent          (RuntimeError)
    │   ├── EnvironmentBuildError    a task's packages could not be installed      (RuntimeError)
    │   ├── RecordError              a run on disk cannot be read                  (ValueError)
    │   └── SnapshotError            a snapshot, or their store, cannot be used    (ValueError)
    │       └── DamagedSnapshotError something kept for it is lost or altered
    └── FaultError                   an attempt cannot be scored                   (RuntimeError)
        ├── MachineFaultError        because of the computer it ran on
        └── EvaluatorFaultError      because of the task's evaluator
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Fault: TypeAlias = Literal["machine", "evaluator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a task on disk.

    Attributes:
        file: Path as the user would type it.
        key: Dotted key inside the file, or ``""`` for the file itself.
        message: What is wrong.
        remedy: What to do about it.
    """

    file: str
    key: str = ""
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.message} ({self.remedy})"


class IbenchError(Exception):
    """Base of all errors of this package."""


class UserError(IbenchError):
    """Something that the user can mend.

    Args:
        message: What is wrong, in one line.
        remedy: What to do about it, in one line.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message


class SettingsError(UserError, ValueError):
    """An option or ini value is wrong."""


class UnknownNameError(UserError, LookupError):
    """A task, agent or sandbox was asked for that does not exist.

    Args:
        kind: What was asked for, such as ``"agent"``.
        name: The name that is not known.
        known: The names that are.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        listed = ", ".join(self.known) or "none"
        super().__init__(f"unknown {kind} {name!r}", remedy=f"known: {listed}")


class TaskError(UserError, ValueError):
    """A task on disk is broken; all that is wrong with it, at once.

    Args:
        task_id: The folder name of the task.
        problems: What is wrong, in the order of the files.
    """

    def __init__(self, task_id: str, problems: Iterable[Problem]) -> None:
        self.task_id = task_id
        self.problems = tuple(problems)
        super().__init__(f"task {task_id!r}: " + "; ".join(str(problem) for problem in self.problems))


class InventoryError(UserError, ValueError):
    """The file that lists the computers is broken; all that is wrong with it, at once.

    Args:
        problems: What is wrong.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class NoSuchComputerError(UserError, LookupError):
    """No computers that there are here can ever do what a task needs."""


class SandboxUnavailableError(UserError, RuntimeError):
    """This machine cannot confine an agent."""


class EnvironmentBuildError(UserError, RuntimeError):
    """A task's packages could not be installed."""


class RecordError(UserError, ValueError):
    """A run on disk cannot be read."""


class SnapshotError(UserError, ValueError):
    """A snapshot, or the store it lies in, cannot be used."""


class DamagedSnapshotError(SnapshotError):
    """Something that is kept for a snapshot is lost or not what was saved.

    Args:
        what: Which part, such as ``"the content of 'data/model.bin'"``.
        digest: The digest by which it is kept.
        snapshot: The snapshot that was read.
    """

    def __init__(self, what: str, *, digest: str, snapshot: str) -> None:
        self.what = what
        self.digest = digest
        self.snapshot = snapshot
        super().__init__(
            f"snapshot {snapshot} is damaged: {what} (object {digest[:16]}) is lost or altered",
            remedy="use another snapshot; saving the same content again mends it",
        )


class FaultError(IbenchError, RuntimeError):
    """An attempt cannot be scored, and it is not the agent's doing.

    Args:
        message: What happened, in one line.
        detail: What only the record may hold (tracebacks, paths).
    """

    fault: Fault

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class MachineFaultError(FaultError):
    """The computer failed: a sandbox that does not start, a full disk, a lost connection."""

    fault: Fault = "machine"


class EvaluatorFaultError(FaultError):
    """The task's evaluator failed: it raised, hung, ended early or returned no usable score."""

    fault: Fault = "evaluator"
