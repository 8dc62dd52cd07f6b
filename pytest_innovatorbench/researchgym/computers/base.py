"""What a computer offers to an attempt, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_innovatorbench.errors import IbenchError, MachineFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_innovatorbench.sandbox.trees import Entry

MAIN_SESSION = "main"
OUTPUT_WINDOW = 30_000
"""Bytes of a command's output that are handed to an agent at once."""


class ComputerClosedError(IbenchError, RuntimeError):
    """The computer was closed on purpose while, or before, something was asked of it."""


class DiskQuotaError(IbenchError, RuntimeError):
    """The computer was stopped because too much was written on it."""


class SessionRefusedError(IbenchError, RuntimeError):
    """A session could not be made; the text says why, for the agent."""


class ComputerAwayError(MachineFaultError):
    """The computer does not answer now; what runs on it goes on, and it may come back."""


class ComputerLostError(MachineFaultError):
    """The computer was lost after it had worked; the next command starts it again, files as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What came of a command.

    Attributes:
        session: Where it ran.
        command: What was run.
        exit_status: As the shell tells it, ``None`` while it runs. Information, never evidence.
        output: What it printed, the middle cut out if that was too much.
        output_bytes: Bytes that it printed in all.
        seconds: How long it took, or has taken so far.
        timed_out: Whether it was still running when the wait was over; it goes on.
        truncated: Whether ``output`` is not all.
        note: What else is to be known, such as that the shell ended.
        is_refused: Whether it was not run at all, as ``note`` says.
    """

    session: str
    command: str
    exit_status: int | None
    output: str = ""
    output_bytes: int = 0
    seconds: float = 0.0
    timed_out: bool = False
    truncated: bool = False
    note: str | None = None
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """A shell session as it stands.

    Attributes:
        session: Its name.
        running: The command that runs in it, if any.
        seconds: For how long that has been running.
        exit_status: Of the last command that ended.
    """

    session: str
    running: str | None
    seconds: float | None
    exit_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process of a session.

    Attributes:
        pid: Its number on the computer.
        state: The kernel's letter for it, such as ``S`` for sleeping.
        command: What was started.
    """

    pid: int
    state: str
    command: str


class Computer(Protocol):
    """A machine with a workspace and shell sessions that keep their state.

    What is said of errors at `run_command` holds for every method that needs the computer to run.

    Attributes:
        when_finished: Told of the session in which a command ended that nobody waited for any more.
    """

    when_finished: Callable[[str], None]

    @property
    def workspace_note(self) -> str | None:
        """What is to be known of the workspace, such as that it could not be read lately."""

    def open_session(self, session: str) -> bool:
        """Make a session; return whether it is new.

        Raises:
            SessionRefusedError: There are too many.
        """

    def run_command(
        self,
        command: str,
        *,
        session: str = MAIN_SESSION,
        wait: float | None = None,
        takes_input: bool = False,
    ) -> CommandResult:
        """Run a shell command.

        Args:
            command: One or more lines of bash.
            session: Where to run it; made on first use.
            wait: Seconds after which to come back with what there is, while the command goes on.
            takes_input: Whether it can be typed to; otherwise it has no input.

        Raises:
            ComputerClosedError: The computer was closed.
            DiskQuotaError: Too much was written.
            ComputerLostError: The computer was lost; all that ran on it has ended.
            MachineFaultError: The computer could not be started.
        """

    def type_text(self, session: str, text: str) -> str | None:
        """Type to the command that runs in a session; return why that cannot be, or ``None``."""

    def read_output(
        self,
        session: str = MAIN_SESSION,
        lines: int = 50,
        *,
        skip: int = 0,
        since: float | None = None,
        recent: float | None = None,
    ) -> str:
        """Return what the commands of a session printed last.

        Args:
            session: The session, which may have ended.
            lines: Lines to return, counted from the end.
            skip: Lines to leave out at the end.
            since: Seconds since the epoch: return what was printed from then on, instead of lines.
            recent: Return what was printed in so many seconds up to now, instead of lines.

        Raises:
            UnknownNameError: There is no such session.
        """

    def clear_output(self, session: str) -> None:
        """Forget what a session printed; on the disk it stays.

        Raises:
            UnknownNameError: There is no such session.
        """

    def list_processes(self, session: str) -> tuple[Process, ...]:
        """Return what runs in a session, its shell left out.

        Raises:
            UnknownNameError: There is no such session.
        """

    def end_processes(self, session: str) -> int:
        """Ask what runs in a session to end, and kill it if it does not; return how many there were.

        Raises:
            UnknownNameError: There is no such session.
        """

    def list_sessions(self) -> tuple[SessionState, ...]:
        """Return the sessions."""

    def do_with_file(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have a file operation done where the agent's commands run, with their rights.

        Args:
            call: ``op`` and its arguments, as `researchgym.file_program` takes them.

        Returns:
            What came of it, or ``{"error": ...}``. An agent may have had its hands in it.

        Raises:
            ComputerClosedError: The computer was closed.
            DiskQuotaError: Too much was written.
            ComputerLostError: The computer was lost; all that ran on it has ended.
            MachineFaultError: The computer could not be started.
        """

    def interrupt(self, session: str = MAIN_SESSION) -> None:
        """Press Ctrl-C in a session."""

    def kill_session(self, session: str) -> None:
        """End a session with what runs in it; its name can be used again."""

    def inside(self, path: str) -> str:
        """Return how a path of the computer, such as ``/solution``, is spelt by what runs on it."""

    def entries(self, below: str) -> Iterator[Entry]:
        """Walk a folder of the workspace; also when the computer is stopped or lost.

        Args:
            below: Relative to the workspace, such as ``"data/outputs"``.
        """

    def close(self) -> None:
        """Kill everything that runs and wake who waits; safe to call twice. Files stay."""
