"""What every computer with a session server has in common: what is asked of it, and how answers are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_innovatorbench.errors import UnknownNameError
from pytest_innovatorbench.researchgym.computers.answers import (
    read_call_result,
    read_count,
    read_is_new,
    read_processes,
    read_refusal,
    read_result,
    read_states,
    read_text,
)
from pytest_innovatorbench.researchgym.computers.base import (
    MAIN_SESSION,
    OUTPUT_WINDOW,
    CommandResult,
    Process,
    SessionState,
)
from pytest_innovatorbench.researchgym.computers.workspace import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_innovatorbench.researchgym.computers.session_client import Message

Answer = TypeVar("Answer")

GRACE = 30.0
"""Seconds beyond the wait after which a session server counts as lost."""
_FILE_SECONDS = 90.0


class SessionComputer(ABC):
    """The sessions of a computer.

    Attributes:
        when_finished: Told of the session in which a command ended that nobody waited for any more.
    """

    def __init__(self) -> None:
        self.when_finished: Callable[[str], None] = lambda _: None

    @abstractmethod
    def inside(self, path: str) -> str:
        """Return how a path of the computer is spelt by what runs on it."""

    @abstractmethod
    def _ask(self, request: Message, timeout: float | None, read: Callable[[Message], Answer]) -> Answer:
        """Ask the session server, started at the first need, and read its answer."""

    @abstractmethod
    def _ask_if_started(self, request: Message, read: Callable[[Message], Answer]) -> Answer:
        """Ask what needs no answer of a computer that has done nothing yet."""

    def _roots(self) -> Sequence[str]:
        """Return the folders out of which no action on files may lead; none where something else confines."""
        return ()

    def open_session(self, session: str) -> bool:
        """Make a session; return whether it is new."""
        return self._ask({"do": "open", "session": session}, GRACE, read_is_new)

    def run_command(
        self,
        command: str,
        *,
        session: str = MAIN_SESSION,
        wait: float | None = None,
        takes_input: bool = False,
    ) -> CommandResult:
        """Run a shell command; see `Computer.run_command`."""
        request = {
            "do": "run",
            "session": session,
            "command": command,
            "wait": wait,
            "limit": OUTPUT_WINDOW,
            "input": takes_input,
        }
        timeout = None if wait is None else wait + GRACE
        return self._ask(request, timeout, lambda answer: read_result(session, command, answer))

    def type_text(self, session: str, text: str) -> str | None:
        """Type to the command that runs in a session; return why that cannot be, or ``None``."""
        return self._ask({"do": "type", "session": session, "text": text}, GRACE, read_refusal)

    def read_output(
        self,
        session: str = MAIN_SESSION,
        lines: int = 50,
        *,
        skip: int = 0,
        since: float | None = None,
        recent: float | None = None,
    ) -> str:
        """Return what the commands of a session printed last; see `Computer.read_output`."""
        request = {"do": "read", "session": session, "limit": OUTPUT_WINDOW, "lines": lines, "skip": skip}
        if since is not None:
            request["since"] = since
        if recent is not None:
            request["recent"] = recent  # by the clock there
        return self._known(session, self._ask_if_started(request, read_text))

    def clear_output(self, session: str) -> None:
        """Forget what a session printed; on the disk it stays."""
        refusal = self._ask_if_started({"do": "clear", "session": session}, read_refusal)
        self._known(session, None if refusal else True)

    def list_processes(self, session: str) -> tuple[Process, ...]:
        """Return what runs in a session, its shell left out."""
        request = {"do": "status", "session": session}
        return self._known(session, self._ask_if_started(request, read_processes))

    def end_processes(self, session: str) -> int:
        """Ask what runs in a session to end, and kill it if it does not; return how many there were."""
        request = {"do": "terminate", "session": session}
        return self._known(session, self._ask_if_started(request, read_count))

    def list_sessions(self) -> tuple[SessionState, ...]:
        """Return the sessions."""
        return self._ask_if_started({"do": "list"}, read_states)

    def do_with_file(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have a file operation done; see `Computer.do_with_file`."""
        place = {"folder": self.inside(WORKSPACE), "roots": list(self._roots())}
        request = {"do": "file", "call": {**call, **place}}
        return self._ask(request, _FILE_SECONDS, read_call_result)

    def interrupt(self, session: str = MAIN_SESSION) -> None:
        """Press Ctrl-C in a session."""
        self._ask_if_started({"do": "interrupt", "session": session}, bool)

    def kill_session(self, session: str) -> None:
        """End a session with what runs in it; its name can be used again."""
        self._ask_if_started({"do": "kill", "session": session}, bool)

    def _known(self, session: str, answer: Answer | None) -> Answer:
        if answer is None:
            raise UnknownNameError("session", session, [state.session for state in self.list_sessions()])
        return answer

    def _hear(self, message: Message) -> None:
        """Pass on what a session server told of itself."""
        session = message.get("session")
        if message.get("event") == "finished" and isinstance(session, str):
            self.when_finished(session)
